{#- Triggers of complaint_risk_flag that come after the call: a promise not kept, a dropped caller
    who rings back. A forecast made at the end of the call must not know them. -#}
{%- set later_triggers = {'PROMISE_NOT_KEPT': 'promise_not_kept', 'DROPPED': 'dropped'} -%}

with

params as (

    select
        {{ rule_param('complaint_promise_not_kept') }} as promise_not_kept_points,
        {{ rule_param('complaint_dropped') }} as dropped_points

),

calls as (

    select * from {{ ref('fct_call') }}

),

log_start as (

    select min(call_date) as first_date
    from {{ ref('fct_call') }}

)

select
    calls.history_id,
    inputs.change_id,
    calls.call_score_id,
    calls.call_date,
    calls.call_started_at,
    calls.caller_key,
    datediff(calls.call_date, log_start.first_date) as log_days,
    calls.is_last_of_caller,
    calls.reviewed_at,
    {{ first_gate({
        'INTERNAL': "calls.direction = 'internal'",
        'NO_REVIEW': "calls.is_reviewed = 0",
        'EXCLUDED_CATEGORY': "calls.is_excluded_category = 1",
        'NOT_TARGET': "calls.is_target = 0",
        'SERVICE_CALL': "calls.is_service_call = 1",
        'ALREADY_BOOKED': "calls.is_booked = 1",
        'BAD_VALUE': "calls.call_started_at is null",
        'FREQUENT_NUMBER': "calls.is_frequent_number = 1",
        'NO_NUMBER': "calls.caller_key is null",
    }) }} as conversion_prob_forecast_gate,
    {{ first_gate({
        'INTERNAL': "calls.direction = 'internal'",
        'EXCLUDED_CATEGORY': "calls.call_category in ('spam', 'autoinformer')",
        'BAD_VALUE': "calls.call_started_at is null",
        'FREQUENT_NUMBER': "calls.is_frequent_number = 1",
        'NO_NUMBER': "calls.caller_key is null",
    }) }} as second_call_prob_gate,
    coalesce(
        case when calls.call_category = 'complaint' then 'ALREADY_COMPLAINT' end,
        cast(json_unquote(json_extract(flag.value_json, '$.gate')) as char(32)),
        {{ first_gate({
            'BAD_VALUE': "flag.value_numeric is null or calls.call_started_at is null",
            'FREQUENT_NUMBER': "calls.is_frequent_number = 1",
            'NO_NUMBER': "calls.caller_key is null",
        }) }}
    ) as complaint_prob_gate,
    calls.direction,
    calls.is_answered,
    calls.is_reviewed,
    calls.is_target,
    calls.outcome,
    calls.call_category,
    calls.refusal_code,
    calls.service_group,
    calls.source_channel,
    calls.operator_key,
    calls.call_hour,
    calls.call_weekday,
    calls.talk_sec,
    calls.await_sec,
    calls.is_short_abandon,
    calls.pbx_status,
    calls.calls_in_72h,
    calls.calls_2d,
    calls.calls_7d,
    calls.calls_30d,
    calls.unanswered_7d,
    calls.bookings_180d,
    calls.bookings_365d,
    calls.cancellations_180d,
    calls.days_since_last_call,
    score.value_numeric as score,
    coverage.value_numeric as coverage,
    flag.value_numeric
    {%- for code, name in later_triggers.items() %}
    - case
        when json_search(flag.value_json, 'one', '{{ code }}', null, '$.reasons[*].code') is null
            then 0
        else params.{{ name }}_points
    end
    {%- endfor %}
    -- The promise itself is known, and whether it will be kept is not.
    + case
        when calls.refusal_code = 'OPERATOR_WILL_CLARIFY' and calls.is_booked = 0
            then params.promise_not_kept_points
        else 0
    end as complaint_points,
    calls.next_booking_at,
    calls.next_call_in_at,
    calls.next_complaint_at

from calls

inner join {{ ref('int_metric_inputs') }} as inputs
    on calls.history_id = inputs.history_id

cross join params

cross join log_start

{{ join_value('score', 'normalized_call_score') }}

{{ join_value('coverage', 'checklist_coverage_ratio') }}

{{ join_value('flag', 'complaint_risk_flag') }}
