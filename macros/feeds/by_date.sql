{% macro feed_by_date(part, relation, start, call) %}
    {% set column = config.get('feed').column %}
    {% set calls = ref('fct_call') %}
    {% if part == 'positions' %}
        {% do return({'fct_call': newest_change(calls)}) %}
    {% elif part == 'full_pass' %}
        {% do return(date_batches(column, dates_of(calls, column, start))) %}
    {% endif %}
    {% set newest = newest_change(calls) %}
    {% set unseen = "change_id > " ~ watermark(model.name, 'fct_call').position %}
    {% set batches = date_batches(column, date_values(
        "select " ~ column ~ " from " ~ calls ~ " where " ~ unseen ~ " and " ~ column ~ " is not null"
        ~ " union select previous_" ~ column ~ " from " ~ calls
        ~ " where " ~ unseen ~ " and previous_" ~ column ~ " is not null order by 1"
    )) %}
    {% if batches %}
        {% do batches[-1].update({'feed': 'fct_call', 'position': newest}) %}
    {% endif %}
    {% do return(batches) %}
{% endmacro %}
