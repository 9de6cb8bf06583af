{{ config(
    materialized='incremental',
    feed={'kind': 'by_date', 'column': 'week_start_date'},
    unique_key=['week_start_date', 'known_week', 'fact', 'key_1', 'key_2', 'key_3'],
    keys=['primary key (week_start_date, known_week, fact, key_1, key_2, key_3)'],
    replaces_batches=true,
    counts_changes=false,
    parent='fct_call',
    parent_columns={'week_start_date': 'week_start_date'},
) }}

with

params as (

    select * from {{ ref('int_rule_params') }}
    where profile_code = 'default_v1'

),

median_ticket as (

    select * from {{ ref('int_median_ticket') }}

),

calls as (

    select
        calls.*,
        {{ week_start('calls.review_date') }} as review_week,
        case
            when calls.caller_key is not null and calls.is_frequent_number = 0 then 1
            else 0
        end as is_client,
        params.learn_max_talk_sec

    from {{ ref('fct_call') }} as calls

    cross join params

    where {{ in_batch() }}

),

-- From the widest use to the narrowest: number of calls, hits among them, two sums.
facts as (

    select
        week_start_date, week_start_date as known_week, 'talk_all' as fact,
        '' as key_1, '' as key_2, '' as key_3, count(*) as n, 0 as hits,
        sum(ln(talk_sec)) as sum_1, sum(ln(talk_sec) * ln(talk_sec)) as sum_2
    from calls
    where is_answered = 1 and direction in ('in', 'out') and talk_sec <= learn_max_talk_sec
    group by week_start_date

    union all

    select
        week_start_date, review_week, 'talk_class' as fact, talk_class, '', '', count(*), 0,
        sum(ln(talk_sec)), sum(ln(talk_sec) * ln(talk_sec))
    from calls
    where is_answered = 1 and is_reviewed = 1 and talk_class <> 'all'
        and talk_sec <= learn_max_talk_sec
    group by week_start_date, review_week, talk_class

    union all

    select
        week_start_date, review_week, 'talk_category' as fact, call_category, '', '', count(*), 0,
        sum(ln(talk_sec)), sum(ln(talk_sec) * ln(talk_sec))
    from calls
    where is_answered = 1 and is_reviewed = 1 and talk_sec <= learn_max_talk_sec
    group by week_start_date, review_week, call_category

    union all

    -- By whole days, the last of which is all that is longer.
    select
        week_start_date, review_week, 'review_delay' as fact,
        cast(delay_days as char(16)), '', '', count(*), 0, 0, 0
    from (
        select
            calls.week_start_date,
            calls.review_week,
            greatest(0, least(
                cast(params.max_review_lag_days as signed),
                ceiling(timestampdiff(second, calls.call_started_at, calls.reviewed_at) / 86400)
            )) as delay_days
        from calls
        cross join params
        where calls.is_reviewed = 1
    ) as review_delays
    group by week_start_date, review_week, delay_days

    union all

    select
        calls.week_start_date, calls.week_start_date as known_week, 'hour_load' as fact,
        concat(calls.call_weekday, '|', calls.call_hour), '', '', count(*), 0,
        sum(case
            when calls.is_answered = 1
                then params.wrapup_sec
                + case
                    when calls.talk_sec <= params.learn_max_talk_sec then calls.talk_sec
                    else 0
                end
            else 0
        end), 0
    from calls
    cross join params
    group by calls.week_start_date, calls.call_weekday, calls.call_hour

    union all

    select
        calls.week_start_date, calls.review_week, 'late_booking' as fact,
        calls.outcome, calls.call_category, calls.service_group, count(*),
        sum(case
            when calls.next_booking_at <= {{ moment_after(
                'calls.call_started_at', 'params.late_booking_days * 86400'
            ) }} then 1
            else 0
        end), 0, 0
    from calls
    cross join params
    where calls.is_reviewed = 1 and calls.is_target = 1 and calls.is_booked = 0
        and calls.is_service_call = 0 and calls.is_excluded_category = 0 and calls.is_client = 1
    group by
        calls.week_start_date, calls.review_week,
        calls.outcome, calls.call_category, calls.service_group

    union all

    select
        week_start_date, review_week, 'booking' as fact, service_group, source_channel, '',
        count(*), sum(is_booked), 0, 0
    from calls
    where is_reviewed = 1 and wants_booking = 1
    group by week_start_date, review_week, service_group, source_channel

    union all

    select
        week_start_date, review_week, 'target' as fact, source_channel,
        cast(call_hour as char(2)), '', count(*), sum(is_target), 0, 0
    from calls
    where is_reviewed = 1 and is_answered = 1 and direction = 'in'
    group by week_start_date, review_week, source_channel, call_hour

    union all

    select
        calls.week_start_date, calls.week_start_date as known_week, 'call_again' as fact,
        '', '', '', count(*),
        sum(case
            when calls.next_need_at <= {{ moment_after(
                'calls.call_started_at', 'params.contact_hours * 3600'
            ) }} then 1
            else 0
        end), 0, 0
    from calls
    cross join params
    where calls.direction = 'in' and calls.is_answered = 0 and calls.is_short_abandon = 0
        and calls.is_client = 1
    group by calls.week_start_date

    union all

    select
        week_start_date, review_week, 'ticket' as fact, '', '', '', count(*), 0,
        sum(service_ticket), 0
    from calls
    where is_reviewed = 1 and wants_booking = 1 and service_ticket is not null
    group by week_start_date, review_week

    union all

    select
        calls.week_start_date, calls.review_week, 'loss' as fact, '', '', '', count(*), 0,
        sum(
            coalesce(calls.service_ticket, median_ticket.ticket)
            * coalesce(avoidable.value, params.avoidable_other_reason)
        ), 0
    from calls
    cross join params
    cross join median_ticket
    {{ join_param(
        'avoidable', 'avoidable', "coalesce(calls.refusal_code, 'MISSING')", "'default_v1'"
    ) }}
    where calls.is_reviewed = 1 and calls.wants_booking = 1 and calls.is_booked = 0
        and calls.is_objective_refusal = 0 and calls.is_service_call = 0
    group by calls.week_start_date, calls.review_week

    union all

    -- key_2 is the other service that followed in time, empty where none did.
    select
        week_start_date, review_week, 'cross_sell' as fact, service_group, other_group, '',
        count(*), 0, 0, 0
    from (
        select
            calls.week_start_date,
            calls.review_week,
            calls.service_group,
            case
                when calls.next_other_service_at <= {{ moment_after(
                    'calls.call_started_at', 'params.cross_sell_days * 86400'
                ) }} then calls.next_other_service_group
                else ''
            end as other_group
        from calls
        cross join params
        where calls.is_reviewed = 1 and calls.is_target = 1 and calls.is_client = 1
            and calls.service_group <> 'unknown'
    ) as followed
    group by week_start_date, review_week, service_group, other_group

    union all

    select
        week_start_date, review_week, 'checklist' as fact, coalesce(checklist, 'unknown'),
        cast(checklist_items as char(16)), '', count(*), 0, 0, 0
    from calls
    where is_reviewed = 1 and checklist_items >= 0
    group by week_start_date, review_week, coalesce(checklist, 'unknown'), checklist_items

    union all

    select
        calls.week_start_date, calls.review_week, 'score' as fact, calls.outcome, '', '',
        count(*), 0,
        sum({{ plain_scaled_score() }} * 1e0), 0
    from calls
    cross join params
    where calls.is_reviewed = 1 and calls.call_score_raw > 0
        and calls.call_score_raw <= params.score_max
    group by calls.week_start_date, calls.review_week, calls.outcome

)

select
    week_start_date,
    known_week,
    cast(fact as char(32)) as fact,
    cast(key_1 as char(255)) as key_1,
    cast(key_2 as char(128)) as key_2,
    cast(key_3 as char(64)) as key_3,
    n,
    hits,
    sum_1,
    sum_2

from facts

where week_start_date is not null and known_week is not null
