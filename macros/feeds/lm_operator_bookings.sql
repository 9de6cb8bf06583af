{% macro lm_operator_bookings_full_pass(start) %}
    {% do return(period_batches(start)) %}
{% endmacro %}


{% macro lm_operator_bookings_feeds() %}
    {% do return(period_feeds()) %}
{% endmacro %}


{% macro lm_operator_bookings_changes(relation) %}
    {% do return(changed_period_batches('lm_operator_bookings', relation)) %}
{% endmacro %}
