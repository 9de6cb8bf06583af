{{ config(materialized='ephemeral') }}

{%- set available = source_column_names(source('operabot', 'call_scores')) %}

{#- Personal data, as in stg_call_parties: the review's copies of the two names. -#}

{%- set caller = optional_column(available, 'caller_info') %}
{%- set called = optional_column(available, 'called_info') %}

select
    id as call_score_id,
    history_id,
    {{ without_private(caller, display_text(caller, 128), longest=128) }} as caller_info,
    {{ without_private(called, display_text(called, 128), longest=128) }} as called_info,
    {{ is_private(caller, longest=128) }} as caller_is_private,
    {{ is_private(called, longest=128) }} as called_is_private

from {{ source('operabot', 'call_scores') }}
