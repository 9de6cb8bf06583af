{% macro int_calls_full_pass(start) %}
    {% do return(key_batches(source('operabot', 'call_history'), 'history_id', start)) %}
{% endmacro %}


{% macro int_calls_feeds() %}
    {% do return({'reviews': first_value(
        "select coalesce(max(id), 0) from " ~ source('operabot', 'call_scores')
    ) | int}) %}
{% endmacro %}


{% macro int_calls_changes(relation) %}
    {% set scores = source('operabot', 'call_scores') %}
    {% set newest_review = int_calls_feeds().reviews %}
    {% set reviews_from = watermark('int_calls', 'reviews').position - var('lm_lookback_reviews') | int %}
    {% set newest_call = first_value("select coalesce(max(history_id), 0) from " ~ relation) | int %}
    {# A call dated in the future must not end the look-back. #}
    {% set before_lookback = first_value(
        "select min(history_id) - 1 from " ~ relation ~ " where entered_at >= date_sub(least("
        ~ "(select max(entered_at) from " ~ relation ~ "), " ~ as_of() ~ "), interval "
        ~ var('lm_lookback_days') ~ " day)"
    ) %}
    {% set start = [before_lookback | int, newest_call] | min if before_lookback is not none else newest_call %}
    {% set batches = [] %}
    {% set reviewed = run_query(
        "select distinct history_id from " ~ scores ~ " where id > " ~ [reviews_from, 0] | max
        ~ " and history_id <= " ~ start ~ " order by history_id"
    ).columns[0].values() %}
    {% for chunk in reviewed | batch(var('lm_batch_calls') | int) %}
        {% do batches.append({'where': "history_id in (" ~ chunk | join(", ") ~ ")"}) %}
    {% endfor %}
    {% do batches.extend(key_batches(source('operabot', 'call_history'), 'history_id', start | string)) %}
    {% if batches %}
        {% do batches[-1].update({'feed': 'reviews', 'position': newest_review}) %}
    {% endif %}
    {% do return(batches) %}
{% endmacro %}
