{% macro percentile(value, share) -%}
    sum({{ value }} * greatest(0, 1 - abs(value_rank - 1 - (value_count - 1) * {{ share }})))
{%- endmacro %}
