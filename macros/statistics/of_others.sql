{% macro of_others(column, cell=none) -%}
    {%- set part = 'partition by period_days' ~ (', ' ~ cell if cell else '') -%}
    sum({{ column }}) over ({{ part }}) - sum({{ column }}) over ({{ part }}, operator_no)
{%- endmacro %}
