{%- set values = {
    'speed': 'response_speed_score',
    'queue': 'queue_impact_index',
    'loss': 'lost_opportunity_score',
    'conversion': 'conversion_score',
    'score': 'normalized_call_score',
    'coverage': 'checklist_coverage_ratio',
    'followup': 'followup_needed_flag',
    'complaint_risk': 'complaint_risk_flag',
    'churn_risk': 'churn_risk_level',
    'profile': 'calc_profile',
} %}

{{ config(
    materialized='incremental',
    feed={'kind': 'by_day', 'reads': values.values() | list},
    unique_key=['stat_date', 'dimension', 'dimension_value'],
    keys=['primary key (stat_date, dimension, dimension_value)'],
    replaces_batches=true,
    counts_changes=false,
    parent='fct_call',
    parent_columns={'stat_date': 'call_date'},
) }}

{%- set all_dimensions = dimensions() %}
{%- do all_dimensions.update({
    'refusal': "case when is_lost = 1 then coalesce(refusal_code, 'missing') end",
}) %}

-- depends_on: {{ ref('fct_call') }}, whose days are read.

with

calls as (

    select *

    from (
        select
            *,
            call_date as stat_date
        from {{ ref('int_counted_calls') }}
    ) as dated_calls

    where {{ in_batch() }}

),

-- Facts of a call as numbers to add up; null where the call is not in the base of a mean.
-- Exact numbers: a sum of doubles follows the order of its calls, and so the keys of the callers.
facts as (

    select
        calls.*,
        case when calls.direction = 'in' then 1 else 0 end as is_incoming,
        case when calls.direction = 'out' then 1 else 0 end as is_outgoing,
        case
            when calls.direction in ('in', 'out') and calls.is_answered = 1 then 1
            else 0
        end as is_talk,
        case when calls.wants_booking = 1 and calls.is_booked = 0 then 1 else 0 end as is_lost,
        case
            when calls.call_category = 'cancel'
                or calls.outcome in ('cancelled_by_patient', 'cancelled_by_operator') then 1
            else 0
        end as is_any_cancellation,
        -- By name where there is one: people have an extension here and a mobile there.
        case
            when calls.direction in ('in', 'out') and calls.is_answered = 1
                then coalesce(
                    nullif(calls.operator_name, 'unknown'), nullif(calls.operator_key, 'unknown')
                )
        end as talking_operator,
        case
            when calls.direction = 'in' and calls.is_answered = 1 then calls.await_sec
        end as answer_wait_sec,
        case
            when calls.direction = 'in' and calls.is_answered = 0 then calls.await_sec
        end as abandon_wait_sec,
        -- A missed call that somebody could return.
        case
            when calls.direction = 'in' and calls.is_answered = 0 and calls.is_short_abandon = 0
                and calls.caller_key is not null and calls.is_frequent_number = 0 then 1
            else 0
        end as is_missed,
        case
            when calls.direction = 'in' and calls.is_answered = 1
                and calls.caller_key is not null and calls.is_frequent_number = 0
                and calls.is_excluded_category = 0 then 1
            else 0
        end as is_repeat_base,
        timestampdiff(second, calls.call_started_at, calls.next_outgoing_answered_at)
            as callback_sec,
        least(
            coalesce(calls.next_outgoing_answered_at, calls.next_incoming_answered_at),
            coalesce(calls.next_incoming_answered_at, calls.next_outgoing_answered_at)
        ) as next_answered_at,
        date_add(calls.call_started_at, interval 24 hour) as contact_deadline,
        date_add(calls.call_started_at, interval 7 day) as repeat_deadline,
        timestampdiff(second, calls.call_started_at, calls.reviewed_at) as review_lag_sec,
        speed.value_label as speed_label,
        case
            when json_unquote(json_extract(profile.value_json, '$.rule')) = 'night' then 1
            else 0
        end as is_out_of_hours,
        cast(json_extract(queue.value_json, '$.work_sec') * 1e0 as decimal(16, 4)) as work_sec,
        case
            when calls.direction in ('in', 'out') and calls.is_answered = 1
                then cast(json_extract(queue.value_json, '$.work_sec') * 1e0 as decimal(16, 4))
        end as handle_sec,
        cast(json_extract(loss.value_json, '$.loss_rub') * 1e0 as decimal(16, 4)) as loss_rub,
        cast(json_extract(conversion.value_json, '$.expected_rub') * 1e0 as decimal(16, 4))
            as expected_rub,
        score.value_numeric as qa_score,
        coverage.value_numeric as checklist_coverage,
        case when followup.value_label = 'true' then 1 else 0 end as is_followup_open,
        case
            when json_unquote(json_extract(followup.value_json, '$.overdue')) = 'true' then 1
            else 0
        end as is_followup_overdue,
        case
            when json_extract(followup.value_json, '$.closed_by') is not null then 1
            else 0
        end as is_followup_closed,
        case
            when complaint_risk.value_label is not null or churn_risk.value_label is not null then 1
            else 0
        end as is_risk_known,
        case
            when complaint_risk.value_label = 'true' or churn_risk.value_label = 'high' then 1
            else 0
        end as is_risky

    from calls

    {%- for alias, metric in values.items() %}

{{ join_value(alias, metric) }}
    {%- endfor %}

    {{ kept_apart() }}

),

-- What became of a missed call within a day, and of an answered one within a week.
followed as (

    select
        *,
        case
            when is_missed = 1 and next_answered_at <= contact_deadline then 1
            else 0
        end as is_reached,
        case
            when is_missed = 1 and next_answered_at <= contact_deadline
                and next_outgoing_answered_at = next_answered_at then 1
            else 0
        end as is_called_back,
        case
            when is_repeat_base = 1 and next_call_in_at <= repeat_deadline then 1
            else 0
        end as is_repeated

    from facts

),

dimension_list as (
    {{ dimension_rows(all_dimensions) }}

),

sliced as (

    select
        followed.*,
        dimension_list.dimension,
        {{ dimension_value(all_dimensions) }} as dimension_value

    from followed

    cross join dimension_list

)

select
    stat_date,
    dimension,
    dimension_value,
    count(*) as calls,
    count(distinct caller_key) as callers,
    count(distinct talking_operator) as operators,
    count(distinct concat(talking_operator, ' ', call_hour)) as operator_hours,
    sum(is_incoming) as incoming_calls,
    sum(is_incoming * is_answered) as incoming_answered,
    sum(is_incoming * (1 - is_answered)) as incoming_abandoned,
    sum(is_short_abandon) as short_abandons,
    count(speed_label) as sla_calls,
    sum(case when speed_label = 'within_sla' then 1 else 0 end) as answered_in_sla,
    count(answer_wait_sec) as answer_wait_calls,
    coalesce(sum(answer_wait_sec), 0) as answer_wait_sec,
    coalesce(sum(answer_wait_sec * answer_wait_sec), 0) as answer_wait_sec_sq,
    count(abandon_wait_sec) as abandon_wait_calls,
    coalesce(sum(abandon_wait_sec), 0) as abandon_wait_sec,
    max(case when is_incoming = 1 then await_sec end) as max_wait_sec,
    sum(is_incoming * is_out_of_hours) as out_of_hours_calls,
    sum(is_outgoing) as outgoing_calls,
    sum(is_outgoing * is_answered) as outgoing_answered,
    sum(case when direction = 'internal' then 1 else 0 end) as internal_calls,
    sum(is_missed) as missed_calls,
    sum(is_reached) as missed_reached,
    sum(is_called_back) as missed_called_back,
    cast(
        coalesce(sum(case when is_called_back = 1 then callback_sec end), 0) as decimal(20, 6)
    ) / 60 as callback_min,
    sum(is_talk) as talk_calls,
    coalesce(sum(case when is_talk = 1 then talk_sec end), 0) as talk_sec,
    coalesce(sum(case when is_talk = 1 then talk_sec * talk_sec end), 0) as talk_sec_sq,
    count(handle_sec) as handle_calls,
    coalesce(sum(handle_sec), 0) as handle_sec,
    coalesce(sum(handle_sec * handle_sec), 0) as handle_sec_sq,
    coalesce(sum(work_sec), 0) as work_sec,
    sum(is_reviewed) as reviewed_calls,
    sum(is_talk * is_reviewed) as reviewed_talks,
    cast(coalesce(sum(review_lag_sec), 0) as decimal(20, 6)) / 86400 as review_lag_days,
    sum(is_target) as target_calls,
    sum(is_target * (1 - is_service_call)) as target_new_calls,
    sum(wants_booking) as wanting_calls,
    sum(is_booked) as bookings,
    sum(is_booked * (1 - is_service_call)) as new_bookings,
    coalesce(sum(booked_value), 0) as booked_value,
    coalesce(sum(expected_rub), 0) as expected_rub,
    sum(is_lost) as lost_calls,
    coalesce(sum(loss_rub), 0) as loss_rub,
    count(loss_rub) as loss_known_calls,
    sum(is_any_cancellation) as cancellations,
    sum(case when call_category = 'reschedule' then 1 - is_any_cancellation else 0 end)
        as reschedules,
    sum(case when call_category = 'complaint' then 1 else 0 end) as complaints,
    sum(is_repeat_base) as repeat_base_calls,
    sum(is_repeated) as repeat_calls,
    count(qa_score) as qa_calls,
    coalesce(sum(qa_score), 0) as qa_score,
    coalesce(sum(qa_score * qa_score), 0) as qa_score_sq,
    count(checklist_coverage) as coverage_calls,
    coalesce(sum(checklist_coverage), 0) as checklist_coverage,
    coalesce(sum(checklist_coverage * checklist_coverage), 0) as checklist_coverage_sq,
    sum(is_followup_open) as followups_open,
    sum(is_followup_overdue) as followups_overdue,
    sum(is_followup_closed) as followups_closed,
    sum(is_risk_known) as risk_known_calls,
    sum(is_risky) as risky_calls

from sliced

where dimension_value is not null

group by stat_date, dimension, dimension_value
