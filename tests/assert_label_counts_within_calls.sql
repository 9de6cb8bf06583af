-- No more labels than calls, and label_counts says what the columns of counts say.
{%- set columns = ['true', 'low', 'medium', 'high'] %}
{%- set others = [
    'within_sla', 'late', 'missed', 'booked', 'likely', 'possible', 'unlikely', 'false', 'normal',
    'complaint',
] %}
{%- set counted = "coalesce(json_extract(label_counts, '$.%s') * 1e0, 0)" %}

select
    stat_date,
    dimension,
    dimension_value,
    metric_code,
    label_counts,
    calls

from {{ ref('lm_daily_stats') }}

where true_count + low_count + medium_count + high_count > calls
    or least(true_count, low_count, medium_count, high_count) < 0
    -- The day's totals alone: the other rows add up to them.
    or (
        dimension = 'all'
        and (
            {%- for label in columns %}
            {{ label }}_count <> {{ counted % label }}
            or {% endfor %}
            {%- for label in columns + others %}
            {{ '+ ' if not loop.first }}{{ counted % label }}
            {%- endfor %}
            > calls
        )
    )
