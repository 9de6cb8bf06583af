-- What has changed for sure against the week before? Only changes whose 95 % interval leaves 0 out.
-- level_change is in the metric's own unit: 0.05 of a share is five percentage points. Of many
-- metrics compared, one in twenty moves by chance alone: a lone small change of one operator is no
-- news.
select
    dimension,
    dimension_value,
    metric_code,
    value_count,
    round(previous_level, 3) as previous_level,
    round(level, 3) as level,
    round(level_change, 3) as level_change,
    round(change_low, 3) as change_low,
    round(change_high, 3) as change_high,
    status

from {{ ref('vw_lm_period_summary') }}

where period_days = 7
    and is_change_significant = 1
    and dimension in ('all', 'operator', 'source', 'service_group')

order by
    case when dimension = 'all' then 0 else 1 end asc,
    abs(level_change) / nullif(change_high - change_low, 0) desc,
    dimension asc,
    dimension_value asc,
    metric_code asc
