with

stats as (

    select
        lm_period_stats.*,
        case
            when kpis.kind = 'share' or (metrics.value_kind = 'flag' and metrics.scale_max = 1) then 1
            else 0
        end as is_share,
        case
            when metrics.allowed_labels like '%true%'
                then lm_period_stats.true_count * 1e0 / nullif(lm_period_stats.value_count, 0)
        end as true_share,
        case
            when metrics.allowed_labels like '%high%'
                then lm_period_stats.high_count * 1e0 / nullif(lm_period_stats.value_count, 0)
        end as high_share,
        coalesce(metrics.direction, kpis.direction) as direction,
        rules.measure,
        rules.green_from,
        rules.red_from,
        rules.min_sample

    from {{ ref('lm_period_stats') }} as lm_period_stats

    left join {{ ref('lm_metric_dictionary') }} as metrics
        on lm_period_stats.metric_code = metrics.metric_code

    left join {{ ref('lm_kpi_dictionary') }} as kpis
        on lm_period_stats.metric_code = kpis.kpi_code

    left join {{ ref('lm_status_rules') }} as rules
        on lm_period_stats.metric_code = rules.metric_code
        and lm_period_stats.period_days = rules.period_days

),

levels as (

    select
        *,
        value_sum * 1e0 / nullif(value_count, 0) as level,
        {{ sample_variance('value_count', 'value_sum', 'value_sum_sq') }} as variance,
        previous_value_sum * 1e0 / nullif(previous_value_count, 0) as previous_level,
        {{ sample_variance('previous_value_count', 'previous_value_sum', 'previous_value_sum_sq') }}
            as previous_variance

    from stats

    {{ kept_apart() }}

),

margins as (

    select
        *,
        {{ mean_margin('value_count', 'variance') }} as margin,
        {{ welch_margin('value_count', 'variance', 'previous_value_count', 'previous_variance') }}
            as change_margin,
        {{ wilson_low('value_sum', 'value_count') }} as share_low,
        {{ wilson_high('value_sum', 'value_count') }} as share_high,
        {{ wilson_low('previous_value_sum', 'previous_value_count') }} as previous_low,
        {{ wilson_high('previous_value_sum', 'previous_value_count') }} as previous_high

    from levels

    {{ kept_apart() }}

),

compared as (

    select
        *,
        case when is_share = 1 then share_low else level - margin end as level_low,
        case when is_share = 1 then share_high else level + margin end as level_high,
        level - previous_level as level_change,
        case
            when is_share = 1
                then {{ newcombe(
                    'low', 'level', 'share_low', 'share_high', 'previous_level', 'previous_low', 'previous_high'
                ) }}
            else level - previous_level - change_margin
        end as change_low,
        case
            when is_share = 1
                then {{ newcombe(
                    'high', 'level', 'share_low', 'share_high', 'previous_level', 'previous_low', 'previous_high'
                ) }}
            else level - previous_level + change_margin
        end as change_high,
        case measure when 'true_share' then true_share when 'high_share' then high_share else level end
            as judged

    from margins

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
    previous_value_count as previous_count,
    level_change as `change`,
    change_low,
    change_high,
    case
        when change_low > 0 or change_high < 0 then 1
        when change_low is not null then 0
    end as is_change_significant,
    case
        when min_sample is null then null
        when value_count < min_sample then cast('insufficient_data' as char(32))
        when (direction = 'higher_better' and judged >= green_from)
            or (direction = 'lower_better' and judged <= green_from) then 'good'
        when (direction = 'higher_better' and judged < red_from)
            or (direction = 'lower_better' and judged > red_from) then 'bad'
        else 'warning'
    end as status,
    measure as status_measure,
    green_from,
    red_from

from compared
