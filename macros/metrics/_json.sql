{# Parts of value_json. It is put together as text: an absent part is null and concat_ws leaves it out. #}

{# A number of four decimals, without its last zeros. #}
{% macro json_decimal(expression) -%}
    trim(trailing '.' from trim(trailing '0' from {{ expression }}))
{%- endmacro %}

{% macro json_number(expression) -%}
    {{ json_decimal('cast(' ~ expression ~ ' as decimal(16, 4))') }}
{%- endmacro %}

{% macro json_number_pair(key, expression) -%}
    concat('"{{ key }}":', {{ json_number(expression) }})
{%- endmacro %}

{% macro json_integer_pair(key, expression) -%}
    concat('"{{ key }}":', {{ expression }})
{%- endmacro %}

{% macro json_code_pair(key, expression) -%}
    concat('"{{ key }}":"', {{ expression }}, '"')
{%- endmacro %}

{% macro json_flag_pair(key, condition) -%}
    concat('"{{ key }}":', case when {{ condition }} then 'true' else 'false' end)
{%- endmacro %}

{% macro json_object(parts) -%}
    concat('{', concat_ws(',',
        {{ parts | join(',\n        ') }}
    ), '}')
{%- endmacro %}
