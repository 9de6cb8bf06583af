{# A plain hash of a number or a name can be found by trying. #}
{% macro keyed_hash(expression) -%}
    cast({{ caller_key(expression) }} as char(32)) collate utf8mb4_bin
{%- endmacro %}


{% macro name_key(label) -%}
    {{ keyed_hash("concat('name:', " ~ label ~ ")") }}
{%- endmacro %}
