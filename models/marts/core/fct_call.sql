{{ config(
    materialized='incremental',
    feed={'kind': 'fct_call'},
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
    partitioned_by='history_id',
    remembered_columns=['call_date', 'review_date', 'week_start_date', 'next_call_at'],
    later_columns=[
        'is_last_of_caller', 'next_call_at', 'next_need_at', 'next_call_in_at', 'next_incoming_answered_at',
        'next_outgoing_answered_at', 'next_booking_at', 'next_complaint_at', 'next_other_service_at',
        'next_other_service_group', 'attempts_14d',
    ],
    parent='int_calls',
    holds_locks_of=['int_calls'],
) }}

{%- set day = 86400 %}
{%- set kinds = contact_events() %}

with

-- Calls of the batch's callers, from the first one on that may have changed.
calls as (

    select calls.*

    from {{ all_contacts() }} as batch

    inner join {{ ref('int_calls') }} as calls
        on batch.contact_key = calls.contact_key

    where calls.start_epoch >= batch.write_from or calls.start_epoch is null

),

-- What a call is to the caller's other calls: few columns, for the windows sort them.
events as (

    select
        calls.history_id,
        calls.contact_key,
        calls.call_date,
        calls.start_epoch,
        calls.service_group,
        {%- for kind, condition in kinds.items() %}
        case when {{ condition.format('calls') }} then 1 else 0 end as is_{{ kind }},
        {%- endfor %}
        case
            when calls.direction = 'in' and calls.is_answered = 0 and calls.is_short_abandon = 0
                then 1
            else 0
        end as is_unanswered_in,
        case when calls.direction = 'out' and calls.is_answered = 0 then 1 else 0 end as is_attempt,
        case when {{ is_cancellation('calls') }} then 1 else 0 end as is_cancellation

    from {{ all_contacts() }} as batch

    inner join {{ ref('int_calls') }} as calls
        on batch.contact_key = calls.contact_key

    -- Without a caller or a start a call has no place among the others. Of calls long before,
    -- bookings and cancellations alone are counted.
    where calls.caller_key is not null
        and (
            calls.start_epoch >= batch.read_from
            or (
                calls.start_epoch >= batch.write_from - {{ 365 * day }}
                and (calls.is_booked = 1 or {{ is_cancellation('calls') }})
            )
        )

),

-- Calls of the same second are neither earlier nor later: they are one row here.
seconds as (

    select
        contact_key,
        start_epoch,
        min(call_date) as call_date,
        max(history_id) as last_history_id,
        {%- for kind in kinds %}
        sum(is_{{ kind }}) as {{ kind }}_events,
        {%- endfor %}
        sum(is_unanswered_in) as unanswered,
        sum(is_attempt) as attempts,
        sum(is_cancellation) as cancellations

    from events

    group by contact_key, start_epoch

    {{ kept_apart() }}

),

-- From a caller's last second back to the first, so that one order serves all windows. First and
-- last events over rows up to the current one: over other frames min and max take the square of a
-- robot's calls.
contacts as (

    select
        contact_key,
        start_epoch,
        last_history_id,
        lead(start_epoch) over back_in_time as previous_epoch,
        sum(call_events) over (partition by contact_key, call_date) as calls_day,
        sum(incoming_events) over last_72h as calls_in_72h,
        sum(booking_events) over last_72h as bookings_72h,
        sum(call_events) over last_2d as calls_2d,
        sum(call_events) over last_7d as calls_7d,
        sum(call_events) over last_30d as calls_30d,
        sum(unanswered) over last_7d as unanswered_7d,
        sum(booking_events) over last_180d as bookings_180d,
        sum(cancellations) over last_180d as cancellations_180d,
        sum(booking_events) over last_365d as bookings_365d,
        {%- for kind in kinds %}
        min(case when {{ kind }}_events > 0 then start_epoch end) over from_now
            as {{ kind }}_from_now,
        {%- endfor %}
        sum(attempts) over next_14d as attempts_14d

    from seconds

    window
        back_in_time as (partition by contact_key order by start_epoch desc),
        from_now as (
            partition by contact_key order by start_epoch desc
            rows between unbounded preceding and current row
        ),
        {%- for name, days in {
            'last_72h': 3, 'last_2d': 2, 'last_7d': 7, 'last_30d': 30, 'last_180d': 180, 'last_365d': 365,
        }.items() %}
        {{ name }} as (
            partition by contact_key order by start_epoch desc
            range between 1 following and {{ days * day }} following
        ),
        {%- endfor %}
        next_14d as (
            partition by contact_key order by start_epoch desc
            range between {{ 14 * day }} preceding and 1 preceding
        )

    {{ kept_apart() }}

),

-- What is first from the next second on is next.
followed as (

    select
        contacts.*,
        {%- for kind in kinds %}
        lag(contacts.{{ kind }}_from_now) over back_in_time as next_{{ kind }}_epoch,
        {%- endfor %}
        last_value(contacts.incoming_from_now) over after_redials
            as next_incoming_after_redials_epoch

    from contacts

    window
        back_in_time as (partition by contact_key order by start_epoch desc),
        after_redials as (
            partition by contact_key order by start_epoch desc
            range between unbounded preceding and {{ redial_seconds() + 1 }} preceding
        )

    {{ kept_apart() }}

),

-- Calls in a row about the same service are one island; the next island is the next other service.
service_islands as (

    select
        history_id,
        contact_key,
        start_epoch,
        service_group,
        is_other_service,
        sum(is_other_service) over (
            partition by contact_key order by start_epoch, history_id
            rows between unbounded preceding and current row
        ) as island

    from (
        select
            history_id,
            contact_key,
            start_epoch,
            service_group,
            case
                when service_group <> lag(service_group) over by_caller then 1
                else 0
            end as is_other_service
        from events
        where service_group <> 'unknown'
        window by_caller as (partition by contact_key order by start_epoch, history_id)
    ) as service_calls

),

-- One call begins an island: the sum of its starts is that call's.
other_services as (

    select
        history_id,
        start_epoch,
        sum(case when is_other_service = 1 then start_epoch end) over next_island as next_epoch,
        min(service_group) over next_island as next_group

    from service_islands

    window
        next_island as (
            partition by contact_key order by island range between 1 following and 1 following
        )

    {{ kept_apart() }}

),

finished as (

    select
        calls.*,
        followed.last_history_id,
        followed.calls_day,
        followed.calls_in_72h,
        followed.bookings_72h,
        followed.calls_2d,
        followed.calls_7d,
        followed.calls_30d,
        followed.unanswered_7d,
        followed.bookings_180d,
        followed.cancellations_180d,
        followed.bookings_365d,
        followed.attempts_14d,
        followed.previous_epoch,
        {%- for kind in kinds %}
        followed.next_{{ kind }}_epoch,
        {%- endfor %}
        case
            when calls.is_answered = 0 or calls.pbx_status = 0
                then followed.next_incoming_after_redials_epoch
            else followed.next_incoming_epoch
        end as next_call_in_epoch,
        other_services.next_epoch as next_other_service_epoch,
        other_services.next_group as next_other_service_group,
        prices.ticket as median_ticket,
        prices.has_prices

    from calls

    cross join {{ ref('int_median_ticket') }} as prices

    left join followed
        on calls.contact_key = followed.contact_key
        and calls.start_epoch = followed.start_epoch

    left join other_services
        on calls.history_id = other_services.history_id
        and other_services.start_epoch < other_services.next_epoch

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
    has_refused_operator,
    source_channel,
    service_id,
    service_name,
    service_group,
    service_ticket,
    service_recurrence,
    case
        when is_booked = 1 and has_prices = 1
            then cast(coalesce(service_ticket, median_ticket) as decimal(12, 2))
    end as booked_value,
    case
        when is_booked = 0 then null
        when has_prices = 0 then 'none'
        when service_ticket is null then 'median'
        else 'service'
    end as booked_value_basis,
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
    talk_class,
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
    refused_fields,
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
    case
        when next_call_epoch is not null or history_id <> last_history_id then 0
        else 1
    end as is_last_of_caller,
    {{ moment('next_call_epoch') }} as next_call_at,
    {{ moment('next_need_epoch') }} as next_need_at,
    {{ moment('next_call_in_epoch') }} as next_call_in_at,
    {{ moment('next_incoming_answered_epoch') }} as next_incoming_answered_at,
    {{ moment('next_outgoing_answered_epoch') }} as next_outgoing_answered_at,
    {{ moment('next_booking_epoch') }} as next_booking_at,
    {{ moment('next_complaint_epoch') }} as next_complaint_at,
    {{ moment('next_other_service_epoch') }} as next_other_service_at,
    next_other_service_group,
    coalesce(attempts_14d, 0) as attempts_14d

from finished
