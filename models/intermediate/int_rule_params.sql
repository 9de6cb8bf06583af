{{ config(
    materialized='incremental',
    feed={'kind': 'whole'},
    unique_key=['profile_code'],
    keys=['primary key (profile_code)'],
    more_columns='rule_param_columns',
    replaces_batches=true,
    counts_changes=false,
) }}

{#- One row a profile, one column a parameter: a profile's own number, else that of default_v1.
    A table, since a view of two hundred columns costs MariaDB a quarter of a second at every use. -#}

with

params as (

    select * from {{ ref('lm_rule_params') }}

),

profiles as (

    select distinct calc_profile from {{ ref('lm_calc_profiles') }}

)

-- Not calc_profile: metrics name the call's columns without their table.
select  -- noqa: LT02
    {%- for name in rule_param_columns() %}
    coalesce(
        max(case
            when params.param = '{{ name }}' and params.calc_profile = profiles.calc_profile
                then params.value
        end),
        max(case
            when params.param = '{{ name }}' and params.calc_profile = 'default_v1'
                then params.value
        end)
    ) * 1e0 as {{ name }},
    {%- endfor %}
    profiles.calc_profile as profile_code

from profiles

cross join params

where {{ in_batch() }}

group by profiles.calc_profile
