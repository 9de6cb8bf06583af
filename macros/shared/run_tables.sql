{# A table of the run itself, beside the models. #}
{% macro run_table(name) -%}
    {{ target.schema }}.{{ name }}
{%- endmacro %}


{# on-run-start: the tables that runs need before the first model. #}
{% macro create_run_tables() %}
    {% if execute and flags.WHICH in ('run', 'build', 'seed') %}
        {% do run_query("
            create table if not exists " ~ run_table('lm_watermark') ~ " (
                model_name varchar(64) not null comment 'Incremental model',
                feed varchar(64) not null comment
                    'What the row keeps track of: full_pass, sequence, clock or the table whose changes are read',
                position bigint unsigned not null default 0 comment 'Last change or number done',
                cursor_key varchar(64) null comment 'Where an unfinished full pass goes on',
                fingerprint varchar(64) null comment 'Rules and SQL of the full pass',
                moment datetime null comment 'The as_of of the last finished run',
                primary key (model_name, feed)
            ) engine = InnoDB default charset = utf8mb4 collate = utf8mb4_bin
            comment = 'How far each incremental model has come'
        ") %}
        {% do run_query("
            create table if not exists " ~ run_table('lm_value_changes') ~ " (
                call_date date not null primary key,
                change_id bigint unsigned not null comment 'Change of lm_value that last touched a call of the day',
                key idx_lm_value_changes_change (change_id)
            ) engine = InnoDB default charset = utf8mb4
            comment = 'Days whose calls or values have changed: what the statistics by day read again'
        ") %}
        {% do run_query("
            create table if not exists " ~ run_table('lm_caller_salt') ~ " (
                id tinyint not null primary key,
                salt char(64) not null
            ) engine = InnoDB default charset = utf8mb4
            comment = 'Salt of caller_key, used while LM_CALLER_SALT is not set'
        ") %}
        {% do run_query("
            insert ignore into " ~ run_table('lm_caller_salt') ~ "
            select 1, sha2(concat(uuid(), rand(), now(6), connection_id()), 256)
        ") %}
        {% do run_query("commit") %}
    {% endif %}
{% endmacro %}
