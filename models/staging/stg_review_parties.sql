{{ config(materialized='ephemeral') }}

{%- set available = source_column_names(source('operabot', 'call_scores')) %}

{#- Personal data, as in stg_call_parties: the review's copies of the two names. -#}

{%- set caller = optional_column(available, 'caller_info') %}
{%- set called = optional_column(available, 'called_info') %}

select
    id as call_score_id,
    {{ without_phone(caller, display_text(caller)) }} as caller_info,
    {{ without_phone(called, display_text(called)) }} as called_info,
    {{ holds_phone(caller) }} as caller_is_number,
    {{ holds_phone(called) }} as called_is_number

from {{ source('operabot', 'call_scores') }}
