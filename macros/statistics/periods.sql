{# The last complete day that has calls: a run at 23:59:59 counts its day as complete. A scalar subquery. #}
{% macro last_day() -%}
    (
        select max(dated_calls.call_date)
        from {{ ref('fct_call') }} as dated_calls
        where dated_calls.call_date < cast(date_add({{ as_of() }}, interval 1 second) as date)
    )
{%- endmacro %}


{# Lengths of the periods that end with the last day. #}
{% macro period_lengths() %}
    {% do return([7, 14, 30, 180]) %}
{% endmacro %}


{# Whether what follows a call within so many days is known for a day: they have passed. #}
{% macro is_ripe(date_column, days) -%}
    {{ date_column }} < date_sub(
        cast(date_add({{ as_of() }}, interval 1 second) as date), interval {{ days }} day
    )
{%- endmacro %}
