{#- One row a profile, one column a parameter: a profile's own number, else that of default_v1. -#}

{%- set names = [] -%}
{%- if execute and load_relation(ref('lm_rule_params')) is not none -%}
    {%- set names = run_query(
        "select distinct param from " ~ ref('lm_rule_params') ~ " order by param"
    ).columns[0].values() -%}
{%- endif -%}

with

params as (

    select * from {{ ref('lm_rule_params') }}

),

profiles as (

    select distinct calc_profile from {{ ref('lm_calc_profiles') }}

)

select
    profiles.calc_profile
    {%- for name in names %},
    coalesce(
        max(case
            when params.param = '{{ name }}' and params.calc_profile = profiles.calc_profile
                then params.value
        end),
        max(case
            when params.param = '{{ name }}' and params.calc_profile = 'default_v1'
                then params.value
        end)
    ) * 1e0 as {{ name }}
    {%- endfor %}

from profiles

cross join params

group by profiles.calc_profile
