{# A table of the run itself, beside the models. #}
{% macro run_table(name) -%}
    {{ target.schema }}.{{ name }}
{%- endmacro %}


{# on-run-start: the tables that runs need before the first model. #}
{% macro create_run_tables() %}
    {% if execute and flags.WHICH in ('run', 'build', 'seed') %}
        {% set is_first = not first_value(
            "select count(*) from information_schema.tables where table_schema = '" ~ target.schema
            ~ "' and table_name = 'lm_model_drift'"
        ) %}
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
                rule_change_id bigint unsigned null
                    comment 'The same of changes that no change of the calls tells: rules, constants, time',
                key idx_lm_value_changes_change (change_id),
                key idx_lm_value_changes_rule_change (rule_change_id)
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
        {% do create_model_tables() %}
        {% if is_first and is_embedded_engine() %}
            {# See make_lock_row. #}
            {% do run_query("select sleep(1)") %}
        {% endif %}
        {% do run_query("
            insert ignore into " ~ run_table('lm_caller_salt') ~ "
            select 1, sha2(concat(uuid(), rand(), now(6), connection_id()), 256)
        ") %}
        {% do run_query("commit") %}
    {% endif %}
{% endmacro %}


{# What `lm train` and `lm score` write beside lm_value: documented in models/marts/_model_sources.yml. #}
{% macro create_model_tables() %}
    {% do run_query("
        create table if not exists " ~ run_table('lm_model_run') ~ " (
            id bigint unsigned not null auto_increment comment 'Order of the trainings: the last one of a metric scores',
            run_id varchar(32) not null comment 'The training, its metrics together',
            metric_code varchar(64) not null comment 'What is predicted',
            calc_method varchar(32) not null comment 'What scores: empirical_bayes, regression, gbm',
            lm_version varchar(32) not null comment 'Version of rules and model, as in the lm_value rows it computes',
            trained_at datetime not null comment 'The as_of of the training, local time',
            train_from datetime null comment 'First call it learnt from',
            train_to datetime null comment 'Last call it learnt from',
            label_horizon_days int not null comment 'Days in which the event counts',
            n_train int not null comment 'Calls it learnt from',
            n_positive int not null comment 'Those of them that the event followed',
            n_test int not null comment 'Later calls it was judged by',
            auc double null,
            pr_auc double null,
            brier double null,
            brier_base double null comment 'Brier score of the base rates on the same calls',
            log_loss double null,
            ece double null comment 'Expected calibration error, ten bins of equal size',
            published tinyint not null comment '1: a trained model scores; 0: base rates do',
            reason varchar(255) not null comment 'Why it was published or not',
            features json not null comment 'Names of the inputs',
            artifact_sha256 char(64) not null comment 'Checksum of the model file: no other file is loaded',
            primary key (id),
            unique key uq_lm_model_run (run_id, metric_code),
            key idx_lm_model_run_metric (metric_code, lm_version)
        ) engine = InnoDB default charset = utf8mb4 collate = utf8mb4_bin
        comment = 'One row a training and metric'
    ") %}
    {% do run_query("
        create table if not exists " ~ run_table('lm_model_drift') ~ " (
            metric_code varchar(64) not null comment 'What is predicted',
            feature varchar(64) not null comment 'Input, or probability for the predictions themselves',
            lm_version varchar(32) not null comment 'The model that was compared',
            measured_at datetime not null comment 'The as_of of the comparison',
            first_day date not null comment 'First day of the recent calls',
            last_day date not null comment 'Last day of the recent calls',
            calls int not null comment 'Recent calls compared',
            psi double not null comment 'Population stability index against the training calls',
            primary key (metric_code, feature)
        ) engine = InnoDB default charset = utf8mb4 collate = utf8mb4_bin
        comment = 'One row a metric in use and input: how far recent calls are from the training calls'
    ") %}
{% endmacro %}
