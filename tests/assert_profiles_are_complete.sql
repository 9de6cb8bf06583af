-- Parameters name profiles that exist, default_v1 has all of them, and it takes what no other
-- profile takes.
select concat(params.calc_profile, ' has parameters and is not in lm_calc_profiles') as problem
from {{ ref('lm_rule_params') }} as params
left join {{ ref('lm_calc_profiles') }} as profiles
    on params.calc_profile = profiles.calc_profile
where profiles.calc_profile is null

union distinct

select concat(params.param, ' has no value for default_v1') as problem
from {{ ref('lm_rule_params') }} as params
left join {{ ref('lm_rule_params') }} as defaults
    on params.param = defaults.param
    and defaults.calc_profile = 'default_v1'
where defaults.param is null

union distinct

select 'default_v1 must be there, with no condition and the last priority' as problem
from (
    select count(*) as found
    from {{ ref('lm_calc_profiles') }} as profiles
    where profiles.calc_profile = 'default_v1'
        and coalesce(
            profiles.day_kind, profiles.hour_from, profiles.hour_to, profiles.weekdays,
            profiles.date_from, profiles.date_to, profiles.source_channel, profiles.service_group
        ) is null
        and profiles.priority = (
            select max(others.priority) from {{ ref('lm_calc_profiles') }} as others
        )
) as counted
where found <> 1
