{% macro int_metric_inputs_full_pass(start) %}
    {% do return(key_batches(ref('fct_call'), 'history_id', start)) %}
{% endmacro %}


{% macro int_metric_inputs_feeds() %}
    {% set newest = {} %}
    {% for name in ['fct_call', 'int_review_batches', 'lm_reference'] %}
        {% do newest.update({name: newest_change(ref(name))}) %}
    {% endfor %}
    {% do return(newest) %}
{% endmacro %}


{% macro int_metric_inputs_changes(relation) %}
    {% set calls = ref('fct_call') %}
    {% set batches = [] %}
    {% for run in unseen_changes('int_metric_inputs', calls) %}
        {% do batches.append({
            'where': "change_id between " ~ run.low ~ " and " ~ run.high,
            'low': run.low,
            'feed': 'fct_call',
            'position': run.high,
            'once': true,
        }) %}
    {% endfor %}
    {% do batches.extend(
        changed_date_batches('int_metric_inputs', ref('int_review_batches'), 'review_date', 'review_date')
    ) %}
    {% do batches.extend(
        changed_date_batches('int_metric_inputs', ref('lm_reference'), 'as_of_date', 'week_start_date')
    ) %}
    {% set last_as_of = watermark('int_metric_inputs', 'clock').moment %}
    {% if last_as_of is not none and last_as_of != as_of_text() %}
        {% set last = "cast('" ~ last_as_of ~ "' as datetime)" %}
        {% for day in date_values(
            "select distinct call_date from " ~ calls
            ~ " where call_date >= cast(date_sub(least(" ~ last ~ ", " ~ as_of() ~ "), interval "
            ~ open_window_days() ~ " day) as date)"
            ~ " and call_date <= cast(greatest(" ~ last ~ ", " ~ as_of() ~ ") as date) order by 1"
        ) %}
            {% do batches.append({'where': "call_date = cast('" ~ day ~ "' as date)"}) %}
        {% endfor %}
    {% endif %}
    {% do return(batches) %}
{% endmacro %}


{% macro int_metric_inputs_changes_day(relation, batch, started) %}
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


{% macro open_window_days() %}
    {% do return(first_value(
        "select ceiling(1 + greatest(max(followup_expires_days), max(contact_hours) / 24,"
        ~ " max(complaint_promise_hours) / 24)) from " ~ ref('int_rule_params')
    ) | int) %}
{% endmacro %}
