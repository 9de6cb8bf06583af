-- As assert_daily_facts_tie_out, for every metric: calls, values, their sums, ends and labels of a
-- dimension's values come to the same for each dimension.
{%- set counts = [
    'calls', 'value_count', 'true_count', 'low_count', 'medium_count', 'high_count',
] %}

with

summed as (

    select
        stat_date,
        dimension,
        metric_code,
        min(value_min) as value_min,
        max(value_max) as value_max,
        sum(value_sum) as value_sum,
        sum(value_sum_sq) as value_sum_sq,
        {%- for measure in counts %}
        sum({{ measure }}) as {{ measure }},
        {%- endfor %}
        count(*) as row_count

    from {{ ref('lm_daily_stats') }}

    group by stat_date, dimension, metric_code

)

select
    stat_date,
    metric_code,
    count(*) as dimension_count,
    max(calls) - min(calls) as calls_difference,
    max(value_count) - min(value_count) as value_count_difference,
    max(value_sum) - min(value_sum) as value_sum_difference,
    max(value_min) - min(value_min) as value_min_difference,
    max(value_max) - min(value_max) as value_max_difference

from summed

group by stat_date, metric_code

having count(*) <> {{ dimensions() | length }}
    {%- for measure in counts + ['value_min', 'value_max'] %}
    or max({{ measure }}) <> min({{ measure }})
    {%- endfor %}
    or max(value_sum) - min(value_sum) > 0.001
    or max(value_sum_sq) - min(value_sum_sq) > 0.001
