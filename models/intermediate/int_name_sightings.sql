{{ config(
    materialized='incremental',
    feed={'kind': 'before_int_calls'},
    unique_key=['name_key', 'side', 'caller_key'],
    keys=['primary key (name_key, side, caller_key)'],
    changes_in_full_pass=false,
    counts_changes=false,
    needs_caller_salt=true,
    rows_of_one_salt=true,
) }}

{#- A name that stands where the operator's should may be the caller's: some phone systems write
    it there. What tells them apart is with whom a name was seen. Nobody's name is kept here, only
    keyed hashes. -#}

with

calls as (

    select
        history_id,
        direction

    from {{ ref('stg_call_history') }}

    where {{ in_batch() }} and direction in ('in', 'out')

),

call_parties as (

    select
        history_id,
        caller_digits,
        called_digits,
        caller_info,
        called_info

    from {{ ref('stg_call_parties') }}

    where {{ in_batch() }}

),

review_parties as (

    select
        history_id,
        caller_info,
        called_info

    from {{ ref('stg_review_parties') }}

    where {{ in_batch() }}

),

parties as (

    select
        calls.direction,
        case calls.direction
            when 'in' then call_parties.caller_digits
            else call_parties.called_digits
        end as outside_digits,
        case calls.direction
            when 'in' then call_parties.called_info
            else call_parties.caller_info
        end as own_name,
        case calls.direction
            when 'in' then call_parties.caller_info
            else call_parties.called_info
        end as outside_name

    from calls

    inner join call_parties
        on calls.history_id = call_parties.history_id

    union all

    select
        calls.direction,
        case calls.direction
            when 'in' then call_parties.caller_digits
            else call_parties.called_digits
        end,
        case calls.direction
            when 'in' then review_parties.called_info
            else review_parties.caller_info
        end,
        case calls.direction
            when 'in' then review_parties.caller_info
            else review_parties.called_info
        end

    from calls

    inner join call_parties
        on calls.history_id = call_parties.history_id

    inner join review_parties
        on calls.history_id = review_parties.history_id

)

select distinct
    {{ name_key(label_text('own_name', 128)) }} as name_key,
    direction as side,
    {{ keyed_hash('outside_digits') }} as caller_key

from parties

where own_name is not null and length(outside_digits) >= {{ var('lm_min_number_digits') }}

union distinct

select
    {{ name_key(label_text('outside_name', 128)) }},
    'caller',
    ''

from parties

where outside_name is not null
