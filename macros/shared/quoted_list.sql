{% macro quoted_list(texts) -%}
    '{{ texts | join("', '") }}'
{%- endmacro %}
