{% macro feed_int_calls(part, relation, start, call) %}
    {% set history = source('operabot', 'call_history') %}
    {% set scores = source('operabot', 'call_scores') %}
    {% if part == 'full_pass' %}
        {% do return(key_batches(history, 'history_id', start)) %}
    {% elif part == 'only_call' and first_value("select 1 from " ~ relation ~ " where history_id = " ~ call) %}
        {% do return([{'where': "history_id = " ~ call}]) %}
    {% endif %}
    {# A call that is not known yet brings all before it: where the next run goes on is told by the newest
       call known. #}
    {% set newest_review = first_value("select coalesce(max(id), 0) from " ~ scores) | int %}
    {% if part == 'positions' %}
        {% do return({'reviews': newest_review}) %}
    {% endif %}
    {% set reviews_from = watermark('int_calls', 'reviews').position - var('lm_lookback_reviews') | int %}
    {% set newest_call = first_value("select coalesce(max(history_id), 0) from " ~ relation) | int %}
    {# A call dated in the future must not end the look-back. #}
    {% set before_lookback = first_value(
        "select min(history_id) - 1 from " ~ relation ~ " where entered_at >= date_sub(least("
        ~ "(select max(entered_at) from " ~ relation ~ "), " ~ as_of() ~ "), interval "
        ~ var('lm_lookback_days') ~ " day)"
    ) %}
    {% set known_until = [before_lookback | int, newest_call] | min if before_lookback is not none else newest_call %}
    {% set batches = [] %}
    {% set reviewed = run_query(
        "select distinct history_id from " ~ scores ~ " where id > " ~ [reviews_from, 0] | max
        ~ " and history_id <= " ~ known_until ~ " order by history_id"
    ).columns[0].values() %}
    {% for chunk in reviewed | batch(var('lm_batch_calls') | int) %}
        {% do batches.append({'where': "history_id in (" ~ chunk | join(", ") ~ ")"}) %}
    {% endfor %}
    {% do batches.extend(key_batches(history, 'history_id', known_until | string)) %}
    {# A name that is now known to be an operator's, or no longer: its calls are few, or it is rare. #}
    {% set renamed = run_query(
        "select calls.history_id from " ~ run_table('int_operators') ~ " as names inner join " ~ relation
        ~ " as calls on calls.operator_name_key = names.name_key"
        ~ " and calls.has_known_operator = 1 - names.is_operator order by 1"
    ).columns[0].values() if config.get('follows_names') else [] %}
    {% for chunk in renamed | batch(var('lm_batch_calls') | int) %}
        {% do batches.append({'where': "history_id in (" ~ chunk | join(", ") ~ ")"}) %}
    {% endfor %}
    {% if batches %}
        {% do batches[-1].update({'feed': 'reviews', 'position': newest_review}) %}
    {% endif %}
    {% do return(batches) %}
{% endmacro %}
