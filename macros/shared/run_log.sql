{% macro create_run_log() %}
    {% do run_query("
        create table if not exists " ~ run_table('lm_run_log') ~ " (
            id bigint unsigned not null auto_increment comment 'Order in which steps were begun',
            run_id varchar(32) not null comment 'The run: moment of its start and what tells it from others',
            step varchar(32) not null comment 'run (lm run as a whole), dbt build, dbt run, dbt seed, train, score, forecast, report',
            started_at datetime not null comment 'By the clock, local time',
            ended_at datetime null comment 'The same; null while it runs and of what was killed',
            rows_read bigint unsigned null comment 'Calls read; null where the step counts none',
            rows_written bigint unsigned null comment 'Rows written to the tables; null where the step counts none',
            status varchar(16) not null comment 'running, done, failed, time_limit, busy, interrupted, killed',
            error varchar(500) null comment 'What went wrong: names of models and tests, numbers of errors; no values',
            primary key (id),
            unique key uq_lm_run_log_run_step (run_id, step),
            key idx_lm_run_log_started_at (started_at)
        ) engine = InnoDB default charset = utf8mb4 collate = utf8mb4_bin
        comment = 'One row a run and step: when, how much, how it ended'
    ") %}
{% endmacro %}


{# The same id as python_scoring.base.rows.run_id makes; lm run gives dbt its own. #}
{% macro log_run_start() %}
    {# A call scored at once is no run. #}
    {% if only_call() %}{% do return(none) %}{% endif %}
    {% do run_query(
        "insert into " ~ run_table('lm_run_log') ~ " (run_id, step, started_at, status) values ('"
        ~ logged_run() ~ "', 'dbt " ~ flags.WHICH ~ "', " ~ clock() ~ ", 'running')"
        ~ " on duplicate key update started_at = values(started_at), ended_at = null, rows_read = null,"
        ~ " rows_written = null, status = values(status), error = null"
    ) %}
    {% do run_query("commit") %}
{% endmacro %}


{# on-run-end. Of messages only the server's number is kept: the rest may quote a row. #}
{% macro log_run_end(results) %}
    {% if execute and flags.WHICH in ('run', 'build', 'seed') and not only_call() %}
        {% set tally = namespace(read=none, written=0) %}
        {% set failed = [] %}
        {% for result in results %}
            {% set message = result.message | default('', true) | string %}
            {% if result.status | string in ('error', 'fail', 'runtime error') %}
                {% set number = modules.re.search('\\b\\d{1,4} \\(\\w+\\):', message) %}
                {% do failed.append(
                    result.node.name ~ (' ' ~ number.group(0)[:-1] if number else ' ' ~ result.status)
                ) %}
            {% elif result.node.config.materialized == 'incremental' %}
                {% set tally.written = tally.written + (result.adapter_response or {}).get('rows_affected', 0) | int %}
                {% set read = modules.re.search('(\\d+) calls read', message) %}
                {% if read %}
                    {% set tally.read = (tally.read or 0) + read.group(1) | int %}
                {% endif %}
            {% endif %}
        {% endfor %}
        {% set more = failed | length - 5 %}
        {% set error = failed[:5] | join(', ') ~ (' and ' ~ more ~ ' more' if more > 0 else '') %}
        {% do run_query("commit") %}
        {% do run_query(
            "update " ~ run_table('lm_run_log') ~ " set ended_at = " ~ clock()
            ~ ", rows_read = " ~ (tally.read if tally.read is not none else 'null')
            ~ ", rows_written = " ~ tally.written
            ~ ", status = '" ~ ('failed' if failed else 'done') ~ "'"
            ~ ", error = " ~ quoted_or_null(error[:500] if failed else none)
            ~ " where run_id = '" ~ logged_run() ~ "' and step = 'dbt " ~ flags.WHICH ~ "'"
        ) %}
        {# Two runs that end together would each wait for the row that the other has just written. #}
        {% do run_query("commit") %}
        {% do run_query(
            "delete from " ~ run_table('lm_run_log') ~ " where started_at < date_sub(" ~ clock()
            ~ ", interval " ~ var('lm_run_log_keep_days') | int ~ " day)"
        ) %}
        {% do run_query("commit") %}
    {% endif %}
{% endmacro %}


{% macro logged_run() %}
    {% set now = run_started_at + modules.datetime.timedelta(seconds=offset_now()) %}
    {% do return(env_var('LM_RUN_ID', '') or now.strftime('%Y%m%d%H%M%S') ~ '_' ~ invocation_id[:8]) %}
{% endmacro %}


{# Local time as it is, whatever as_of says. #}
{% macro clock() -%}
    date_add(utc_timestamp(), interval {{ offset_now() }} second)
{%- endmacro %}
