-- Do callers get through, week by week? Shares and means of days must not be averaged: a Sunday of
-- ten calls would weigh as much as a Monday of three hundred. Multiply each by the count it stands
-- on, add up, divide. The newest week may not be whole: see days.
select
    date_sub(stat_date, interval weekday(stat_date) day) as week_start_date,
    count(*) as days,
    sum(calls_offered) as calls_offered,
    sum(calls_abandoned) as calls_abandoned,
    round(sum(calls_abandoned) / nullif(sum(calls_offered), 0), 3) as abandonment_rate,
    round(sum(service_level * sla_calls) / nullif(sum(sla_calls), 0), 3) as service_level,
    round(sum(asa_sec * calls_answered) / nullif(sum(calls_answered), 0), 1) as asa_sec,
    round(sum(aht_sec * talk_calls) / nullif(sum(talk_calls), 0), 1) as aht_sec

from {{ ref('vw_lm_kpi_daily') }}

where dimension = 'all'

group by date_sub(stat_date, interval weekday(stat_date) day)

order by week_start_date desc
