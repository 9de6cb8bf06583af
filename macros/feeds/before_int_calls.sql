{# The calls that int_calls is about to read, whose names must be known by then. #}
{% macro feed_before_int_calls(part, relation, start, call) %}
    {% if part == 'positions' %}
        {% do return({}) %}
    {% elif part == 'full_pass' %}
        {% do return(key_batches(source('operabot', 'call_history'), 'history_id', start)) %}
    {% endif %}
    {% set calls = load_relation(this.incorporate(path={'identifier': 'int_calls'})) %}
    {% set batches = [] %}
    {% if calls is not none %}
        {% for batch in feed_int_calls(part, calls, start, call) %}
            {% do batches.append({'where': batch.where}) %}
        {% endfor %}
    {% endif %}
    {% do return(batches) %}
{% endmacro %}
