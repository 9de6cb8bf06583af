{% macro run_table(name) -%}
    {{ target.schema }}.{{ name }}
{%- endmacro %}


{% macro create_run_tables() %}
    {% if execute and flags.WHICH in ('run', 'build', 'seed', 'test') %}
        {% set is_first = not first_value(
            "select count(*) from information_schema.tables where table_schema = '" ~ target.schema
            ~ "' and table_name = 'lm_forecast_note'"
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
                call_date date not null,
                changed varchar(64) not null default 'call'
                    comment 'What of it: call (its facts), next_call (what came after it), or a metric by its code',
                change_id bigint unsigned not null comment 'Change of lm_value that last touched this of a call of the day',
                rule_change_id bigint unsigned null
                    comment 'The same of changes that no change of the calls tells: rules, constants, time',
                primary key (call_date, changed),
                key idx_lm_value_changes_change (change_id),
                key idx_lm_value_changes_rule_change (rule_change_id)
            ) engine = InnoDB default charset = utf8mb4 collate = utf8mb4_bin
            comment = 'Days whose calls or values have changed: what the statistics by day read again'
        ") %}
        {# A table of before 0.2 says the day alone. #}
        {% if not first_value(
            "select count(*) from information_schema.columns where table_schema = '" ~ target.schema
            ~ "' and table_name = 'lm_value_changes' and column_name = 'changed'"
        ) %}
            {% do run_query(
                "alter table " ~ run_table('lm_value_changes') ~ " add column changed varchar(64)"
                ~ " character set utf8mb4 collate utf8mb4_bin not null default 'call' after call_date"
            ) %}
            {% do run_query(
                "alter table " ~ run_table('lm_value_changes') ~ " drop primary key, add primary key (call_date, changed)"
            ) %}
        {% endif %}
        {% do run_query("
            create table if not exists " ~ run_table('lm_batch_contacts') ~ " (
                model_name varchar(64) not null comment 'Incremental model that is written',
                contact_key varchar(64) not null comment 'A contact of its batch',
                read_from bigint not null comment 'Second (start_epoch) from which the contact is read',
                write_from bigint not null comment 'Second from which its calls are written',
                primary key (model_name, contact_key)
            ) engine = InnoDB default charset = utf8mb4 collate = utf8mb4_bin
            comment = 'The contacts of the batch in work; empty between batches'
        ") %}
        {% do run_query("
            create table if not exists " ~ run_table('lm_forgotten_call') ~ " (
                history_id int unsigned not null primary key comment 'A call of a caller whom `lm forget` has erased',
                forgotten_at datetime not null default current_timestamp
            ) engine = InnoDB default charset = utf8mb4
            comment = 'Calls that no run reads again, though the sources may hold them'
        ") %}
        {% do create_run_log() %}
        {% do run_query("
            create table if not exists " ~ run_table('lm_quarantine') ~ " (
                history_id int unsigned not null comment 'The call that the statistics leave out',
                check_name varchar(128) not null comment 'The test that one of its rows fails',
                since datetime not null comment 'The as_of of the run that found it',
                todo_en varchar(255) not null comment 'What to do',
                todo_ru varchar(255) not null comment 'The same in Russian',
                primary key (history_id, check_name),
                key idx_lm_quarantine_check (check_name)
            ) engine = InnoDB default charset = utf8mb4 collate = utf8mb4_bin
            comment = 'One row a call and failed check; it goes when the check passes again'
        ") %}
        {% do create_model_tables() %}
        {% do create_forecast_tables() %}
        {% do create_scenario_tables() %}
        {% if is_first and is_embedded_engine() %}
            {# See make_lock_row. #}
            {% do run_query("select sleep(1)") %}
        {% endif %}
        {# Where versions of before kept the salt: whoever could read the schema could read it. #}
        {% if first_value(
            "select count(*) from information_schema.tables where table_schema = '" ~ target.schema
            ~ "' and table_name = 'lm_caller_salt'"
        ) %}
            {% do run_query("drop table " ~ run_table('lm_caller_salt')) %}
        {% endif %}
        {% do run_query("commit") %}
        {% do log_run_start() %}
    {% endif %}
{% endmacro %}


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


{% macro create_forecast_tables() %}
    {% set series_columns -%}
        run_id varchar(32) not null comment 'The run, as in lm_forecast_run',
        target varchar(32) not null comment 'What is forecast',
        dimension varchar(16) not null comment 'all, source, direction, operator or service',
        dimension_value varchar(255) not null comment 'Value of the dimension'
    {%- endset %}
    {% set table_end -%}
        ) engine = InnoDB default charset = utf8mb4 collate = utf8mb4_bin comment =
    {%- endset %}
    {% do run_query("
        create table if not exists " ~ run_table('lm_forecast_run') ~ " (
            id bigint unsigned not null auto_increment comment 'Order of the runs: the last one is shown',
            run_id varchar(32) not null comment 'Moment of the run and its number among those of that moment',
            made_at datetime not null comment 'The as_of of the run, local time',
            first_day date not null comment 'First day that is forecast',
            days int not null comment 'Days that are forecast',
            calls_through date not null comment 'Last day whose calls are known',
            reviews_through date null comment 'Last day whose reviews are in; null without any review',
            series int not null comment 'Series that were forecast',
            primary key (id),
            unique key uq_lm_forecast_run (run_id),
            key idx_lm_forecast_run_first_day (first_day)
        " ~ table_end ~ " 'One row a run of lm forecast'
    ") %}
    {% do run_query("
        create table if not exists " ~ run_table('lm_forecast') ~ " (
            " ~ series_columns ~ ",
            made_at datetime not null comment 'The as_of of the run, local time',
            trained_through date not null comment 'Last day that the series was learnt from',
            grain varchar(8) not null comment 'day or hour',
            period_start datetime not null comment 'Start of the day or hour, local time',
            horizon int not null comment 'Days after trained_through',
            yhat double not null comment 'Expected value',
            yhat_lo80 double not null,
            yhat_hi80 double not null,
            yhat_lo95 double not null,
            yhat_hi95 double not null,
            model varchar(64) not null comment 'What computed it',
            primary key (run_id, grain, target, dimension, dimension_value, period_start)
        " ~ table_end ~ " 'One row a run, series and day or hour'
    ") %}
    {% do run_query("
        create table if not exists " ~ run_table('lm_forecast_total') ~ " (
            " ~ series_columns ~ ",
            days int not null comment 'Length from the first day to forecast on',
            trained_through date not null comment 'Last day that the series was learnt from',
            yhat double not null comment 'Expected sum; of rates and levels the mean',
            yhat_lo80 double not null,
            yhat_hi80 double not null,
            yhat_lo95 double not null,
            yhat_hi95 double not null,
            previous_value double null comment 'The same of as many days up to trained_through',
            usual_low double null comment 'Lowest of the last eight weeks, in spans of as many days',
            usual_high double null comment 'Highest of them',
            usual_spans int not null comment 'Spans compared',
            primary key (run_id, target, dimension, dimension_value, days)
        " ~ table_end ~ " 'One row a run, series and number of days'
    ") %}
    {% do run_query("
        create table if not exists " ~ run_table('lm_forecast_backtest') ~ " (
            " ~ series_columns ~ ",
            grain varchar(8) not null comment 'day or hour',
            model varchar(64) not null comment 'Method that was tried',
            origin date not null comment 'Last day it was given',
            horizon int not null comment 'Last day of the part of the window: 7 for days 1 to 7',
            n int not null comment 'Days or hours compared',
            mase double null,
            rmsse double null,
            wape double null,
            smape double null,
            pinball80 double null,
            coverage80 double null,
            coverage95 double null,
            chosen tinyint not null comment '1 for what is or was published',
            primary key (run_id, target, dimension, dimension_value, grain, model, origin, horizon)
        " ~ table_end ~ " 'One row a run, series, method, origin and part of the window'
    ") %}
    {% do run_query("
        create table if not exists " ~ run_table('lm_forecast_note') ~ " (
            " ~ series_columns ~ ",
            grain varchar(8) not null comment 'day or hour',
            code varchar(64) not null comment 'What happened',
            text_en varchar(1000) not null,
            text_ru varchar(1000) not null,
            key idx_lm_forecast_note_run (run_id)
        " ~ table_end ~ " 'One row a run, series and reason why it was refused or fell back'
    ") %}
{% endmacro %}


{% macro create_scenario_tables() %}
    {% do run_query("
        create table if not exists " ~ run_table('lm_scenario_result') ~ " (
            run_id varchar(32) not null comment 'Moment of the run and its number among those of that moment',
            made_at datetime not null comment 'The as_of of the run, local time',
            forecast_run_id varchar(32) not null comment 'Forecast that it is compared with, as in lm_forecast_run',
            days int not null comment 'Days compared',
            scenario varchar(64) not null comment 'Name in the scenario file',
            target varchar(32) not null comment 'What is compared',
            grain varchar(8) not null comment 'day or total',
            period_start date not null comment 'The day; of a total the first one',
            baseline double not null comment 'Forecast',
            baseline_lo95 double not null,
            baseline_lo80 double not null,
            baseline_hi80 double not null,
            baseline_hi95 double not null,
            scenario_value double not null comment 'Expected under the scenario',
            scenario_lo95 double not null,
            scenario_lo80 double not null,
            scenario_hi80 double not null,
            scenario_hi95 double not null,
            difference double not null comment 'scenario_value less baseline',
            difference_lo95 double not null,
            difference_lo80 double not null,
            difference_hi80 double not null,
            difference_hi95 double not null,
            primary key (run_id, scenario, target, grain, period_start),
            key idx_lm_scenario_result_made_at (made_at)
        ) engine = InnoDB default charset = utf8mb4 collate = utf8mb4_bin
        comment = 'One row a run, scenario, target and day or total'
    ") %}
    {% do run_query("
        create table if not exists " ~ run_table('lm_scenario_done') ~ " (
            run_id varchar(32) not null comment 'The run, as in lm_scenario_result',
            scenario varchar(64) not null comment 'Name in the scenario file',
            done_from date not null comment 'First day on which it was carried out',
            marked_at datetime not null comment 'The as_of of the mark, local time',
            primary key (run_id, scenario)
        ) engine = InnoDB default charset = utf8mb4 collate = utf8mb4_bin
        comment = 'One row a scenario that was carried out; its run is never pruned'
    ") %}
{% endmacro %}
