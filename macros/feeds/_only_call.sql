{# What `lm score --call` reads: a call, and of the caller's other calls only what places it among them. #}

{# A call that came after the last run brings all before it: where the next run goes on is told by the
   newest call known. #}
{% macro int_calls_only_call(relation, call) %}
    {% if first_value("select history_id from " ~ relation ~ " where history_id = " ~ call) is none %}
        {% do return(int_calls_changes(relation)) %}
    {% endif %}
    {% do return([{'where': "history_id = " ~ call}]) %}
{% endmacro %}


{% macro fct_call_only_call(relation, call) %}
    {% set of_call = " from " ~ ref('int_calls') ~ " where history_id = " ~ call %}
    {% do return([{
        'where': "contact_key in (select touched.contact_key from (select contact_key" ~ of_call
            ~ " union select previous_contact_key" ~ of_call
            ~ " and previous_contact_key is not null) as touched)",
    }]) %}
{% endmacro %}


{% macro lm_value_only_call(relation, call) %}
    {% do return([{'where': "history_id = " ~ call}]) %}
{% endmacro %}
