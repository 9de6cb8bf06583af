-- How long do reviews take, and are calls left out? A week a row, by the date of the call. A
-- booking is known only once its call is reviewed, so the newest weeks look poor until about
-- p90_days have passed. p90_days is the worst day's: nine of ten of that day's reviews came
-- faster. reviewed_share is of the answered calls; repeated_share of reviewed calls that were
-- reviewed again.
select
    date_sub(stat_date, interval weekday(stat_date) day) as week_start_date,
    sum(case when check_kind = 'lag' then calls end) as reviewed_calls,
    round(
        sum(case when check_kind = 'field' then filled end)
        / nullif(sum(case when check_kind = 'field' then calls end), 0),
        3
    ) as reviewed_share,
    round(
        sum(case when check_kind = 'lag' then calls * value_avg end)
        / nullif(sum(case when check_kind = 'lag' then calls end), 0),
        1
    ) as mean_days,
    round(max(value_p90), 1) as p90_days,
    round(
        sum(case when check_kind = 'repeated' then flagged end)
        / nullif(sum(case when check_kind = 'repeated' then calls end), 0),
        3
    ) as repeated_share

from {{ ref('vw_lm_data_quality') }}

where field = 'review' and stat_date is not null

group by date_sub(stat_date, interval weekday(stat_date) day)

order by week_start_date desc
