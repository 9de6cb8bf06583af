{%- set is_callback = "lists.metric_code = 'followup_needed_flag'" %}
{%- set due_at -%}
    cast(case
        when {{ is_callback }} then {{ json_text('due_at') }}
        else timestampadd(hour, lists.due_hours, calls.call_started_at)
    end as datetime)
{%- endset %}
{%- set priority -%}
    case
        when {{ is_callback }} then cast({{ json_text('priority') }} as signed)
        else lists.priority
    end
{%- endset %}

{#- The calls come first, by their dates: lm_value has no key that begins with the metric. -#}

select
    lists.list_code,
    lists.name_ru as list_name_ru,
    lists.name_en as list_name_en,
    calls.history_id,
    calls.call_started_at,
    calls.call_date,
    calls.operator_name,
    calls.source_channel,
    calls.service_name,
    calls.direction,
    {{ priority }} as priority,
    {{ due_at }} as due_at,
    {{ due_at }} < {{ as_of() }} as is_overdue,
    calls.attempts_14d as attempts,
    lm_value.metric_code,
    lm_value.value_numeric,
    lm_value.value_label,
    cast(json_extract(losses.value_json, '$.loss_rub') as decimal(12, 2)) as loss_rub,
    {{ sentences('ru') }} as reasons_ru,
    {{ sentences('en') }} as reasons_en,
    coalesce({{ first_action('ru') }}, lists.action_ru) as action_ru,
    coalesce({{ first_action('en') }}, lists.action_en) as action_en,
    -- Within a priority: what is nearest to its due moment, on the other lists the highest value.
    cast({{ priority }} + case
        when {{ is_callback }}
            then least(abs(timestampdiff(minute, {{ due_at }}, {{ as_of() }})), 99999) / 100000
        else (100 - lm_value.value_numeric) / 101
    end as decimal(9, 6)) as sort_key

from {{ ref('fct_call') }} as calls

cross join {{ ref('lm_action_lists') }} as lists

inner join {{ ref('lm_value') }} as lm_value
    on calls.history_id = lm_value.history_id
    and lists.metric_code = lm_value.metric_code

{{ join_value('losses', 'lost_opportunity_score') }}

{{ join_reason_texts() }}

where calls.call_date >= cast({{ days_before_now(longest_list_days()) }} as date)
    and {{ off_list_code() }} is null
