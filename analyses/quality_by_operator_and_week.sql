-- Whose talks get better, whose worse? The last eight weeks of the reviewers' mark by operator. A
-- change counts only where change_low and change_high lie on one side of 0; is_small_sample says
-- that the week has too few reviews to judge, is_complete_week that the week is over.
select
    week_start_date,
    operator_name,
    value_count as reviews,
    round(value_avg, 1) as score,
    round(level_change, 1) as level_change,
    round(change_low, 1) as change_low,
    round(change_high, 1) as change_high,
    is_small_sample,
    is_complete_week

from {{ ref('vw_lm_weekly_quality') }}

where metric_code = 'normalized_call_score'
    and operator_name <> 'unknown'
    and week_start_date > date_sub(
        (select max(newest.week_start_date) from {{ ref('vw_lm_weekly_quality') }} as newest),
        interval 56 day
    )

order by operator_name asc, week_start_date desc
