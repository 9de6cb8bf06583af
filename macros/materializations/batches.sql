{% macro in_batch() -%}
    /* batch */ 1 = 1
{%- endmacro %}


{% macro metrics_of_batch() -%}
    /* metrics */ 1 = 1
{%- endmacro %}


{% macro day_of_batch(name) -%}
    /* {{ name }} */ cast('1000-01-01' as date)
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


{% macro date_batches(column, dates, size=8) %}
    {% set batches = [] %}
    {% for chunk in dates | batch(size) %}
        {% do batches.append({
            'where': column ~ " in (cast('" ~ chunk | join("' as date), cast('") ~ "' as date))",
            'cursor_key': chunk[-1],
        }) %}
    {% endfor %}
    {% do return(batches) %}
{% endmacro %}


{% macro unseen_changes(relation) %}
    {% set runs = [] %}
    {% for changes in groups_of_a_batch(
        "select change_id, count(*) from " ~ relation ~ " where change_id > "
        ~ watermark(model.name, relation.identifier).position ~ " group by change_id order by change_id"
    ) %}
        {% do runs.append({'low': changes[0] | int, 'high': changes[-1] | int}) %}
    {% endfor %}
    {% do return(runs) %}
{% endmacro %}


{% macro groups_of_a_batch(query) %}
    {% set groups = [] %}
    {% set ns = namespace(rows=0) %}
    {% for row in run_query(query).rows %}
        {% set ns.rows = ns.rows + row[1] %}
        {% if not groups or ns.rows > var('lm_batch_calls') | int %}
            {% do groups.append([]) %}
            {% set ns.rows = row[1] %}
        {% endif %}
        {% do groups[-1].append(row[0]) %}
    {% endfor %}
    {% do return(groups) %}
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


{% macro dates_of(relation, column, start=none, until_now=false) %}
    {% do return(date_values(
        "select distinct " ~ column ~ " from " ~ relation ~ " where " ~ column ~ " is not null"
        ~ (" and " ~ column ~ " > '" ~ start ~ "'" if start else "")
        ~ (" and " ~ column ~ " <= cast(" ~ as_of() ~ " as date)" if until_now else "") ~ " order by 1"
    )) %}
{% endmacro %}
