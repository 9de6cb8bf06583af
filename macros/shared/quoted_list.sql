{# Texts as a list of SQL literals. #}
{% macro quoted_list(texts) -%}
    '{{ texts | join("', '") }}'
{%- endmacro %}
