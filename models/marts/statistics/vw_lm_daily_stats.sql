select
    stat_date,
    dimension,
    dimension_value,
    metric_group,
    metric_code,
    calls,
    value_count,
    value_avg,
    value_min,
    value_p50,
    value_p90,
    value_p95,
    value_max,
    true_count,
    low_count,
    medium_count,
    high_count,
    value_sum,
    value_sum_sq,
    label_counts

from {{ ref('lm_daily_stats') }}
