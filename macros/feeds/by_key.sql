{% macro feed_by_key(part, relation, start, call) %}
    {% set options = config.get('feed') %}
    {% set dates = options.dates or {} %}
    {% if part == 'positions' %}
        {% set newest = {} %}
        {% for name in [options.of] + dates.keys() | list %}
            {% do newest.update({name: newest_change(ref(name))}) %}
        {% endfor %}
        {% do return(newest) %}
    {% elif part == 'full_pass' %}
        {% do return(key_batches(ref(options.of), 'history_id', start)) %}
    {% elif part == 'only_call' %}
        {% do return([{'where': "history_id = " ~ call}]) %}
    {% endif %}
    {% set batches = [] %}
    {% for run in unseen_changes(ref(options.of)) %}
        {% do batches.append({
            'where': "change_id between " ~ run.low ~ " and " ~ run.high,
            'low': run.low,
            'feed': options.of,
            'position': run.high,
            'once': true,
        }) %}
    {% endfor %}
    {% for name, columns in dates.items() %}
        {% do batches.extend(calls_of_changed_dates(ref(name), *columns)) %}
    {% endfor %}
    {% if options.open_days %}
        {% do batches.extend(calls_of_open_days(ref(options.of), context[options.open_days])) %}
    {% endif %}
    {% do return(batches) %}
{% endmacro %}


{% macro calls_of_changed_dates(relation, date_column, call_column) %}
    {% set batches = [] %}
    {% for row in run_query(
        "select concat('=', " ~ date_column ~ "), max(change_id) from " ~ relation
        ~ " where change_id > " ~ watermark(model.name, relation.identifier).position
        ~ " group by " ~ date_column ~ " order by 2"
    ).rows %}
        {# The dates of one change are one batch: its position says that all of them are done. #}
        {% if not batches or batches[-1].position != row[1] | int %}
            {% do batches.append({
                'dates': [], 'feed': relation.identifier, 'position': row[1] | int, 'once': true,
            }) %}
        {% endif %}
        {% do batches[-1].dates.append("cast('" ~ row[0][1:] ~ "' as date)") %}
    {% endfor %}
    {% for batch in batches %}
        {% do batch.update({'where': call_column ~ " in (" ~ batch.dates | join(", ") ~ ")"}) %}
    {% endfor %}
    {% do return(batches) %}
{% endmacro %}


{% macro calls_of_open_days(relation, open_days) %}
    {% set batches = [] %}
    {% set last_as_of = watermark(model.name, 'clock').moment %}
    {% if last_as_of is not none and last_as_of != as_of_text() %}
        {% set last = "cast('" ~ last_as_of ~ "' as datetime)" %}
        {% for days in groups_of_a_batch(
            "select concat(call_date), count(*) from " ~ relation
            ~ " where call_date >= cast(date_sub(least(" ~ last ~ ", " ~ as_of() ~ "), interval "
            ~ open_days() ~ " day) as date)"
            ~ " and call_date <= cast(greatest(" ~ last ~ ", " ~ as_of() ~ ") as date) group by call_date order by 1"
        ) %}
            {% do batches.extend(date_batches('call_date', days, days | length)) %}
        {% endfor %}
    {% endif %}
    {% do return(batches) %}
{% endmacro %}


{% macro open_window_days() %}
    {% do return(first_value(
        "select ceiling(1 + greatest(max(followup_expires_days), max(contact_hours) / 24,"
        ~ " max(late_booking_days),"
        ~ " max(complaint_promise_hours) / 24)) from " ~ ref('int_rule_params')
    ) | int) %}
{% endmacro %}
