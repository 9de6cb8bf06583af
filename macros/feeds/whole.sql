{% macro feed_whole(part, relation, start, call) %}
    {% if part == 'positions' %}
        {% do return({}) %}
    {% elif part == 'full_pass' or config.get('feed').every_run %}
        {% do return([{'where': '1 = 1'}]) %}
    {% endif %}
    {% do return([]) %}
{% endmacro %}
