{# Tests of rows: a call whose row fails is put into lm_quarantine and left out of the statistics, and the run goes on.
   Asked for by `meta={'quarantines': {'todo_en': ..., 'todo_ru': ...}}` in a test's config; its rows name history_id.
   All other tests are dbt's own, and stop what stands on what they test. #}
{% materialization test, adapter='operabot_mysql' %}
    {% if not (config.get('meta') or {}).get('quarantines') %}
        {% do return(dbt.materialization_test_default()) %}
    {% endif %}
    {% set failing = failing_calls() %}
    {# One call may be bad; when so many are, or a row names none, it is the rules that are wrong. #}
    {% set is_structural = failing.without_call or failing.calls | length > quarantine_limit() %}
    {% if not is_structural %}
        {% do put_into_quarantine(failing.calls) %}
    {% endif %}
    {% set failures = failing.calls | length + failing.without_call %}
    {% call statement('main', fetch_result=True) %}
        select
            {{ failures }} as failures,
            {{ 'true' if failures else 'false' }} as should_warn,
            {{ 'true' if is_structural else 'false' }} as should_error
    {% endcall %}
    {% do return({'relations': []}) %}
{% endmaterialization %}


{% macro failing_calls() %}
    {% set found = run_query("select distinct history_id from (\n" ~ sql ~ "\n) as failing") %}
    {% set calls = found.columns[0].values() | reject('none') | map('int') | sort %}
    {% do return({'calls': calls, 'without_call': found.rows | length - calls | length}) %}
{% endmacro %}


{% macro quarantine_limit() %}
    {% set calls = first_value("select count(*) from " ~ run_table('fct_call')) | int %}
    {% do return([10, (calls * var('lm_quarantine_max_share') | float) | int] | max) %}
{% endmacro %}


{% macro put_into_quarantine(calls) %}
    {% set table = run_table('lm_quarantine') %}
    {% set todo = config.get('meta').quarantines %}
    {% set known = run_query(
        "select history_id from " ~ table ~ " where check_name = '" ~ model.name ~ "'"
    ).columns[0].values() | map('int') | list %}
    {% set added = calls | reject('in', known) | list %}
    {% set gone = known | reject('in', calls) | list %}
    {% for chunk in added | batch(1000) %}
        {% do run_query(
            "insert into " ~ table ~ " (history_id, check_name, since, todo_en, todo_ru) values ("
            ~ chunk | join(", '" ~ model.name ~ "', " ~ as_of() ~ ", " ~ quoted_or_null(todo.todo_en) ~ ", "
                ~ quoted_or_null(todo.todo_ru) ~ "), (")
            ~ ", '" ~ model.name ~ "', " ~ as_of() ~ ", " ~ quoted_or_null(todo.todo_en) ~ ", "
            ~ quoted_or_null(todo.todo_ru) ~ ")"
        ) %}
    {% endfor %}
    {% for chunk in gone | batch(1000) %}
        {% do run_query(
            "delete from " ~ table ~ " where check_name = '" ~ model.name ~ "' and history_id in ("
            ~ chunk | join(', ') ~ ")"
        ) %}
    {% endfor %}
    {% for chunk in (added + gone) | batch(1000) %}
        {% do mark_days_of_calls(chunk) %}
    {% endfor %}
    {% do run_query("commit") %}
{% endmacro %}


{# The statistics by day read these days again. #}
{% macro mark_days_of_calls(calls) %}
    {% do hold_lock('lm_value') %}
    {% set number = next_change('lm_value') %}
    {% do run_query(
        "insert into " ~ run_table('lm_value_changes') ~ " (call_date, change_id, rule_change_id)"
        ~ " select distinct call_date, " ~ number ~ ", " ~ number ~ " from " ~ run_table('fct_call')
        ~ " where history_id in (" ~ calls | join(', ') ~ ") and call_date is not null"
        ~ " on duplicate key update change_id = values(change_id), rule_change_id = values(rule_change_id)"
    ) %}
{% endmacro %}
