{{ config(materialized='ephemeral') }}

{%- set available = source_column_names(source('operabot', 'call_scores')) %}

{#- Personal data, as in stg_call_parties: the review's copies of the two names. -#}

select
    id as call_score_id,
    {%- for name in ['caller_info', 'called_info'] %}
    {%- set raw = optional_column(available, name) %}
    {{ without_phone(raw, display_text(raw)) }} as {{ name }}{{ ',' if not loop.last }}
    {%- endfor %}

from {{ source('operabot', 'call_scores') }}
