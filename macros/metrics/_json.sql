{# Parts of value_json. It is put together as text: an absent part is null and concat_ws leaves it out. #}

{% macro json_number(expression) -%}
    trim(trailing '.' from trim(trailing '0' from cast(cast({{ expression }} as decimal(16, 4)) as char(24))))
{%- endmacro %}

{% macro json_number_pair(key, expression) -%}
    concat('"{{ key }}":', {{ json_number(expression) }})
{%- endmacro %}

{# Codes only: nothing here needs escaping. #}
{% macro json_code_pair(key, expression) -%}
    concat('"{{ key }}":"', {{ expression }}, '"')
{%- endmacro %}

{% macro json_flag_pair(key, condition) -%}
    concat('"{{ key }}":', case when {{ condition }} then 'true' else 'false' end)
{%- endmacro %}

{% macro json_object(parts) -%}
    concat('{', concat_ws(',', {{ parts | join(', ') }}), '}')
{%- endmacro %}
