{% macro in_batch() -%}
    /* batch */ 1 = 1
{%- endmacro %}


{% macro key_batches(relation, key, start=none) %}
    {% set batches = [] %}
    {% set ns = namespace(low=start) %}
    {% for _ in range(100000) %}
        {% set after = key ~ " > " ~ key_literal(key, ns.low) if ns.low is not none else "1 = 1" %}
        {# The sign in front keeps dbt from reading a key of digits as a number. #}
        {% set boundary = first_value(
            "select concat('=', max(k)) from (select " ~ key ~ " as k from " ~ relation
            ~ " where " ~ after ~ " order by " ~ key ~ " limit " ~ var('lm_batch_calls') ~ ") as batch"
        ) %}
        {% if boundary is none %}{% break %}{% endif %}
        {% set ns.low = boundary[1:] %}
        {% do batches.append({
            'where': after ~ " and " ~ key ~ " <= " ~ key_literal(key, ns.low),
            'cursor_key': ns.low,
        }) %}
    {% endfor %}
    {% do return(batches) %}
{% endmacro %}


{% macro date_batches(column, dates) %}
    {% set batches = [] %}
    {% for chunk in dates | batch(8) %}
        {% do batches.append({
            'where': column ~ " in (cast('" ~ chunk | join("' as date), cast('") ~ "' as date))",
            'cursor_key': chunk[-1],
        }) %}
    {% endfor %}
    {% do return(batches) %}
{% endmacro %}


{% macro unseen_changes(model_name, relation) %}
    {% set runs = [] %}
    {% set ns = namespace(rows=0) %}
    {% for row in run_query(
        "select change_id, count(*) from " ~ relation ~ " where change_id > "
        ~ watermark(model_name, relation.identifier).position ~ " group by change_id order by change_id"
    ).rows %}
        {% if not runs or ns.rows + row[1] > var('lm_batch_calls') | int %}
            {% do runs.append({'low': row[0] | int, 'high': row[0] | int}) %}
            {% set ns.rows = row[1] %}
        {% else %}
            {% do runs[-1].update({'high': row[0] | int}) %}
            {% set ns.rows = ns.rows + row[1] %}
        {% endif %}
    {% endfor %}
    {% do return(runs) %}
{% endmacro %}


{% macro changed_date_batches(model_name, relation, date_column, call_column) %}
    {% set batches = [] %}
    {% for row in run_query(
        "select concat('=', " ~ date_column ~ "), max(change_id) from " ~ relation
        ~ " where change_id > " ~ watermark(model_name, relation.identifier).position
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


{% macro newest_change(relation) %}
    {% do return(first_value("select coalesce(max(change_id), 0) from " ~ relation) | int) %}
{% endmacro %}


{% macro date_values(query) %}
    {% set dates = [] %}
    {% for value in run_query(query).columns[0].values() %}
        {% do dates.append(value | string) %}
    {% endfor %}
    {% do return(dates) %}
{% endmacro %}


{% macro changed_day_batches(model_name, column) %}
    {% set days = run_query(
        "select concat(call_date), change_id from " ~ run_table('lm_value_changes') ~ " where change_id > "
        ~ watermark(model_name, 'lm_value_changes').position ~ " order by change_id, call_date"
    ).rows %}
    {% set batches = [] %}
    {% for chunk in days | batch(8) %}
        {% set batch = date_batches(column, chunk | map(attribute=0) | list)[0] %}
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


{% macro newest_value_change() %}
    {% do return({'lm_value_changes': first_value(
        "select coalesce(max(change_id), 0) from " ~ run_table('lm_value_changes')
    ) | int}) %}
{% endmacro %}


{% macro day_batches(column, start) %}
    {% do return(date_batches(column, date_values(
        "select distinct call_date from " ~ ref('fct_call') ~ " where call_date is not null"
        ~ (" and call_date > '" ~ start ~ "'" if start else "") ~ " order by 1"
    ))) %}
{% endmacro %}
