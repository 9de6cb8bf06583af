{% macro feed_by_day(part, relation, start, call) %}
    {% if part == 'positions' %}
        {% do return({'lm_value_changes': newest_change(run_table('lm_value_changes'))}) %}
    {% elif part == 'full_pass' %}
        {% do return(date_batches('stat_date', dates_of(ref('fct_call'), 'call_date', start))) %}
    {% endif %}
    {% set days = run_query(
        "select concat(call_date), change_id from " ~ run_table('lm_value_changes') ~ " where change_id > "
        ~ watermark(model.name, 'lm_value_changes').position ~ " order by change_id, call_date"
    ).rows %}
    {% set batches = [] %}
    {% for chunk in days | batch(8) %}
        {% set batch = date_batches('stat_date', chunk | map(attribute=0) | list)[0] %}
        {% do batch.update({'feed': 'lm_value_changes', 'cursor_key': none}) %}
        {% set following = days[loop.index0 * 8 + 8] %}
        {# The days of one change may be in two batches: only the last of them says that it is done. #}
        {% if following and following[1] == chunk[-1][1] %}
            {% do batch.update({'position': chunk[-1][1] | int - 1}) %}
        {% else %}
            {% do batch.update({'position': chunk[-1][1] | int, 'once': true}) %}
        {% endif %}
        {% do batches.append(batch) %}
    {% endfor %}
    {% do return(batches) %}
{% endmacro %}
