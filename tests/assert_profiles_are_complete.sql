-- Parameters name profiles that exist, default_v1 has all of them, and it takes what no other profile takes.
select concat(params.calc_profile, ' has parameters and is not in lm_calc_profiles') as problem
from {{ ref('lm_rule_params') }} as params
left join {{ ref('lm_calc_profiles') }} as profiles
    on params.calc_profile = profiles.calc_profile
where profiles.calc_profile is null

union

select concat(params.param, ' has no value for default_v1') as problem
from {{ ref('lm_rule_params') }} as params
left join {{ ref('lm_rule_params') }} as defaults
    on params.param = defaults.param
    and defaults.calc_profile = 'default_v1'
where defaults.param is null

union

select 'default_v1 must be there, with no condition and the last priority' as problem
from (
    select count(*) as found
    from {{ ref('lm_calc_profiles') }} as profiles
    where calc_profile = 'default_v1'
        and coalesce(
            day_kind, hour_from, hour_to, weekdays, date_from, date_to, source_channel, service_group
        ) is null
        and priority = (select max(priority) from {{ ref('lm_calc_profiles') }})
) as counted
where found <> 1
