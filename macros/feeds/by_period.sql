{% macro feed_by_period(part, relation, start, call) %}
    {% if part == 'full_pass' %}
        {% do return(period_batches(start)) %}
    {% endif %}
    {% set newest = newest_change(run_table('lm_value_changes')) %}
    {% if part == 'positions' %}
        {% set positions = {} %}
        {% for days in period_lengths() %}
            {% do positions.update({'period_' ~ days: newest}) %}
        {% endfor %}
        {% do return(positions) %}
    {% endif %}
    {% set last_day = first_value("select concat(" ~ last_day() ~ ")") %}
    {% set as_of_day = "cast(date_add({}, interval 1 second) as date)" %}
    {% set known = watermark(model.name, 'clock').moment %}
    {% set is_new_day = known is none or first_value(
        "select " ~ as_of_day.format(as_of()) ~ " <> " ~ as_of_day.format("cast('" ~ known ~ "' as datetime)")
    ) %}
    {% set batches = [] %}
    {% for batch in period_batches() %}
        {% set days = batch.cursor_key | int %}
        {% set feed = 'period_' ~ days %}
        {% set end = first_value("select concat(max(period_end)) from " ~ relation ~ " where " ~ batch.where) %}
        {% if is_new_day or end != last_day or (last_day is not none and first_value(
            "select count(*) from " ~ run_table('lm_value_changes')
            ~ " where change_id > " ~ watermark(model.name, feed).position
            ~ " and call_date between date_sub('" ~ last_day ~ "', interval " ~ (2 * days - 1) ~ " day)"
            ~ " and '" ~ last_day ~ "'"
        )) %}
            {% do batches.append({
                'where': batch.where, 'days': batch.days, 'feed': feed, 'position': newest,
            }) %}
        {% endif %}
    {% endfor %}
    {% do return(batches) %}
{% endmacro %}


{% macro period_batches(start=none) %}
    {% set batches = [] %}
    {% set last_day = first_value("select concat(" ~ last_day() ~ ")") %}
    {% for days in period_lengths() %}
        {% set cursor_key = '%05d' | format(days) %}
        {% if start is none or cursor_key > start %}
            {% do batches.append({
                'where': 'period_days = ' ~ days,
                'cursor_key': cursor_key,
                'days': {
                    'first_day': days_before(last_day, days - 1),
                    'first_day_before': days_before(last_day, 2 * days - 1),
                } if last_day else {},
            }) %}
        {% endif %}
    {% endfor %}
    {% do return(batches) %}
{% endmacro %}


{% macro days_before(day, days) %}
    {% do return(modules.datetime.date.fromisoformat(day) - modules.datetime.timedelta(days=days)) %}
{% endmacro %}
