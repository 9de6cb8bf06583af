{% macro join_value(alias, metric) -%}
    left join {{ ref('lm_value') }} as {{ alias }}
        on calls.history_id = {{ alias }}.history_id
        and {{ alias }}.metric_code = '{{ metric }}'
{%- endmacro %}
