{% macro last_day() -%}
    (
        select max(dated_calls.call_date)
        from {{ ref('fct_call') }} as dated_calls
        where dated_calls.call_date < cast(date_add({{ as_of() }}, interval 1 second) as date)
    )
{%- endmacro %}


{% macro period_lengths() %}
    {% do return([7, 14, 30, 180]) %}
{% endmacro %}


{% macro is_matured(date_column, days) -%}
    {{ date_column }} < date_sub(
        cast(date_add({{ as_of() }}, interval 1 second) as date), interval {{ days }} day
    )
{%- endmacro %}
