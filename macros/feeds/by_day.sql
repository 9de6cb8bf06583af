{% macro feed_by_day(part, relation, start, call) %}
    {% if part == 'positions' %}
        {% do return({'lm_value_changes': newest_change(run_table('lm_value_changes'))}) %}
    {% elif part == 'full_pass' %}
        {% do return(date_batches('stat_date', dates_of(ref('fct_call'), 'call_date', start))) %}
    {% endif %}
    {% set is_by_metric = config.get('feed').by_metric %}
    {% set is_read = "changed <> 'next_call'" if is_by_metric
        else "changed in ('call', 'next_call', '" ~ config.get('feed').reads | join("', '") ~ "')" %}
    {% set groups = [] %}
    {% for day in run_query(
        "select concat(call_date), max(change_id), group_concat(changed order by changed)"
        ~ " from " ~ run_table('lm_value_changes') ~ " where change_id > "
        ~ watermark(model.name, 'lm_value_changes').position
        ~ " and " ~ is_read ~ " group by call_date order by 2, 1"
    ).rows %}
        {% set changed = day[2].split(',') %}
        {# With the call itself the slices change that it is counted in: of all metrics. #}
        {% set metrics = changed if is_by_metric and 'call' not in changed else [] %}
        {% set group = groups | selectattr('change', 'eq', day[1] | int) | selectattr('metrics', 'eq', metrics) | first %}
        {% if group %}
            {% do group.days.append(day[0]) %}
        {% else %}
            {% do groups.append({'change': day[1] | int, 'metrics': metrics, 'days': [day[0]]}) %}
        {% endif %}
    {% endfor %}
    {% set batches = [] %}
    {% for group in groups %}
        {% set is_last_group = loop.last or groups[loop.index].change > group.change %}
        {% for days in group.days | batch(8 if not group.metrics else 24) %}
            {% set batch = date_batches('stat_date', days, days | length)[0] %}
            {% set is_last = is_last_group and loop.last %}
            {# The days of one change may be in several batches: only the last of them says that it is done. #}
            {% do batch.update({
                'feed': 'lm_value_changes',
                'cursor_key': none,
                'position': group.change if is_last else group.change - 1,
                'once': is_last,
                'metrics': "metric_code in ('" ~ group.metrics | join("', '") ~ "')" if group.metrics else none,
            }) %}
            {% do batches.append(batch) %}
        {% endfor %}
    {% endfor %}
    {% do return(batches) %}
{% endmacro %}
