{% macro our_text(expression) -%}
    convert({{ expression }} using utf8mb4) collate utf8mb4_bin
{%- endmacro %}


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


{% macro label_text(expression, length=255) -%}
    replace(lower({{ display_text(expression, length) }}), 'ё', 'е')
{%- endmacro %}


{# So many digits in a row, with the signs that numbers are broken up by, the spaces and dashes of printers among
   them. Classes do not hold these on every engine. #}
{% macro holds_phone(raw, digits=7) -%}
    {%- set signs = '[[:space:]\u00a0\u2009\u202f().+/_~\u2010\u2011\u2012\u2013\u2014\u2212-]' -%}
    {{ our_text(raw) }} regexp '[0-9]({{ signs }}{0,3}[0-9]){{ '{' ~ (digits - 1) ~ '}' }}'
{%- endmacro %}


{# Whatever reaches a dimension, a page or a log goes through here. #}
{% macro without_phone(raw, text, digits=7, other='null') -%}
    case when {{ holds_phone(raw, digits) }} then {{ other }} else {{ text }} end
{%- endmacro %}


{% macro person_name(name) -%}
    {%- set plain = "replace(lower(" ~ name ~ "), 'ё', 'е')" -%}
    {%- set words = [] -%}
    {%- for place in range(1, 4) -%}
        {%- set word = "substring_index(substring_index(" ~ plain ~ ", ' ', " ~ place ~ "), ' ', -1)" -%}
        {%- do words.append(
            "case when " ~ plain ~ " like '%" ~ ' %' * (place - 1) ~ "' then concat(upper(left("
            ~ word ~ ", 1)), substring(" ~ word ~ ", 2)) end"
        ) -%}
    {%- endfor -%}
    concat_ws(
        ' ', {{ words | join(', ') }},
        case
            when {{ plain }} like '% % % %'
                then substring({{ plain }}, char_length(substring_index({{ plain }}, ' ', 3)) + 2)
        end
    )
{%- endmacro %}


{% macro number_text(expression) -%}
    case
        when trim({{ our_text(expression) }}) regexp '^-?[0-9]{1,6}([.,][0-9]+)?$'
            then cast(replace(trim({{ our_text(expression) }}), ',', '.') as decimal(12, 4))
    end
{%- endmacro %}
