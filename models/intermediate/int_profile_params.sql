{{ config(
    materialized='incremental',
    feed={'kind': 'whole'},
    unique_key=['profile_code', 'param'],
    keys=['primary key (profile_code, param)'],
    replaces_batches=true,
    counts_changes=false,
) }}

{#- One row a profile and parameter, for those found by the value of a column: join_param(). -#}

with

params as (

    select * from {{ ref('lm_rule_params') }}

),

profiles as (

    select distinct calc_profile from {{ ref('lm_calc_profiles') }}

)

select
    profiles.calc_profile as profile_code,
    params.param,
    coalesce(
        max(case when params.calc_profile = profiles.calc_profile then params.value end),
        max(case when params.calc_profile = 'default_v1' then params.value end)
    ) * 1e0 as value

from profiles

cross join params

where {{ in_batch() }}

group by profiles.calc_profile, params.param
