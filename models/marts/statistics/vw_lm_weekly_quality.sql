with

weeks as (

    select
        {{ week_start('stat_date') }} as week_start_date,
        dimension_value as operator_name,
        metric_code,
        sum(value_count) as value_count,
        sum(value_sum) as value_sum,
        sum(value_sum_sq) as value_sum_sq

    from {{ ref('lm_daily_stats') }}

    where dimension = 'operator'
        and metric_code in (
            'checklist_coverage_ratio', 'normalized_call_score', 'script_risk_index'
        )
        and stat_date <= {{ last_day() }}

    group by {{ week_start('stat_date') }}, dimension_value, metric_code

    having sum(value_count) > 0

),

measured as (

    select
        *,
        value_sum * 1e0 / value_count as value_avg,
        {{ sample_variance('value_count', 'value_sum', 'value_sum_sq') }} as variance

    from weeks

),

-- Shifts alternate: the week before is the last one in which the operator was reviewed.
compared as (

    select
        *,
        lag(week_start_date) over operator_weeks as previous_week_start_date,
        lag(value_count) over operator_weeks as previous_count,
        lag(value_avg) over operator_weeks as previous_avg,
        lag(variance) over operator_weeks as previous_variance

    from measured

    window operator_weeks as (partition by operator_name, metric_code order by week_start_date)

),

margins as (

    select
        *,
        {{ welch_margin('value_count', 'variance', 'previous_count', 'previous_variance') }}
            as margin

    from compared

)

select
    floor(yearweek(margins.week_start_date, 3) / 100) as iso_year,
    mod(yearweek(margins.week_start_date, 3), 100) as iso_week,
    margins.week_start_date,
    margins.operator_name,
    margins.metric_code,
    margins.value_count,
    margins.value_avg,
    sqrt(margins.variance) as value_sd,
    margins.previous_week_start_date,
    margins.previous_count,
    margins.previous_avg,
    margins.value_avg - margins.previous_avg as level_change,
    margins.value_avg - margins.previous_avg - margins.margin as change_low,
    margins.value_avg - margins.previous_avg + margins.margin as change_high,
    case when margins.value_count < rules.min_sample then 1 else 0 end as is_small_sample,
    case
        when date_add(margins.week_start_date, interval 6 day) <= {{ last_day() }} then 1
        else 0
    end as is_complete_week

from margins

left join {{ ref('lm_status_rules') }} as rules
    on margins.metric_code = rules.metric_code
    and rules.period_days = 7
