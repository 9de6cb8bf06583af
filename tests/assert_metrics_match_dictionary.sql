-- The macros and the dictionary name the same metrics, in the same groups.
with

computed as (

    {%- for name, metric in rule_metrics().items() %}
    select '{{ name }}' as metric_code, '{{ metric.group }}' as metric_group
    union all
    {%- endfor %}
    select 'lm_version', 'aux'
    union all
    select 'calc_profile', 'aux'
    union all
    select 'feature_pack', 'aux'

),

described as (

    select metric_code, metric_group from {{ ref('lm_metric_dictionary') }}
    where metric_group <> 'forecast'

)

select computed.metric_code, 'not in the dictionary, or in another group' as problem
from computed
left join described
    on computed.metric_code = described.metric_code
    and computed.metric_group = described.metric_group
where described.metric_code is null

union all

select described.metric_code, 'has no macro' as problem
from described
left join computed
    on described.metric_code = computed.metric_code
where computed.metric_code is null
