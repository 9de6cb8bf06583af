{# Text of any collation in ours. Binary, since it compares with every other collation of utf8mb4. #}
{% macro our_text(expression) -%}
    convert({{ expression }} using utf8mb4) collate utf8mb4_bin
{%- endmacro %}


{# Text for people: trimmed, single spaces; null for the texts that writers put in place of a null. #}
{% macro display_text(expression, length=255) -%}
    {%- set trimmed -%}
        trim(regexp_replace({{ our_text(expression) }}, '[[:space:]]+', ' '))
    {%- endset -%}
    cast(
        case
            when lower({{ trimmed }}) in ('', 'none', 'nan', 'null') then null
            else {{ trimmed }}
        end as char({{ length }})
    ) collate utf8mb4_bin
{%- endmacro %}


{# Text as a label: as display_text, in lower case and without the letter yo. #}
{% macro label_text(expression, length=255) -%}
    replace(lower({{ display_text(expression, length) }}), 'ё', 'е')
{%- endmacro %}


{# A number out of a column that may be text, null when it is no plain number. #}
{% macro number_text(expression) -%}
    case
        when trim({{ our_text(expression) }}) regexp '^-?[0-9]{1,6}([.,][0-9]+)?$'
            then cast(replace(trim({{ our_text(expression) }}), ',', '.') as decimal(12, 4))
    end
{%- endmacro %}
