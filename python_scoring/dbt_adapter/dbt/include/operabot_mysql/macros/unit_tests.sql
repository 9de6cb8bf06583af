{# What dbt's unit tests ask of an adapter, and dbt-mysql, which is older than they are, lacks. #}


{# CAST names its types otherwise than a column does: `cast(1 as signed)` for an int. #}
{% macro operabot_mysql__safe_cast(field, type) -%}
    {%- set words = type | lower -%}
    {%- set name = words.split('(')[0].split(' ')[0] -%}
    {%- if name in ('tinyint', 'smallint', 'mediumint', 'int', 'integer', 'bigint', 'year') -%}
        cast({{ field }} as {{ 'unsigned' if 'unsigned' in words else 'signed' }})
    {%- elif name in ('char', 'varchar') -%}
        cast({{ field }} as char({{ words.split('(')[1].split(')')[0] }})) collate utf8mb4_bin
    {%- elif name in ('tinytext', 'text', 'mediumtext', 'longtext', 'enum', 'set') -%}
        cast({{ field }} as char) collate utf8mb4_bin
    {%- elif name in ('decimal', 'numeric') -%}
        cast({{ field }} as {{ words.split(' ')[0] }})
    {%- elif name in ('float', 'double') -%}
        cast({{ field }} as double)
    {%- elif name in ('datetime', 'timestamp') -%}
        cast({{ field }} as datetime)
    {%- elif name == 'date' -%}
        cast({{ field }} as date)
    {%- else -%}
        {{ field }}
    {%- endif -%}
{%- endmacro %}


{# A plain table, dropped by the test itself: the embedded engine has no temporary ones. #}
{% macro operabot_mysql__create_table_as(temporary, relation, sql) -%}
    {%- if temporary -%}
        {%- do adapter.drop_relation(relation) -%}
    {%- endif -%}
    {{ mysql__create_table_as(false, relation, sql) }}
{%- endmacro %}
