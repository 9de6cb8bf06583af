-- Did calling back pay, list by list, over the last half year? Cases called in time beside those
-- that were left waiting: shares of clients who booked within two weeks, and roubles by the price
-- list. Operators may call first who would have booked anyway: what calling causes is told by
-- vw_lm_callback_holdout alone, once lm_worklist_holdout_share has been above 0 for some weeks.
select
    list_name_ru,
    due,
    called_in_time,
    called_late,
    never_called,
    reached,
    booked_in_time,
    round(booked_in_time_rub) as booked_in_time_rub,
    round(100 * booked_share_in_time, 1) as booked_in_time_percent,
    round(100 * booked_share_left_waiting, 1) as booked_left_waiting_percent,
    round(100 * difference, 1) as difference_points,
    round(100 * difference_lo95, 1) as difference_low,
    round(100 * difference_hi95, 1) as difference_high,
    is_enough

from {{ ref('vw_lm_callback_results') }}

where week_start_date is null
    and reason_code = 'all'

order by due desc, list_code asc
