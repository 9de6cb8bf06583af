{% macro percentile_of_counts(value, share) -%}
    {%- set beyond = 'last_rank - (value_count - 1) * ' ~ share -%}
    sum({{ value }} * (
        least(1, greatest(0, {{ beyond }})) - least(1, greatest(0, {{ beyond }} - times))
    ))
{%- endmacro %}
