{{ config(materialized='ephemeral') }}

{#- Personal data: this never becomes a view or a table. It is read inside the statement that turns
    the number into a keyed hash and keeps the operator's side of the two names. -#}

select
    history_id,
    right(regexp_replace({{ our_text('caller_number') }}, '[^0-9]', ''), 10) as caller_digits,
    right(regexp_replace({{ our_text('called_number') }}, '[^0-9]', ''), 10) as called_digits,
    {{ without_phone('caller_info', display_text('caller_info')) }} as caller_info,
    {{ without_phone('called_info', display_text('called_info')) }} as called_info,
    {{ holds_phone('caller_info') }} as caller_is_number,
    {{ holds_phone('called_info') }} as called_is_number

from {{ source('operabot', 'call_history') }}
