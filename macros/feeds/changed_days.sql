{# Which calls of a batch change their day's statistics: conditions on `parent`, for marks_dates_when. #}

{% macro calls_counted_otherwise(relation, batch, started) %}
    {% if not batch.low %}
        {% do return("1 = 0") %}
    {% endif %}
    {% set next_call = "least(coalesce(parent.next_call_at, parent.previous_next_call_at),"
        ~ " coalesce(parent.previous_next_call_at, parent.next_call_at))" %}
    {% do return(
        "parent.own_change_id >= " ~ batch.low ~ " or " ~ next_call
        ~ " <= date_add(parent.call_started_at, interval 7 day)"
    ) %}
{% endmacro %}


{% macro calls_with_values_written(relation, batch, started) %}
    {% set is_written %}
        exists (
            select 1 from {{ relation }} as written
            where written.history_id = parent.history_id
                and coalesce(written.updated_at, written.created_at) >= '{{ started }}'
        )
    {% endset %}
    {% do return(is_written) %}
{% endmacro %}
