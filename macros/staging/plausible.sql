{# What a source may say of a time or a number. All else is a mistake of whoever wrote it: it is null here, and staging
   names its field in refused_fields, so that it is counted. The bounds are fixed: by the clock of a run a row that
   nobody has changed would become another one. No log of calls is older than 1990, and clocks are known until 2037. #}

{% macro first_plausible_time() -%}
    cast('1990-01-01 00:00:00' as datetime)
{%- endmacro %}


{# Sessions without the strict modes can write 2025-00-00, which lies between and cannot be reckoned with. #}
{% macro plausible_time(expression) -%}
    case
            when {{ expression }} between {{ first_plausible_time() }} and cast('2037-12-31 23:59:59' as datetime)
                and month({{ expression }}) > 0 and day({{ expression }}) > 0
                then cast({{ expression }} as datetime)
        end
{%- endmacro %}


{% macro plausible_epoch(expression) -%}
    case when {{ expression }} between 631152000 and 2145830399 then cast({{ expression }} as signed) end
{%- endmacro %}


{% macro plausible_number(expression, most) -%}
    case when {{ expression }} between 0 and {{ most }} then cast({{ expression }} as signed) end
{%- endmacro %}


{# A day at most. #}
{% macro plausible_seconds(expression) -%}
    {{ plausible_number(expression, 86400) }}
{%- endmacro %}


{# The names of the fields whose condition holds, comma separated; null where none does. #}
{% macro named_where(conditions) -%}
    nullif(concat_ws(
        ',',
        {%- for name, condition in conditions.items() %}
        case when {{ condition }} then '{{ name }}' end{{ ',' if not loop.last }}
        {%- endfor %}
    ), '')
{%- endmacro %}
