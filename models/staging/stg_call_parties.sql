{{ config(materialized='ephemeral') }}

{#- Personal data: this never becomes a view or a table. It is read inside the statement that turns
    the number into a keyed hash and keeps the operator's side of the two names. -#}

select
    history_id,
    right(regexp_replace({{ our_text('caller_number') }}, '[^0-9]', ''), 10) as caller_digits,
    right(regexp_replace({{ our_text('called_number') }}, '[^0-9]', ''), 10) as called_digits,
    {{ without_private('caller_info', display_text('caller_info', 128), longest=128) }}
        as caller_info,
    {{ without_private('called_info', display_text('called_info', 128), longest=128) }}
        as called_info,
    {{ is_private('caller_info', longest=128) }} as caller_is_private,
    {{ is_private('called_info', longest=128) }} as called_is_private

from {{ source('operabot', 'call_history') }}
