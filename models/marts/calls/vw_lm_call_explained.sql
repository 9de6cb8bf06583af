{#- Filters on history_id, call_date and metric_code reach the keys of lm_value and fct_call, for
    MySQL merges this into the query that reads it: no step of its own, no subquery in a column. -#}

select
    lm_value.history_id,
    calls.call_started_at,
    calls.call_date,
    lm_value.metric_group,
    lm_value.metric_code,
    metrics.name_ru as metric_name_ru,
    metrics.name_en as metric_name_en,
    lm_value.value_numeric,
    lm_value.value_label,
    {{ json_text('status') }} as status,
    {{ sentences('ru') }} as reasons_ru,
    {{ sentences('en') }} as reasons_en,
    {{ gate_code() }} as gate,
    coalesce(gates.sentence_ru, {{ gate_code() }}) as gate_ru,
    coalesce(gates.sentence_en, {{ gate_code() }}) as gate_en,
    {%- for language in ['ru', 'en'] %}
    nullif(
        concat_ws('. ', missing_0.sentence_{{ language }}, missing_1.sentence_{{ language }}), ''
    ) as missing_{{ language }},
    {%- endfor %}
    {%- for language in ['ru', 'en'] %}
    -- A follow-up that is closed asks for nothing more.
    case
        when lists.metric_code = 'followup_needed_flag' and lm_value.value_numeric = 0 then null
        else coalesce(gates.action_{{ language }}, {{ first_action(language) }})
    end as action_{{ language }},
    {%- endfor %}
    lists.list_code,
    case when lists.list_code is not null then {{ off_list_code() }} is null end as is_on_list,
    {{ off_list_code() }} as off_list_code,
    coalesce(off_list.sentence_ru, {{ off_list_code() }}) as off_list_ru,
    coalesce(off_list.sentence_en, {{ off_list_code() }}) as off_list_en,
    lm_value.calc_method,
    lm_value.lm_version

from {{ ref('lm_value') }} as lm_value

inner join {{ ref('fct_call') }} as calls
    on lm_value.history_id = calls.history_id

left join {{ ref('lm_metric_dictionary') }} as metrics
    on lm_value.metric_code = metrics.metric_code

left join {{ ref('lm_action_lists') }} as lists
    on lm_value.metric_code = lists.metric_code

{{ join_reason_texts() }}

left join {{ ref('int_reason_texts') }} as gates
    on lm_value.metric_code = gates.metric_code
    and {{ gate_code() }} = gates.reason_code
{%- for place in [0, 1] %}

left join {{ ref('int_reason_texts') }} as missing_{{ place }}
    on lm_value.metric_code = missing_{{ place }}.metric_code
    and {{ json_text('missing[' ~ place ~ ']') }} = missing_{{ place }}.reason_code
{%- endfor %}

left join {{ ref('int_reason_texts') }} as off_list
    on lm_value.metric_code = off_list.metric_code
    and {{ off_list_code() }} = off_list.reason_code
