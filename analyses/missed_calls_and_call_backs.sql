-- What becomes of missed calls, week by week? callback_rate: the clinic rang back within 24 hours;
-- missed_reached_rate: somebody talked to the caller in that time, whoever rang. The difference
-- are callers who had to try again. Days too young to tell are left out of the shares.
select
    date_sub(stat_date, interval weekday(stat_date) day) as week_start_date,
    sum(missed_calls) as missed_calls,
    round(
        sum(callback_rate * missed_calls)
        / nullif(sum(case when callback_rate is not null then missed_calls end), 0),
        3
    ) as callback_rate,
    round(
        sum(missed_reached_rate * missed_calls)
        / nullif(sum(case when missed_reached_rate is not null then missed_calls end), 0),
        3
    ) as missed_reached_rate,
    round(
        sum(callback_avg_min * callback_rate * missed_calls)
        / nullif(
            sum(case when callback_avg_min is not null then callback_rate * missed_calls end), 0
        ),
        1
    ) as callback_avg_min

from {{ ref('vw_lm_kpi_daily') }}

where dimension = 'all'

group by date_sub(stat_date, interval weekday(stat_date) day)

order by week_start_date desc
