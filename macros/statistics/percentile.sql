{# Percentile by rank with linear interpolation, as an aggregate over rows with value_rank and value_count:
   NumPy's default, type 7 of Hyndman and Fan, Sample Quantiles in Statistical Packages, 1996. It lies at rank
   1 + (n - 1) share, and a value weighs what is left of 1 at its distance from there. #}
{% macro percentile(value, share) -%}
    sum({{ value }} * greatest(0, 1 - abs(value_rank - 1 - (value_count - 1) * {{ share }})))
{%- endmacro %}
