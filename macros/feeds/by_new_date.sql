{% macro feed_by_new_date(part, relation, start, call) %}
    {% set options = config.get('feed') %}
    {% if part == 'positions' %}
        {% do return({}) %}
    {% endif %}
    {% set dates = dates_of(
        ref(options.of), options.date, start if part == 'full_pass' else none, options.until_now
    ) %}
    {% if part == 'full_pass' %}
        {% do return(date_batches(options.column, dates)) %}
    {% endif %}
    {% set known = dates_of(relation, options.column) %}
    {% do return(date_batches(options.column, dates | reject('in', known) | list)) %}
{% endmacro %}
