{%- set metrics = rule_metrics().keys() | list + [
    'conversion_prob_forecast', 'second_call_prob', 'complaint_prob',
] %}
{%- set rows = metrics + ['lm_version', 'calc_profile'] %}

{#- A join by key a metric, so that a filter on the call reaches the keys; nothing is grouped. -#}

select
    calls.history_id,
    calls.call_score_id,
    calls.review_count,
    calls.call_started_at,
    calls.call_date,
    calls.call_hour,
    calls.call_weekday,
    calls.week_start_date,
    calls.direction,
    calls.is_answered,
    calls.await_sec,
    calls.talk_sec,
    calls.duration_sec,
    calls.total_sec,
    calls.is_short_abandon,
    calls.pbx_status,
    calls.operator_name,
    calls.source_channel,
    calls.service_id,
    calls.service_name,
    calls.service_group,
    calls.service_ticket,
    calls.service_recurrence,
    calls.is_reviewed,
    calls.reviewed_at,
    calls.review_date,
    calls.call_category,
    calls.outcome,
    calls.is_target,
    calls.call_score_raw,
    calls.refusal_code,
    calls.checklist,
    calls.checklist_items,
    calls.call_type,
    calls.is_booked,
    calls.wants_booking,
    calls.is_service_call,
    calls.is_excluded_category,
    calls.is_objective_refusal,
    calls.is_valid_dialogue,
    calls.has_type_conflict,
    calls.has_target_conflict,
    calls.has_outcome_conflict,
    calls.has_direction_conflict,
    calls.has_start_conflict,
    calls.calls_day,
    calls.calls_in_72h,
    calls.bookings_72h,
    calls.calls_2d,
    calls.calls_7d,
    calls.calls_30d,
    calls.unanswered_7d,
    calls.bookings_180d,
    calls.cancellations_180d,
    calls.bookings_365d,
    calls.days_since_last_call,
    calls.is_frequent_number,
    -- What came after the call: labels to learn, never inputs.
    calls.is_last_of_caller,
    calls.next_call_at,
    calls.next_incoming_at,
    calls.next_call_in_at,
    calls.next_incoming_answered_at,
    calls.next_outgoing_answered_at,
    calls.next_booking_at,
    calls.next_complaint_at,
    calls.next_other_service_at,
    calls.next_other_service_group,
    calls.attempts_14d,
    {%- for metric in metrics %}
    value_{{ loop.index }}.value_numeric as {{ metric }},
    value_{{ loop.index }}.value_label as {{ metric }}_label,
    {%- endfor %}
    value_{{ rows | length - 1 }}.value_label as lm_version,
    value_{{ rows | length }}.value_label as calc_profile

from {{ ref('fct_call') }} as calls
{%- for metric in rows %}

{{ join_value('value_' ~ loop.index, metric) }}
{%- endfor %}
