{% macro watermark(model_name, feed) %}
    {% set found = run_query(
        "select position, concat('=', cursor_key), fingerprint, concat(moment) from "
        ~ run_table('lm_watermark') ~ " where model_name = '" ~ model_name ~ "' and feed = '" ~ feed ~ "'"
    ) %}
    {% if found.rows %}
        {% set row = found.rows[0] %}
        {% do return({
            'known': true,
            'position': row[0] | int,
            'cursor_key': row[1][1:] if row[1] is not none else none,
            'fingerprint': row[2],
            'moment': row[3] | string if row[3] is not none else none,
        }) %}
    {% endif %}
    {% do return({'known': false, 'position': 0, 'cursor_key': none, 'fingerprint': none, 'moment': none}) %}
{% endmacro %}


{% macro set_watermark(model_name, feed, position=0, cursor_key=none, fingerprint=none, moment=none) %}
    {% do run_query(
        "insert into " ~ run_table('lm_watermark')
        ~ " (model_name, feed, position, cursor_key, fingerprint, moment) values ('"
        ~ model_name ~ "', '" ~ feed ~ "', " ~ position
        ~ ", " ~ quoted_or_null(cursor_key) ~ ", " ~ quoted_or_null(fingerprint)
        ~ ", " ~ quoted_or_null(moment) ~ ") on duplicate key update position = values(position),"
        ~ " cursor_key = values(cursor_key), fingerprint = values(fingerprint), moment = values(moment)"
    ) %}
{% endmacro %}


{% macro quoted_or_null(value) -%}
    {%- if value is none -%} null {%- else -%} '{{ value | string | replace("'", "''") }}' {%- endif -%}
{%- endmacro %}


{% macro key_literal(key, value) -%}
    {%- if key == 'history_id' -%} {{ value | int }} {%- else -%} {{ quoted_or_null(value) }} {%- endif -%}
{%- endmacro %}


{% macro first_value(query) %}
    {% set values = run_query(query).columns[0].values() %}
    {% do return(values[0] if values else none) %}
{% endmacro %}


{% macro is_embedded_engine() %}
    {% do return('oceanbase' in first_value("select lower(version())")) %}
{% endmacro %}


{% macro is_mariadb() %}
    {% do return('mariadb' in first_value("select lower(version())")) %}
{% endmacro %}


{% macro make_lock_row() %}
    {% call statement('make_lock_row', auto_begin=false) %}
        insert ignore into {{ run_table('lm_watermark') }} (model_name, feed) values ('{{ model.name }}', 'lock')
    {% endcall %}
    {% set is_first = load_result('make_lock_row').response.rows_affected == 1 %}
    {% do run_query("commit") %}
    {% if not is_first and load_relation(this) is none and is_embedded_engine() %}
        {% do run_query("select sleep(1)") %}
    {% endif %}
{% endmacro %}


{% macro hold_lock(model_name) %}
    {% do run_query(
        "select position from " ~ run_table('lm_watermark') ~ " where model_name = '" ~ model_name
        ~ "' and feed = 'lock' for update"
    ) %}
{% endmacro %}
