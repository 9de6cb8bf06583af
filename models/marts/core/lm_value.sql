{{ config(
    materialized='incremental',
    feed={'kind': 'by_key', 'of': 'int_metric_inputs'},
    unique_key=['history_id', 'metric_code'],
    keys=[
        'primary key (id)',
        'unique key uq_lm_value_history_metric (history_id, metric_code)',
        'key idx_lm_value_history (history_id)',
        'key idx_lm_value_call_score (call_score_id)',
        'key idx_lm_value_metric_group (metric_group)',
    ],
    partitioned_by='history_id',
    foreign_keys={
        'fk_lm_value_call_history': ['history_id', 'call_history', 'history_id'],
        'fk_lm_value_call_scores': ['call_score_id', 'call_scores', 'id'],
    },
    json_columns=['value_json'],
    unwritten_columns=['id', 'created_at', 'updated_at'],
    uncompared_columns=['calc_source'],
    counts_changes=false,
    parent='int_metric_inputs',
    marks_dates='days_of_values_written',
) }}

{#- A statement a metric, each written on its own. One metric for one call:
    dbt run-operation print_metric, see CONTRIBUTING.md. -#}

{%- for code in rule_metrics() %}
{{ rows_as(code, metric_rows(code)) }}
{{ next_part() }}
{% endfor %}
{% set version = "'" ~ var('lm_version') ~ "'" -%}
{{ rows_as('lm_version', aux_rows('lm_version', version, lm_version_json())) }}
{{ next_part() }}
{{ rows_as('calc_profile', aux_rows('calc_profile', 'inputs.calc_profile', calc_profile_json())) }}
{{ next_part() }}
{{ rows_as('feature_pack', aux_rows('feature_pack', 'null', feature_pack_json())) }}
