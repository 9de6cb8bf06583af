-- When does the clinic lose most money on the phone? Ten hours of the week, over the last 8 weeks,
-- by the expected loss of such an hour. A high abandonment_rate beside a high work_hours_per_day
-- (talk and wrap-up: the number of operators needed at the very least) asks for more people in
-- that hour; a low one says that calls are answered and lost in the talk. Look at days_observed
-- first: 8 is all.
select
    call_weekday,
    call_hour,
    days_observed,
    round(lost_value_rub_per_day) as lost_value_rub_per_day,
    round(lost_per_day, 2) as lost_per_day,
    round(offered_per_day, 1) as offered_per_day,
    round(abandonment_rate, 3) as abandonment_rate,
    round(service_level, 3) as service_level,
    round(work_hours_per_day, 2) as work_hours_per_day

from {{ ref('vw_lm_hourly_profile') }}

where span_weeks = 8 and days_observed > 0

order by lost_value_rub_per_day desc

limit 10
