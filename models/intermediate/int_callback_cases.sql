{#- A call enters a list when the list can know of it: a missed one at its end, or when its loss is
    certain; an answered one with its review. -#}
{%- set is_callback = "lists.metric_code = 'followup_needed_flag'" %}
{%- set never = "cast('9999-12-31' as datetime)" %}
{%- set due_at -%}
    cast(case
        when {{ is_callback }} then inputs.followup_due_at
        else timestampadd(hour, lists.due_hours, calls.call_started_at)
    end as datetime)
{%- endset %}
{%- set listed_at -%}
    cast(case
        when {{ is_callback }} and inputs.followup_need = 'N1' then calls.call_started_at
        when lists.metric_code = 'lost_opportunity_score' and calls.is_answered = 0
            then timestampadd(hour, {{ rule_param('contact_hours') }}, calls.call_started_at)
        else greatest(calls.call_started_at, coalesce(calls.reviewed_at, calls.call_started_at))
    end as datetime)
{%- endset %}

with

listed as (

    select
        lists.list_code,
        lists.priority,
        calls.history_id,
        calls.caller_key,
        calls.call_started_at,
        calls.start_epoch,
        calls.week_start_date,
        {{ reason_code(0) }} as reason_code,
        case when {{ is_owed('inputs.followup_need') }} then 1 else 0 end as is_owed,
        {{ due_at }} as due_at,
        {{ listed_at }} as listed_at,
        coalesce(calls.next_incoming_answered_at, {{ never }}) as next_talk_in_at,
        coalesce(calls.next_outgoing_answered_at, {{ never }}) as next_talk_out_at,
        coalesce(calls.next_booking_at, {{ never }}) as next_booking_at,
        coalesce(calls.next_need_at, {{ never }}) as next_need_at

    from {{ ref('int_counted_calls') }} as calls

    cross join {{ ref('lm_action_lists') }} as lists

    inner join {{ ref('int_metric_inputs') }} as inputs
        on calls.history_id = inputs.history_id

    inner join {{ ref('lm_value') }} as lm_value
        on calls.history_id = lm_value.history_id
        and lists.metric_code = lm_value.metric_code

    where calls.call_date >= cast({{ days_before_now(182) }} as date)
        and calls.caller_key is not null
        and calls.is_frequent_number = 0
        and calls.call_started_at is not null
        and lm_value.value_numeric is not null
        and case
            when {{ is_callback }}
                then inputs.followup_need is not null and inputs.followup_denied is null
            else calls.is_booked = 0 and {{ is_below_threshold() }} is not true
        end

),

-- The time that the list gives counts from where it could be used.
timed as (

    select
        *,
        cast(
            timestampadd(second, timestampdiff(second, call_started_at, listed_at), due_at)
            as datetime
        ) as act_by,
        cast(
            timestampadd(day, {{ rule_param('late_booking_days') }}, listed_at) as datetime
        ) as judged_at,
        least(next_talk_in_at, next_booking_at) as came_at

    from listed

    -- What was over by then has never been on the list.
    where listed_at < least(next_talk_in_at, next_talk_out_at, next_booking_at, next_need_at)

),

attempted as (

    select
        timed.*,
        coalesce(
            (
                select min(attempts.call_started_at)
                from {{ ref('fct_call') }} as attempts
                where attempts.caller_key = timed.caller_key
                    and attempts.start_epoch > timed.start_epoch
                    and attempts.direction = 'out'
            ),
            {{ never }}
        ) as first_attempt_at

    from timed

),

judged as (

    select
        *,
        case
            when judged_at > {{ as_of() }} then 'open'
            when least(came_at, next_talk_out_at) > next_need_at and next_need_at <= judged_at
                then 'superseded'
            when first_attempt_at <= least(act_by, came_at) then 'in_time'
            when came_at <= act_by then 'came_alone'
            when first_attempt_at <= least(judged_at, came_at) then 'late'
            else 'never'
        end as fate

    from attempted

)

select
    judged.list_code,
    judged.history_id,
    judged.caller_key,
    judged.week_start_date,
    judged.reason_code,
    judged.is_owed,
    {{ is_held_out('judged.caller_key') }} as is_held_out,
    judged.call_started_at,
    judged.listed_at,
    judged.act_by,
    judged.judged_at,
    cast(nullif(judged.first_attempt_at, {{ never }}) as datetime) as first_attempt_at,
    cast(judged.fate as char(16)) as fate,
    case
        when judged.fate in ('in_time', 'late') and judged.next_talk_out_at <= judged.judged_at
            then 1
        else 0
    end as is_reached,
    case when judged.next_booking_at <= judged.judged_at then 1 else 0 end as is_booked_later,
    case when judged.next_booking_at <= judged.judged_at then coalesce(bookings.booked_value, 0) end
        as booked_rub,
    -- A call on several lists counts once in all of them.
    row_number() over (
        partition by judged.history_id order by judged.priority, judged.list_code
    ) as list_place

from judged

-- Of two bookings of one second, the first.
left join {{ ref('fct_call') }} as bookings
    on bookings.history_id = (
        select min(booked.history_id)
        from {{ ref('fct_call') }} as booked
        where booked.caller_key = judged.caller_key
            and booked.call_started_at = judged.next_booking_at
            and booked.is_booked = 1
    )
