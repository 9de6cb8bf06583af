{{ config(
    materialized='incremental',
    unique_key=['history_id'],
    keys=[
        'primary key (history_id)',
        'key idx_fct_call_change (change_id)',
        'key idx_fct_call_caller (caller_key, start_epoch)',
        'key idx_fct_call_date (call_date)',
        'key idx_fct_call_week (week_start_date)',
        'key idx_fct_call_review_date (review_date)',
        'key idx_fct_call_score (call_score_id)',
    ],
    remembered_columns=['call_date', 'review_date', 'week_start_date', 'next_call_at'],
    later_columns=[
        'is_last_of_caller', 'next_call_at', 'next_incoming_at', 'next_call_in_at', 'next_incoming_answered_at',
        'next_outgoing_answered_at', 'next_booking_at', 'next_complaint_at', 'next_other_service_at',
        'next_other_service_group', 'attempts_14d',
    ],
    parent='int_calls',
) }}

{%- set day = 86400 %}
{%- set kinds = [
    'call', 'incoming', 'need', 'incoming_answered', 'outgoing_answered', 'booking', 'complaint',
] %}

with

calls as (

    select * from {{ ref('int_calls') }}
    where {{ in_batch() }}

),

-- What a call is to the caller's other calls: few columns, for the windows sort them.
events as (

    select
        history_id,
        contact_key,
        call_date,
        start_epoch,
        service_group,
        1 as is_call,
        case when direction = 'in' then 1 else 0 end as is_incoming,
        case when direction = 'in' and is_short_abandon = 0 then 1 else 0 end as is_need,
        case when direction = 'in' and is_answered = 1 then 1 else 0 end as is_incoming_answered,
        case when direction = 'out' and is_answered = 1 then 1 else 0 end as is_outgoing_answered,
        is_booked as is_booking,
        case when call_category = 'complaint' then 1 else 0 end as is_complaint,
        case when direction = 'in' and is_answered = 0 and is_short_abandon = 0 then 1 else 0 end
            as is_unanswered_in,
        case when direction = 'out' and is_answered = 0 then 1 else 0 end as is_attempt,
        case when outcome = 'cancelled_by_patient' or call_category = 'cancel' then 1 else 0 end
            as is_cancellation

    from calls

    -- Without a caller or a start a call has no place among the others.
    where caller_key is not null and start_epoch is not null

),

-- Windows over the seconds of the wall clock: calls of the same second are neither earlier nor
-- later. Only counts: min and max over such frames take the square of a robot's calls. The next
-- event of a kind is found by its number: as many as there were up to now, and one more.
contacts as (

    select
        history_id,
        contact_key,
        start_epoch,
        count(*) over (partition by contact_key, call_date) as calls_day,
        row_number() over (
            partition by contact_key order by start_epoch desc, history_id desc
        ) as place_from_last,
        sum(is_incoming) over last_72h as calls_in_72h,
        sum(is_booking) over last_72h as bookings_72h,
        count(*) over last_2d as calls_2d,
        count(*) over last_7d as calls_7d,
        count(*) over last_30d as calls_30d,
        sum(is_unanswered_in) over last_7d as unanswered_7d,
        sum(is_booking) over last_180d as bookings_180d,
        sum(is_cancellation) over last_180d as cancellations_180d,
        sum(is_booking) over last_365d as bookings_365d,
        sum(is_attempt) over next_14d as attempts_14d,
        count(*) over earlier as calls_before,
        {%- for kind in kinds %}
        sum(is_{{ kind }}) over up_to_now as {{ kind }}s_up_to_now,
        {%- endfor %}
        sum(is_incoming) over up_to_redial as incomings_up_to_redial

    from events

    window
        last_72h as (
            partition by contact_key order by start_epoch
            range between {{ 3 * day }} preceding and 1 preceding
        ),
        last_2d as (
            partition by contact_key order by start_epoch
            range between {{ 2 * day }} preceding and 1 preceding
        ),
        last_7d as (
            partition by contact_key order by start_epoch
            range between {{ 7 * day }} preceding and 1 preceding
        ),
        last_30d as (
            partition by contact_key order by start_epoch
            range between {{ 30 * day }} preceding and 1 preceding
        ),
        last_180d as (
            partition by contact_key order by start_epoch
            range between {{ 180 * day }} preceding and 1 preceding
        ),
        last_365d as (
            partition by contact_key order by start_epoch
            range between {{ 365 * day }} preceding and 1 preceding
        ),
        next_14d as (
            partition by contact_key order by start_epoch
            range between 1 following and {{ 14 * day }} following
        ),
        earlier as (
            partition by contact_key order by start_epoch
            range between unbounded preceding and 1 preceding
        ),
        up_to_now as (
            partition by contact_key order by start_epoch
            range between unbounded preceding and current row
        ),
        up_to_redial as (
            partition by contact_key order by start_epoch
            range between unbounded preceding and 120 following
        )

    {{ kept_apart() }}

),

numbered_events as (

    {%- for kind in kinds %}
    select
        contact_key,
        '{{ kind }}' as kind,
        start_epoch,
        row_number() over (
            partition by contact_key order by start_epoch, history_id
        ) as event_number
    from events
    where is_{{ kind }} = 1
    {{- '\n\n    union all\n' if not loop.last }}
    {%- endfor %}

),

-- Calls in a row about the same service are one island; the next island is the next other service.
service_islands as (

    select
        history_id,
        contact_key,
        start_epoch,
        service_group,
        sum(is_other_service) over (
            partition by contact_key order by start_epoch, history_id
            rows between unbounded preceding and current row
        ) as island

    from (
        select
            *,
            case
                when service_group <> lag(service_group) over by_caller then 1
                else 0
            end as is_other_service
        from events
        where service_group <> 'unknown'
        window by_caller as (partition by contact_key order by start_epoch, history_id)
    ) as service_calls

),

island_starts as (

    select
        contact_key,
        island,
        min(start_epoch) as start_epoch,
        min(service_group) as service_group

    from service_islands

    group by contact_key, island

),

other_services as (

    select
        service_islands.history_id,
        island_starts.start_epoch,
        island_starts.service_group

    from service_islands

    inner join island_starts
        on service_islands.contact_key = island_starts.contact_key
        and service_islands.island + 1 = island_starts.island
        and service_islands.start_epoch < island_starts.start_epoch

),

finished as (

    select
        calls.*,
        contacts.calls_day,
        contacts.place_from_last,
        contacts.calls_in_72h,
        contacts.bookings_72h,
        contacts.calls_2d,
        contacts.calls_7d,
        contacts.calls_30d,
        contacts.unanswered_7d,
        contacts.bookings_180d,
        contacts.cancellations_180d,
        contacts.bookings_365d,
        contacts.attempts_14d,
        previous_call.start_epoch as previous_epoch,
        {%- for kind in kinds %}
        next_{{ kind }}.start_epoch as next_{{ kind }}_epoch,
        {%- endfor %}
        next_call_in.start_epoch as next_call_in_epoch,
        other_services.start_epoch as next_other_service_epoch,
        other_services.service_group as next_other_service_group

    from calls

    left join contacts
        on calls.history_id = contacts.history_id

    left join numbered_events as previous_call
        on contacts.contact_key = previous_call.contact_key
        and previous_call.kind = 'call'
        and contacts.calls_before = previous_call.event_number
    {%- for kind in kinds %}

    left join numbered_events as next_{{ kind }}
        on contacts.contact_key = next_{{ kind }}.contact_key
        and next_{{ kind }}.kind = '{{ kind }}'
        and contacts.{{ kind }}s_up_to_now + 1 = next_{{ kind }}.event_number
    {%- endfor %}

    -- A redial within two minutes of a missed or dropped call belongs to the same episode.
    left join numbered_events as next_call_in
        on contacts.contact_key = next_call_in.contact_key
        and next_call_in.kind = 'incoming'
        and 1 + case
            when calls.is_answered = 0 or calls.pbx_status = 0 then contacts.incomings_up_to_redial
            else contacts.incomings_up_to_now
        end = next_call_in.event_number

    left join other_services
        on calls.history_id = other_services.history_id

)

select
    history_id,
    call_score_id,
    review_count,
    contact_key,
    caller_key,
    call_started_at,
    start_epoch,
    call_date,
    call_hour,
    call_weekday,
    week_start_date,
    entered_at,
    direction,
    is_answered,
    await_sec,
    talk_sec,
    duration_sec,
    total_sec,
    is_short_abandon,
    pbx_status,
    operator_key,
    operator_name,
    source_channel,
    service_id,
    service_name,
    service_group,
    service_ticket,
    service_recurrence,
    is_reviewed,
    reviewed_at,
    review_date,
    call_category,
    outcome,
    is_target,
    call_score_raw,
    refusal_code,
    checklist,
    checklist_items,
    call_type,
    is_booked,
    wants_booking,
    is_service_call,
    is_excluded_category,
    is_objective_refusal,
    is_valid_dialogue,
    has_type_conflict,
    has_target_conflict,
    has_outcome_conflict,
    has_direction_conflict,
    has_start_conflict,
    unknown_labels,
    coalesce(calls_day, 0) as calls_day,
    coalesce(calls_in_72h, 0) as calls_in_72h,
    coalesce(bookings_72h, 0) as bookings_72h,
    coalesce(calls_2d, 0) as calls_2d,
    coalesce(calls_7d, 0) as calls_7d,
    coalesce(calls_30d, 0) as calls_30d,
    coalesce(unanswered_7d, 0) as unanswered_7d,
    coalesce(bookings_180d, 0) as bookings_180d,
    coalesce(cancellations_180d, 0) as cancellations_180d,
    coalesce(bookings_365d, 0) as bookings_365d,
    (start_epoch - previous_epoch) * 1e0 / {{ day }} as days_since_last_call,
    case
        when calls_day > {{ var('lm_frequent_calls_day') }}
            or calls_30d + 1 > {{ var('lm_frequent_calls_30d') }} then 1
        else 0
    end as is_frequent_number,
    case when place_from_last > 1 then 0 else 1 end as is_last_of_caller,
    {{ moment('next_call_epoch') }} as next_call_at,
    {{ moment('next_need_epoch') }} as next_incoming_at,
    {{ moment('next_call_in_epoch') }} as next_call_in_at,
    {{ moment('next_incoming_answered_epoch') }} as next_incoming_answered_at,
    {{ moment('next_outgoing_answered_epoch') }} as next_outgoing_answered_at,
    {{ moment('next_booking_epoch') }} as next_booking_at,
    {{ moment('next_complaint_epoch') }} as next_complaint_at,
    {{ moment('next_other_service_epoch') }} as next_other_service_at,
    next_other_service_group,
    coalesce(attempts_14d, 0) as attempts_14d

from finished
