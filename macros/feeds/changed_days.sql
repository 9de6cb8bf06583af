{# What of which days a batch has changed: call_date, previous_call_date and `changed` of its calls, for marks_dates.
   `calls` is a derived table of them, with the alias parent. #}

{% macro days_of_calls_counted_otherwise(calls, relation, batch, started) %}
    {% set next_call = "least(coalesce(parent.next_call_at, parent.previous_next_call_at),"
        ~ " coalesce(parent.previous_next_call_at, parent.next_call_at))" %}
    {% set is_own = "parent.own_change_id >= " ~ batch.low if batch.low else "1 = 0" %}
    {% do return(
        "select parent.call_date, parent.previous_call_date,"
        ~ " case when " ~ is_own ~ " then 'call' else 'next_call' end as changed from " ~ calls ~ " where "
        ~ (is_own ~ " or " ~ next_call ~ " <= date_add(parent.call_started_at, interval 7 day)"
            if batch.low else "1 = 0")
    ) %}
{% endmacro %}


{% macro days_of_values_written(calls, relation, batch, started) %}
    {% do return(
        "select parent.call_date, parent.previous_call_date, written.metric_code as changed from " ~ calls
        ~ " inner join " ~ relation ~ " as written on written.history_id = parent.history_id"
        ~ " where coalesce(written.updated_at, written.created_at) >= '" ~ started ~ "'"
    ) %}
{% endmacro %}
