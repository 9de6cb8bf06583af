{# What follows the first thousand characters is no label, name or number: expressions stay cheap. #}
{% macro our_text(expression) -%}
    left(convert({{ expression }} using utf8mb4), 1000) collate utf8mb4_bin
{%- endmacro %}


{# Marks that nobody sees (zero width, direction of writing, soft hyphens): they part words and digits as spaces do. #}
{% macro unseen_marks() -%}
    {{ '\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff' }}
{%- endmacro %}


{# Cut by left: a strict server refuses to write what a cast alone cuts. #}
{% macro display_text(expression, length=255) -%}
    {%- set trimmed -%}
        trim(regexp_replace({{ our_text(expression) }}, '[[:space:][:cntrl:]{{ unseen_marks() }}]+', ' '))
    {%- endset -%}
    cast(
        case
            when lower({{ trimmed }}) in ('', 'none', 'nan', 'null') then null
            else left({{ trimmed }}, {{ length }})
        end as char({{ length }})
    ) collate utf8mb4_bin
{%- endmacro %}


{% macro label_text(expression, length=255) -%}
    replace(lower({{ display_text(expression, length) }}), 'ё', 'е')
{%- endmacro %}


{# So many digits in a row, of whatever script, with the signs that numbers are broken up by, the spaces and dashes
   of printers and marks that nobody sees among them. Classes do not hold these on every engine. #}
{% macro holds_phone(raw, digits=7) -%}
    {%- set signs =
        '[[:space:]\u00a0\u2009\u202f' ~ unseen_marks() ~ '().+/_~\u2010\u2011\u2012\u2013\u2014\u2212-]' -%}
    {%- set digit = '[0-9\uff10-\uff19\u0660-\u0669\u06f0-\u06f9]' -%}
    {{ our_text(raw) }} regexp '{{ digit }}({{ signs }}{0,3}{{ digit }}){{ '{' ~ (digits - 1) ~ '}' }}'
{%- endmacro %}


{# A phone number, an address of mail, or too long for a label, as what somebody has said or written is. #}
{% macro is_private(raw, digits=7, longest=255) -%}
    ({{ holds_phone(raw, digits) }}
        or {{ our_text(raw) }} regexp '[^[:space:]]@[^[:space:]]'
        or char_length({{ our_text(raw) }}) > {{ longest }})
{%- endmacro %}


{# An extension has a digit and no spaces: a name in its place may be anybody's. #}
{% macro is_extension(label) -%}
    {{ label }} regexp '^[0-9A-Za-z*#._/-]*[0-9][0-9A-Za-z*#._/-]*$'
{%- endmacro %}


{# Whatever reaches a dimension, a page or a log goes through here. #}
{% macro without_private(raw, text, digits=7, other='null', longest=255) -%}
    case when {{ is_private(raw, digits, longest) }} then {{ other }} else {{ text }} end
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
        when trim({{ our_text(expression) }}) regexp '^-?[0-9]{1,6}([.,][0-9]{1,20})?$'
            then cast(replace(trim({{ our_text(expression) }}), ',', '.') as decimal(12, 4))
    end
{%- endmacro %}
