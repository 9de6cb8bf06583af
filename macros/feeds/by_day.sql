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
    {# By the oldest change of a day: what a crash leaves behind of it must come after the position noted. #}
    {% for day in run_query(
        "select concat(call_date), min(change_id), max(change_id), group_concat(changed order by changed)"
        ~ " from " ~ run_table('lm_value_changes') ~ " where change_id > "
        ~ watermark(model.name, 'lm_value_changes').position
        ~ " and " ~ is_read ~ " group by call_date order by 2, 1"
    ).rows %}
        {% set changed = day[3].split(',') %}
        {# With the call itself the slices change that it is counted in: of all metrics. #}
        {% set metrics = changed if is_by_metric and 'call' not in changed else [] %}
        {% set group = groups | selectattr('oldest', 'eq', day[1] | int) | selectattr('metrics', 'eq', metrics) | first %}
        {% if not group %}
            {% set group = {'oldest': day[1] | int, 'newest': 0, 'metrics': metrics, 'days': []} %}
            {% do groups.append(group) %}
        {% endif %}
        {% do group.days.append(day[0]) %}
        {% do group.update({'newest': [group.newest, day[2] | int] | max}) %}
    {% endfor %}
    {% set newest = groups | map(attribute='newest') | max if groups else 0 %}
    {% set batches = [] %}
    {% for group in groups %}
        {% set next = newest + 1 if loop.last else groups[loop.index].oldest %}
        {% set is_last_group = next > group.oldest %}
        {% for days in group.days | batch(8 if not group.metrics else 24) %}
            {% set batch = date_batches('stat_date', days, days | length)[0] %}
            {% set is_last = is_last_group and loop.last %}
            {# The days of one change may be in several batches: only the last of them says that it is done. #}
            {% do batch.update({
                'feed': 'lm_value_changes',
                'cursor_key': none,
                'position': (next if is_last else group.oldest) - 1,
                'done_from': group.newest,
                'once': is_last,
                'metrics': "metric_code in ('" ~ group.metrics | join("', '") ~ "')" if group.metrics else none,
            }) %}
            {% do batches.append(batch) %}
        {% endfor %}
    {% endfor %}
    {% do return(batches) %}
{% endmacro %}
