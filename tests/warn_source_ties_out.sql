{{ config(severity='warn') }}

-- Calls, talks and bookings of each day, counted anew from the source, are those of our tables. A
-- difference on an old day is an edit older than lm_lookback_days: a run with lm_sweep reads it.
select
    stat_date,
    calls_difference,
    talks_difference,
    bookings_difference

from {{ ref('vw_lm_tie_out') }}

where calls_difference <> 0
    or talks_difference <> 0
    or bookings_difference <> 0
