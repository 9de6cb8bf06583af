{# The percentile of macro percentile, over rows that stand for several equal values each: `times` of them, the last
   with the rank last_rank among value_count. The weights of the values at both sides of the position add up to
   this difference of two clamps. #}
{% macro percentile_of_counts(value, share) -%}
    {%- set beyond = 'last_rank - (value_count - 1) * ' ~ share -%}
    sum({{ value }} * (
        least(1, greatest(0, {{ beyond }})) - least(1, greatest(0, {{ beyond }} - times))
    ))
{%- endmacro %}
