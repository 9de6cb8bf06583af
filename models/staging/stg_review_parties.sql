{{ config(materialized='ephemeral') }}

{%- set available = source_column_names(source('operabot', 'call_scores')) %}

{#- Personal data, as in stg_call_parties: the review's copies of the two names. -#}

select
    id as call_score_id,
    {{ display_text(optional_column(available, 'caller_info')) }} as caller_info,
    {{ display_text(optional_column(available, 'called_info')) }} as called_info

from {{ source('operabot', 'call_scores') }}
