{#- Lists that a client may be on at once: as many as the seed has, told one beside the other. -#}
{%- set places = range(1, 6) %}
{%- set minutes_a_call -%}
    (
        {{ var('lm_dial_sec') }} + calls_out.reach_share
        * coalesce(calls_out.handle_sec, weekdays.handle_sec, {{ var('lm_dial_sec') }})
    ) / 60e0
{%- endset %}
{%- set minutes_left -%}
    greatest(
        0,
        coalesce(weekdays.operator_minutes, 0) * {{ var('lm_worklist_occupancy') }}
        - coalesce(forecast_today.talk_minutes * weekdays.work_per_talk, weekdays.work_minutes, 0)
    )
{%- endset %}
{%- set given_minutes = var('lm_worklist_minutes') ~ ' * 1e0' -%}
{%- set free_minutes = given_minutes if var('lm_worklist_minutes') else minutes_left %}

with

-- Open business, with what calling the client about it would bring.
open_calls as (

    select
        lists.*,
        calls.contact_key,
        calls.caller_key,
        calls.start_epoch,
        case when {{ is_owed('inputs.followup_need') }} then 1 else 0 end as is_owed,
        inputs.loss_ticket as ticket,
        -- Booked if reached and asked, less what comes without: a missed caller rings again, one
        -- that was talked to books later. Nothing where no booking was wanted or could be given, or
        -- beyond the days that the learnt shares tell of.
        case
            when calls.call_started_at
                < {{ days_before_now(rule_param('late_booking_days')) }} then 0
            when inputs.has_prices = 0 then 0
            when calls.is_answered = 0 then inputs.loss_chance * inputs.loss_no_return
            when calls.is_booked = 1 or calls.wants_booking = 0 or calls.is_objective_refusal = 1
                then 0
            else inputs.loss_chance * inputs.loss_avoidable * inputs.loss_no_return
        end as added_if_reached,
        case
            when calls.is_answered = 0 then inputs.loss_chance * (1 - inputs.loss_no_return)
            else 1 - inputs.loss_no_return
        end as chance_alone

    from {{ ref('vw_lm_action_list') }} as lists

    inner join {{ ref('fct_call') }} as calls
        on lists.history_id = calls.history_id

    inner join {{ ref('int_metric_inputs') }} as inputs
        on lists.history_id = inputs.history_id

),

ranked as (

    select
        *,
        -- A client books once: of several calls the one that brings most counts.
        row_number() over (
            partition by contact_key
            order by
                ticket * added_if_reached desc, start_epoch desc, history_id desc, list_code asc
        ) as value_rank,
        row_number() over (
            partition by contact_key order by start_epoch desc, history_id desc, list_code asc
        ) as newest_rank,
        row_number() over (
            partition by contact_key, list_code order by start_epoch desc, history_id desc
        ) as list_rank

    from open_calls

),

-- The newest call of each list tells why; the lists are numbered by their own order.
placed as (

    select
        *,
        case
            when list_rank = 1
                then row_number() over (
                    partition by contact_key, list_rank order by priority, list_code
                )
        end as list_place

    from ranked

),

clients as (

    select
        contact_key,
        max(caller_key) as caller_key,
        count(distinct history_id) as open_calls,
        max(is_owed) as is_owed,
        min(due_at) as due_at,
        min(case when is_owed = 1 then due_at end) as owed_due_at,
        max(attempts) as attempts,
        max(case when newest_rank = 1 then history_id end) as history_id,
        max(case when newest_rank = 1 then call_started_at end) as call_started_at,
        max(case when newest_rank = 1 then source_channel end) as source_channel,
        max(case when value_rank = 1 then service_name end) as service_name,
        max(case when value_rank = 1 then ticket end) as ticket,
        max(case when value_rank = 1 then added_if_reached end) as added_if_reached,
        max(case when value_rank = 1 then chance_alone end) as chance_alone,
        {%- for place in places %}
        max(case when list_place = {{ place }} then list_code end) as list_{{ place }},
        {%- for language in ['ru', 'en'] %}
        max(case
            when list_place = {{ place }}
                then concat(list_name_{{ language }}, ': ', reasons_{{ language }})
        end) as told_{{ language }}_{{ place }},
        {%- endfor %}
        {%- endfor %}
        max(case when list_place = 1 then action_ru end) as action_ru,
        max(case when list_place = 1 then action_en end) as action_en

    from placed

    group by contact_key

    {{ kept_apart() }}

),

-- How calls out go, of the last {{ var('lm_worklist_days') }} days.
calls_out as (

    select
        -- One call more of each kind, so that none is certain.
        (coalesce(sum(outgoing_answered), 0) + 1) / (coalesce(sum(outgoing_calls), 0) + 2e0)
            as reach_share,
        sum(handle_sec) * 1e0 / nullif(sum(handle_calls), 0) as handle_sec

    from {{ ref('lm_daily_facts') }}

    where dimension = 'direction'
        and dimension_value = 'out'
        and stat_date >= cast({{ days_before_now(var('lm_worklist_days')) }} as date)
        and stat_date < cast({{ as_of() }} as date)

),

-- The same weekday of the last four weeks: who was there, and what calls took.
weekdays as (

    select
        avg(operator_hours) * 60e0 as operator_minutes,
        avg(work_sec) / 60e0 as work_minutes,
        sum(work_sec) * 1e0 / nullif(sum(talk_sec), 0) as work_per_talk,
        sum(handle_sec) * 1e0 / nullif(sum(handle_calls), 0) as handle_sec

    from {{ ref('lm_daily_facts') }}

    where dimension = 'all'
        and stat_date >= cast({{ days_before_now(28) }} as date)
        and stat_date < cast({{ as_of() }} as date)
        and weekday(stat_date) = weekday({{ as_of() }})

),

forecast_today as (

    select max(yhat) as talk_minutes

    from {{ ref('vw_lm_forecast') }}

    where target = 'talk_minutes'
        and dimension = 'all'
        and grain = 'day'
        and period_start = cast({{ as_of() }} as date)

),

means as (

    select
        calls_out.reach_share,
        {{ minutes_a_call }} as minutes_a_call,
        {{ free_minutes }} as free_minutes

    from calls_out

    cross join weekdays

    cross join forecast_today

),

valued as (

    select
        clients.*,
        means.reach_share,
        means.minutes_a_call,
        means.free_minutes,
        clients.ticket * clients.added_if_reached * means.reach_share as expected_rub,
        case
            when clients.is_owed = 1 then 0
            else {{ is_held_out('clients.caller_key') }}
        end as is_held_out,
        case
            when clients.is_owed = 1 then 1
            when {{ is_held_out('clients.caller_key') }} = 1 then 0
            when clients.ticket * clients.added_if_reached * means.reach_share
                >= means.minutes_a_call * {{ var('lm_operator_minute_rub') }} then 1
            else 0
        end as is_worth_it

    from clients

    cross join means

),

-- An attempt takes as long with whomever: the order by roubles is that by roubles a minute.
ordered as (

    select
        *,
        row_number() over (
            order by
                is_worth_it desc, is_owed desc, owed_due_at asc,
                expected_rub desc, due_at asc, history_id asc
        ) as place

    from valued

    {{ kept_apart() }}

)

select
    ordered.place,
    ordered.caller_key,
    ordered.history_id,
    ordered.call_started_at,
    ordered.open_calls,
    concat_ws(
        ', ', ordered.list_1, ordered.list_2, ordered.list_3, ordered.list_4, ordered.list_5
    ) as lists,
    ordered.is_owed,
    ordered.due_at,
    ordered.due_at < {{ as_of() }} as is_overdue,
    ordered.attempts,
    last_talks.call_started_at as last_talk_at,
    last_talks.operator_name as last_operator_name,
    ordered.source_channel,
    ordered.service_name,
    cast(ordered.ticket as decimal(12, 2)) as ticket_rub,
    ordered.chance_alone,
    ordered.chance_alone + ordered.reach_share * ordered.added_if_reached as chance_if_called,
    cast(ordered.expected_rub as decimal(12, 2)) as expected_rub,
    cast(ordered.minutes_a_call as decimal(8, 2)) as minutes,
    cast(ordered.expected_rub / ordered.minutes_a_call as decimal(12, 2)) as rub_per_minute,
    cast(case
        when ordered.is_worth_it = 1 then ordered.place * ordered.minutes_a_call
    end as decimal(12, 2)) as minutes_so_far,
    cast(ordered.free_minutes as decimal(12, 2)) as free_minutes,
    case
        when ordered.is_worth_it = 0 then 0
        when ordered.place * ordered.minutes_a_call > ordered.free_minutes then 0
        else 1
    end as is_today,
    cast(case
        when ordered.is_held_out = 1 then 'HELD_OUT'
        when ordered.is_worth_it = 0 then 'NOT_WORTH_IT'
        when ordered.place * ordered.minutes_a_call > ordered.free_minutes then 'NO_MINUTES'
    end as char(16)) as off_reason,
    concat_ws(
        ' ', ordered.told_ru_1, ordered.told_ru_2, ordered.told_ru_3,
        ordered.told_ru_4, ordered.told_ru_5
    ) as reasons_ru,
    concat_ws(
        ' ', ordered.told_en_1, ordered.told_en_2, ordered.told_en_3,
        ordered.told_en_4, ordered.told_en_5
    ) as reasons_en,
    ordered.action_ru,
    ordered.action_en

from ordered

-- Who has talked to the client last, about whatever.
left join {{ ref('fct_call') }} as last_talks
    on last_talks.history_id = (
        select talks.history_id
        from {{ ref('fct_call') }} as talks
        where talks.caller_key = ordered.caller_key
            and talks.is_answered = 1
            and talks.call_started_at <= {{ as_of() }}
        order by talks.start_epoch desc, talks.history_id desc
        limit 1
    )
