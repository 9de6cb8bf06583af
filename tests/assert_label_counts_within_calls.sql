-- No more labels than calls, and label_counts says what the columns of counts say.
{%- set columns = ['true', 'low', 'medium', 'high'] %}
{%- set others = [
    'within_sla', 'late', 'missed', 'booked', 'likely', 'possible', 'unlikely', 'false', 'normal',
    'complaint',
] %}

select *

from {{ ref('lm_daily_stats') }}

where true_count + low_count + medium_count + high_count > calls
    or least(true_count, low_count, medium_count, high_count) < 0
    or (
        -- The day's totals alone: the other rows add up to them.
        dimension = 'all'
        and (
            {%- for label in columns %}
            {{ label }}_count <> coalesce(json_extract(label_counts, '$.{{ label }}') * 1e0, 0)
            or {% endfor %}
            {%- for label in columns + others %}
            {{ '+ ' if not loop.first }}coalesce(json_extract(label_counts, '$.{{ label }}') * 1e0, 0)
            {%- endfor %}
            > calls
        )
    )
