{# By caller, so that each batch holds all calls of its callers. #}
{% macro fct_call_full_pass(start) %}
    {% do return(key_batches(ref('int_calls'), 'contact_key', start)) %}
{% endmacro %}


{% macro fct_call_feeds() %}
    {% do return({'int_calls': newest_change(ref('int_calls'))}) %}
{% endmacro %}


{# All calls of the callers of changed calls, for their earlier and next contacts change too. #}
{% macro fct_call_changes(relation) %}
    {% set calls = ref('int_calls') %}
    {% set batches = [] %}
    {% for run in unseen_changes('fct_call', calls) %}
        {% set in_run = "change_id between " ~ run.low ~ " and " ~ run.high %}
        {% do batches.append({
            'where': "contact_key in (select touched.contact_key from ("
                ~ "select contact_key from " ~ calls ~ " where " ~ in_run
                ~ " union select previous_contact_key from " ~ calls ~ " where " ~ in_run
                ~ " and previous_contact_key is not null) as touched)",
            'feed': 'int_calls',
            'position': run.high,
            'once': true,
        }) %}
    {% endfor %}
    {% do return(batches) %}
{% endmacro %}
