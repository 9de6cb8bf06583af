-- Least <= median <= p90 <= p95 <= greatest, the mean between the ends, and all of them null
-- exactly where there is no value. Sums belong to the mean, and squares are not less than they can
-- be.
select
    stat_date,
    dimension,
    dimension_value,
    metric_code,
    calls,
    value_count,
    value_min,
    value_p50,
    value_p90,
    value_p95,
    value_max,
    value_avg,
    value_sum,
    value_sum_sq

from {{ ref('lm_daily_stats') }}

where value_count > calls
    or (value_count = 0) <> (value_min is null)
    or (value_count = 0) <> (value_p50 is null)
    or (value_count = 0) <> (value_p90 is null)
    or (value_count = 0) <> (value_p95 is null)
    or (value_count = 0) <> (value_max is null)
    or (value_count = 0) <> (value_avg is null)
    -- The percentiles are rounded to six places.
    or value_min > value_p50 + 0.00001
    or value_p50 > value_p90 + 0.00001
    or value_p90 > value_p95 + 0.00001
    or value_p95 > value_max + 0.00001
    or value_avg < value_min - 0.00001
    or value_avg > value_max + 0.00001
    or abs(value_sum - coalesce(value_avg, 0) * value_count) > 0.0001 * (value_count + 1)
    or value_sum_sq * value_count < value_sum * value_sum - 0.01 * (value_count + 1)
