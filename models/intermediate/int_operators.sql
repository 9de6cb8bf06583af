{{ config(
    materialized='incremental',
    feed={'kind': 'whole', 'every_run': true},
    unique_key=['name_key'],
    keys=['primary key (name_key)'],
    changes_in_full_pass=false,
    counts_changes=false,
    needs_caller_salt=true,
    rows_of_one_salt=true,
) }}

{%- set is_by_seed_only =
    var('lm_operators_by_seed_only') | string | lower in ('true', '1', 'yes') %}

with

sides_of_names as (

    select
        name_key,
        side,
        count(*) as callers

    from {{ ref('int_name_sightings') }}

    group by name_key, side

),

named as (

    select
        *,
        sum(case when side = 'caller' then 0 else callers end) over (partition by name_key)
            as callers_met,
        max(case when side = 'caller' then 1 else 0 end) over (partition by name_key) as is_caller

    from sides_of_names

),

-- An operator talks to many people; a caller's name comes with his own number, in his own place.
judged as (

    select
        *,
        case when callers_met >= {{ var('lm_operator_min_callers') }} then 1 else 0 end
            as meets_many

    from named

),

-- Of a column that holds callers a few common names look like operators': none is believed there.
columns_of_names as (

    select
        side,
        sum(callers * meets_many) * 1e0 / sum(callers) as operators_share

    from judged

    where side <> 'caller'

    group by side

),

seen as (

    select
        judged.name_key,
        max(case
            when judged.meets_many = 1 and judged.is_caller = 0
                and columns_of_names.operators_share >= 0.5 then 1
            else 0
        end) as is_operator

    from judged

    left join columns_of_names
        on judged.side = columns_of_names.side

    group by judged.name_key

),

named_by_the_clinic as (

    select
        {{ name_key(label_text('operator_name', 128)) }} as name_key,
        max(is_operator) as is_operator

    from {{ ref('lm_operators') }}

    group by {{ name_key(label_text('operator_name', 128)) }}

)

select
    seen.name_key,
    coalesce(
        named_by_the_clinic.is_operator,
        {{ '0' if is_by_seed_only else 'seen.is_operator' }}
    ) as is_operator

from seen

left join named_by_the_clinic
    on seen.name_key = named_by_the_clinic.name_key

union all

select
    named_by_the_clinic.name_key,
    named_by_the_clinic.is_operator

from named_by_the_clinic

left join seen
    on named_by_the_clinic.name_key = seen.name_key

where seen.name_key is null
