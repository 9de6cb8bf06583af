{% macro lm_value_full_pass(start) %}
    {% do return(key_batches(ref('int_metric_inputs'), 'history_id', start)) %}
{% endmacro %}


{% macro lm_value_feeds() %}
    {% do return({'int_metric_inputs': newest_change(ref('int_metric_inputs'))}) %}
{% endmacro %}


{% macro lm_value_changes(relation) %}
    {% set batches = [] %}
    {% for run in unseen_changes('lm_value', ref('int_metric_inputs')) %}
        {% do batches.append({
            'where': "change_id between " ~ run.low ~ " and " ~ run.high,
            'feed': 'int_metric_inputs',
            'position': run.high,
            'once': true,
        }) %}
    {% endfor %}
    {% do return(batches) %}
{% endmacro %}


{% macro lm_value_changes_day(relation, batch, started) %}
    {% set is_written %}
        exists (
            select 1 from {{ relation }} as written
            where written.history_id = parent.history_id
                and coalesce(written.updated_at, written.created_at) >= '{{ started }}'
        )
    {% endset %}
    {% do return(is_written) %}
{% endmacro %}
