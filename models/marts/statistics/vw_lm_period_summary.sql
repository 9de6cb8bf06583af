with

-- Kept apart, so that MariaDB gives it a key to join by.
rules as (

    select
        lm_status_rules.*,
        coalesce(metrics.direction, kpis.direction) as direction

    from {{ ref('lm_status_rules') }} as lm_status_rules

    left join {{ ref('lm_metric_dictionary') }} as metrics
        on lm_status_rules.metric_code = metrics.metric_code

    left join {{ ref('lm_kpi_dictionary') }} as kpis
        on lm_status_rules.metric_code = kpis.kpi_code

    {{ kept_apart() }}

),

judged as (

    select
        stats.*,
        stats.level - stats.previous_level as level_change,
        rules.direction,
        rules.measure,
        rules.green_from,
        rules.red_from,
        rules.min_sample,
        case rules.measure
            when 'true_share' then stats.true_share
            when 'high_share' then stats.high_share
            else stats.level
        end as judged_value

    from {{ ref('lm_period_stats') }} as stats

    left join rules
        on stats.metric_code = rules.metric_code
        and stats.period_days = rules.period_days

)

select
    period_days,
    period_start,
    period_end,
    dimension,
    dimension_value,
    metric_group,
    metric_code,
    calls,
    value_count,
    level,
    level_low,
    level_high,
    value_p50,
    value_p90,
    true_share,
    high_share,
    previous_level,
    previous_count,
    level_change,
    change_low,
    change_high,
    case
        when change_low > 0 or change_high < 0 then 1
        when change_low is not null then 0
    end as is_change_significant,
    case
        when min_sample is null then null
        when value_count < min_sample then cast('insufficient_data' as char(32))
        when direction = 'higher_better' and judged_value >= green_from then 'good'
        when direction = 'lower_better' and judged_value <= green_from then 'good'
        when direction = 'higher_better' and judged_value < red_from then 'bad'
        when direction = 'lower_better' and judged_value > red_from then 'bad'
        else 'warning'
    end as status,
    measure as status_measure,
    green_from,
    red_from

from judged
