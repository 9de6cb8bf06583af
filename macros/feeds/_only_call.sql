{# What `lm score --call` reads: a call. #}

{# A call that came after the last run brings all before it: where the next run goes on is told by the
   newest call known. #}
{% macro int_calls_only_call(relation, call) %}
    {% if first_value("select history_id from " ~ relation ~ " where history_id = " ~ call) is none %}
        {% do return(int_calls_changes(relation)) %}
    {% endif %}
    {% do return([{'where': "history_id = " ~ call}]) %}
{% endmacro %}


{% macro lm_value_only_call(relation, call) %}
    {% do return([{'where': "history_id = " ~ call}]) %}
{% endmacro %}


{% macro int_metric_inputs_only_call(relation, call) %}
    {% do return([{'where': "history_id = " ~ call}]) %}
{% endmacro %}
