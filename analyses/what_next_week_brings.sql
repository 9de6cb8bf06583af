-- What is to be expected of the next 7 and 14 days? The whole and each source, with the range in
-- which four of five such weeks end. Plan people for calls_hi80, not for calls. No rows: no
-- forecast has been made yet (lm forecast).
select
    days,
    period_start,
    period_end,
    dimension,
    dimension_value,
    round(calls) as calls,
    round(calls_lo80) as calls_lo80,
    round(calls_hi80) as calls_hi80,
    round(calls_before) as calls_before,
    round(bookings) as bookings,
    round(bookings_lo80) as bookings_lo80,
    round(bookings_hi80) as bookings_hi80,
    round(lost) as lost,
    round(talk_minutes / 60) as talk_hours

from {{ ref('vw_lm_outlook') }}

where dimension in ('all', 'source')

order by
    days asc,
    case when dimension = 'all' then 0 else 1 end asc,
    calls desc,
    dimension_value asc
