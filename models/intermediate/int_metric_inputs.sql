{{ config(
    materialized='incremental',
    feed={
        'kind': 'by_key',
        'of': 'fct_call',
        'dates': {
            'int_review_batches': ['review_date', 'review_date'],
            'lm_reference': ['as_of_date', 'week_start_date'],
        },
        'open_days': 'open_window_days',
    },
    unique_key=['history_id'],
    keys=[
        'primary key (history_id)',
        'key idx_int_metric_inputs_change (change_id)',
    ],
    partitioned_by='history_id',
    remembered_columns=['call_date'],
    parent='fct_call',
    marks_dates='days_of_calls_counted_otherwise',
    marks_dates_of='lm_value',
) }}

{%- set no_event = "cast('9999-12-31' as datetime)" %}

with

params as (

    select * from {{ ref('int_rule_params') }}

),

calls as (

    select * from {{ ref('fct_call') }}
    where {{ in_batch() }}

),

dated as (

    select
        calls.*,
        coalesce(
            off_days.day_kind,
            case when calls.call_weekday >= 6 then 'weekend' else 'workday' end
        ) as day_kind

    from calls

    left join {{ ref('lm_holidays') }} as off_days
        on calls.call_date = off_days.calendar_date

),

-- The first profile, by priority, whose conditions the call meets.
profiled as (

    select
        dated.*,
        (
            select profiles.calc_profile
            from {{ ref('lm_calc_profiles') }} as profiles
            where (profiles.day_kind is null or profiles.day_kind = dated.day_kind)
                and (
                    profiles.hour_from is null
                    or case
                        when profiles.hour_from < profiles.hour_to
                            then dated.call_hour >= profiles.hour_from
                            and dated.call_hour < profiles.hour_to
                        else dated.call_hour >= profiles.hour_from
                            or dated.call_hour < profiles.hour_to
                    end
                )
                and (
                    profiles.weekdays is null
                    or instr(profiles.weekdays, dated.call_weekday) > 0
                )
                and (profiles.date_from is null or dated.call_date >= profiles.date_from)
                and (profiles.date_to is null or dated.call_date <= profiles.date_to)
                and (
                    profiles.source_channel is null
                    or dated.source_channel = profiles.source_channel
                )
                and (profiles.service_group is null or dated.service_group = profiles.service_group)
            order by profiles.priority
            limit 1
        ) as calc_profile

    from dated

    {{ kept_apart() }}

),

-- Constants of the call's week; a narrower level that has no row falls back on the wider one,
-- and the widest on a parameter.
looked_up as (

    select
        calls.*,
        profiles.rule as profile_rule,
        coalesce(talk.value, talk_default.value, params.talk_m_all) as talk_m,
        coalesce(talk.spread, spread_default.value, params.talk_s_all) as talk_s,
        coalesce(talk.n, 0) as talk_n,
        coalesce(category_talk.value, params.talk_m_all) as category_talk_m,
        coalesce(category_talk.spread, params.talk_s_all) as category_talk_s,
        coalesce(category_talk.n, 0) as category_talk_n,
        coalesce(hour_load.value, 1) as load_factor,
        coalesce(hour_load.n, 0) as load_n,
        coalesce(late_outcome.value, late_default.value, params.late_prior_other)
            as late_outcome_share,
        late_category.value as late_category_value,
        late_service.value as late_service_value,
        coalesce(late_service.n, late_category.n, late_outcome.n, 0) as late_n,
        coalesce(
            booking_source.value, booking_group.value, booking_all.value, params.booking_share_prior
        ) as booking_share,
        coalesce(booking_source.n, booking_group.n, booking_all.n, 0) as booking_n,
        coalesce(
            target_hour.value, target_source.value, target_all.value, params.target_share_prior
        ) as target_share,
        coalesce(call_again.value, params.call_again_prior) as call_again_share,
        coalesce(mean_ticket.value, median_ticket.ticket) as mean_ticket,
        coalesce(
            loss_scale.value, 0.6 * median_ticket.ticket * params.booking_share_prior
        ) as loss_scale,
        median_ticket.ticket as median_ticket,
        median_ticket.has_prices,
        coalesce(avoidable.value, params.avoidable_other_reason) as loss_avoidable,
        coalesce(cross_sell.value, affinities.share, params.cross_sell_prior) as cross_sell_share,
        coalesce(cross_sell.n, 0) as cross_sell_n,
        {%- for rank in [1, 2, 3] %}
        suggest_{{ rank }}.label as suggest_{{ rank }}_group,
        suggest_{{ rank }}.value as suggest_{{ rank }}_confidence,
        suggest_{{ rank }}.spread as suggest_{{ rank }}_lift,
        suggest_{{ rank }}.n as suggest_{{ rank }}_n,
        {%- endfor %}
        case when checklists.checklist is null then 0 else 1 end as is_checklist_known,
        coalesce(
            checklists.items_total,
            greatest(params.checklist_min_items, coalesce(checklist_max.value, 0))
        ) as checklist_length,
        coalesce(checklist_max.n, 0) as checklist_n,
        checklists.coverage as known_coverage,
        checklists.coverage_lo as checklist_coverage_lo,
        checklists.coverage_hi as checklist_coverage_hi,
        calibrations.scale as calibrated_scale,
        coalesce(calibrations.score_offset, 0) as score_offset,
        batches.review_count as review_batch_n,
        batches.share_over_10,
        batches.operator_count,
        batches.mean_residual

    from profiled as calls

    inner join params
        on calls.calc_profile = params.profile_code

    inner join {{ ref('lm_calc_profiles') }} as profiles
        on calls.calc_profile = profiles.calc_profile

    cross join {{ ref('int_median_ticket') }} as median_ticket

    {{ join_param('talk_default', 'talk_m', 'calls.talk_class') }}

    {{ join_param('spread_default', 'talk_s', 'calls.talk_class') }}

    {{ join_param('late_default', 'late_prior', 'calls.outcome') }}

    {{ join_param('avoidable', 'avoidable', "coalesce(calls.refusal_code, 'MISSING')") }}

    {{ join_constant('talk', 'talk_length', 'calls.talk_class') }}

    {{ join_constant('category_talk', 'talk_length_category', 'calls.call_category') }}

    {{ join_constant(
        'hour_load', 'load_factor', "concat(calls.call_weekday, '|', calls.call_hour)"
    ) }}

    {{ join_constant('late_outcome', 'late_booking_rate', 'calls.outcome') }}

    {{ join_constant(
        'late_category', 'late_booking_rate', "concat(calls.outcome, '|', calls.call_category)"
    ) }}

    {{ join_constant(
        'late_service', 'late_booking_rate',
        "concat(calls.outcome, '|', calls.call_category, '|', calls.service_group)"
    ) }}

    {{ join_constant('booking_all', 'booking_share', "'all'") }}

    {{ join_constant('booking_group', 'booking_share', 'calls.service_group') }}

    {{ join_constant(
        'booking_source', 'booking_share', "concat(calls.service_group, '|', calls.source_channel)"
    ) }}

    {{ join_constant('target_all', 'target_share', "'all'") }}

    {{ join_constant('target_source', 'target_share', 'calls.source_channel') }}

    {{ join_constant(
        'target_hour', 'target_share', "concat(calls.source_channel, '|', calls.call_hour)"
    ) }}

    {{ join_constant('call_again', 'call_again_rate', "'all'") }}

    {{ join_constant('mean_ticket', 'mean_ticket', "'all'") }}

    {{ join_constant('loss_scale', 'loss_scale', "'all'") }}

    {{ join_constant('cross_sell', 'cross_sell_any', 'calls.service_group') }}

    {%- for rank in [1, 2, 3] %}

    {{ join_constant(
        'suggest_' ~ rank, 'cross_sell_suggest', "concat(calls.service_group, '|" ~ rank ~ "')"
    ) }}
    {%- endfor %}

    {{ join_constant('checklist_max', 'checklist_max', "coalesce(calls.checklist, 'unknown')") }}

    left join {{ ref('int_affinity_priors') }} as affinities
        on calls.service_group = affinities.service_group

    left join {{ ref('int_checklist_coverage') }} as checklists
        on calls.checklist = checklists.checklist
        and calls.review_date >= checklists.valid_from
        and (checklists.valid_before is null or calls.review_date < checklists.valid_before)
        and checklists.items_met = greatest(0, least(calls.checklist_items, checklists.items_total))

    left join {{ ref('lm_score_calibration') }} as calibrations
        on calls.review_date between calibrations.valid_from and calibrations.valid_to

    left join {{ ref('int_review_batches') }} as batches
        on calls.review_date = batches.review_date

    {{ kept_apart() }}

),

-- What is made of one input or two.
derived as (

    select
        calls.*,
        (ln(nullif(calls.talk_sec, 0)) - ln(calls.talk_m)) / calls.talk_s as talk_z,
        (ln(nullif(calls.talk_sec, 0)) - ln(calls.category_talk_m)) / calls.category_talk_s
            as category_talk_z,
        coalesce(calls.late_category_value, calls.late_outcome_share) as late_category_share,
        coalesce(
            calls.late_service_value, calls.late_category_value, calls.late_outcome_share
        ) as late_share,
        case
            when calls.checklist_items < 0 or calls.checklist_items is null then null
            when calls.is_checklist_known = 1 then calls.known_coverage
            else 100e0 * least(calls.checklist_items, calls.checklist_length)
                / calls.checklist_length
        end as checklist_coverage,
        case
            when calls.calibrated_scale is not null then calls.calibrated_scale
            when calls.call_score_raw > 10 then 1
            when calls.share_over_10 >= params.batch_share_over_10 then 1
            else 10
        end as score_factor,
        case
            when calls.calibrated_scale is null and calls.call_score_raw <= 10
                and coalesce(calls.review_batch_n, 0) < params.batch_min_reviews then 1
            else 0
        end as is_scale_guess,
        case
            when params.score_bias_mode = 2
                and calls.review_batch_n >= params.bias_min_reviews
                and calls.operator_count >= params.bias_min_operators
                then coalesce(
                    least(
                        params.bias_max_points,
                        greatest(
                            -params.bias_max_points,
                            calls.mean_residual * calls.review_batch_n
                            / (calls.review_batch_n + params.bias_prior_reviews)
                        )
                    ),
                    0
                )
            else 0
        end as score_bias,
        {{ moment_after('calls.call_started_at', 'params.contact_hours * 3600') }}
            as contact_until,
        {{ moment_after('calls.call_started_at', 'params.complaint_promise_hours * 3600') }}
            as promised_until,
        case
            when calls.is_booked = 1 or calls.caller_key is null or calls.is_frequent_number = 1
                then 0
            when calls.next_booking_at <= {{ as_of() }} then 0
            when {{ moment_after('calls.call_started_at', 'params.late_booking_days * 86400') }}
                > {{ as_of() }} then 1
            else 0
        end as is_booking_open,
        case
            when calls.direction = 'in' and calls.is_answered = 0 and calls.is_short_abandon = 0
                then 'N1'
            when calls.call_category = 'complaint' then 'N2'
            when calls.refusal_code = 'OPERATOR_WILL_CLARIFY' and calls.is_booked = 0 then 'N3'
            when calls.pbx_status = 0 and calls.is_answered = 1 and calls.is_target = 1
                and calls.is_booked = 0 then 'N4'
            when calls.outcome = 'cancelled_by_operator' then 'N5'
            when calls.wants_booking = 1 and calls.is_booked = 0 and calls.is_objective_refusal = 0
                then 'N6'
        end as followup_need,
        least(
            coalesce(calls.next_booking_at, {{ no_event }}),
            coalesce(calls.next_outgoing_answered_at, {{ no_event }}),
            coalesce(calls.next_incoming_answered_at, {{ no_event }}),
            coalesce(calls.next_need_at, {{ no_event }})
        ) as first_event_at

    from looked_up as calls

    inner join params
        on calls.calc_profile = params.profile_code

    {{ kept_apart() }}

),

followed_up as (

    select
        calls.*,
        case
            when calls.is_frequent_number = 1 then 'FREQUENT_NUMBER'
            when calls.followup_need = 'N2' then null
            when calls.is_booked = 1 and calls.followup_need <> 'N1' then 'BOOKED'
            when calls.is_objective_refusal = 1 and calls.followup_need <> 'N1'
                then 'OBJECTIVE_REFUSAL'
            when calls.is_excluded_category = 1 then 'EXCLUDED_CATEGORY'
            when calls.is_target = 0 and calls.followup_need <> 'N1' then 'NOT_TARGET'
        end as followup_denied,
        case
            when calls.first_event_at <= {{ as_of() }}
                then case calls.first_event_at
                    when calls.next_booking_at then 'CLOSED_BY_BOOKING'
                    when calls.next_outgoing_answered_at then 'CLOSED_BY_CALLBACK'
                    when calls.next_incoming_answered_at then 'CLOSED_BY_CLIENT'
                    else 'SUPERSEDED'
                end
            when {{ moment_after('calls.call_started_at', 'params.followup_expires_days * 86400') }}
                < {{ as_of() }} then 'EXPIRED'
        end as followup_closed,
        case
            when calls.first_event_at <= {{ as_of() }} then calls.first_event_at
        end as followup_closed_at,
        priority.value as followup_priority,
        case
            when calls.followup_need = 'N1' and params.callback_due_hour is not null
                then case
                    when calls.day_kind = 'workday' and calls.call_hour < params.callback_due_hour
                        then timestampadd(
                            hour, params.callback_due_hour, cast(calls.call_date as datetime)
                        )
                    else {{ next_workday('calls.call_date', 'params.callback_due_hour') }}
                end
            when calls.followup_need = 'N1'
                then {{ moment_after('calls.call_started_at', 'params.callback_sla_min * 60') }}
            else {{ moment_after('calls.call_started_at', '3600 * due_hours.value') }}
        end as followup_due_at,
        params.score_max,
        params.complaint_dropped_sec

    from derived as calls

    inner join params
        on calls.calc_profile = params.profile_code

    {{ join_param('priority', 'followup_priority', 'calls.followup_need') }}

    {{ join_param('due_hours', 'followup_due_hours', 'calls.followup_need') }}

    {{ kept_apart() }}

)

select
    history_id,
    call_score_id,
    change_id as call_change_id,
    calc_profile,
    profile_rule,
    call_started_at,
    call_date,
    call_hour,
    call_weekday,
    week_start_date,
    caller_key,
    direction,
    is_answered,
    await_sec,
    talk_sec,
    total_sec,
    is_short_abandon,
    pbx_status,
    is_frequent_number,
    is_last_of_caller,
    is_reviewed,
    call_category,
    outcome,
    refusal_code,
    service_group,
    service_recurrence,
    is_target,
    is_booked,
    wants_booking,
    is_service_call,
    is_excluded_category,
    is_objective_refusal,
    has_type_conflict,
    has_target_conflict,
    has_outcome_conflict,
    has_direction_conflict,
    has_start_conflict,
    calls_in_72h,
    bookings_72h,
    calls_2d,
    calls_7d,
    calls_30d,
    unanswered_7d,
    bookings_180d,
    cancellations_180d,
    bookings_365d,
    days_since_last_call,
    attempts_14d,
    -- The talk against what is usual.
    talk_class,
    talk_m,
    talk_z,
    talk_n,
    category_talk_z,
    category_talk_n,
    load_factor,
    load_n,
    -- Whether the caller books later.
    late_outcome_share,
    late_category_share,
    late_share,
    late_n,
    is_booking_open,
    case when has_prices = 1 then coalesce(service_ticket, median_ticket) end as booking_ticket,
    -- What a call without a booking costs.
    case
        when is_answered = 0 then mean_ticket
        else coalesce(service_ticket, median_ticket)
    end as loss_ticket,
    booking_share * case when is_answered = 0 then target_share else 1 end as loss_chance,
    1 - case when is_answered = 0 then call_again_share else late_share end as loss_no_return,
    loss_avoidable,
    loss_scale,
    booking_n,
    has_prices,
    case when service_ticket is null then 0 else 1 end as has_service_ticket,
    case
        when next_incoming_answered_at <= contact_until
            and next_incoming_answered_at <= {{ as_of() }} then 1
        when next_outgoing_answered_at <= contact_until
            and next_outgoing_answered_at <= {{ as_of() }} then 1
        else 0
    end as is_contacted,
    coalesce(contact_until > {{ as_of() }}, 0) as is_contact_open,
    -- What else the caller may need.
    cross_sell_share,
    cross_sell_n,
    {%- for rank in [1, 2, 3] %}
    suggest_{{ rank }}_group,
    suggest_{{ rank }}_confidence,
    suggest_{{ rank }}_lift,
    suggest_{{ rank }}_n,
    {%- endfor %}
    -- The review.
    checklist_items,
    checklist_length,
    checklist_n,
    is_checklist_known,
    checklist_coverage,
    checklist_coverage_lo,
    checklist_coverage_hi,
    call_score_raw,
    score_factor,
    is_scale_guess,
    score_offset,
    score_bias,
    review_batch_n,
    case
        when is_reviewed = 0 or is_excluded_category = 1 then null
        when call_score_raw < 0 or call_score_raw > score_max then null
        when call_score_raw = 0 and is_target = 0 then null
        else
            least(100, greatest(0, call_score_raw * score_factor + score_offset - score_bias))
    end as score,
    -- What came after the call.
    case
        when refusal_code = 'OPERATOR_WILL_CLARIFY' and is_booked = 0
            and promised_until <= {{ as_of() }}
            and coalesce(next_outgoing_answered_at > promised_until, 1) = 1 then 1
        else 0
    end as is_promise_broken,
    case
        when pbx_status = 0 and is_answered = 1
            and next_need_at
            <= {{ moment_after('call_started_at', 'complaint_dropped_sec') }}
            and next_need_at <= {{ as_of() }} then 1
        else 0
    end as is_dropped,
    followup_need,
    followup_denied,
    followup_closed,
    timestampdiff(second, call_started_at, followup_closed_at) as followup_closed_after_sec,
    followup_priority,
    followup_due_at,
    case
        when followup_need is not null and followup_denied is null and followup_closed is null
            and followup_due_at < {{ as_of() }} then 1
        else 0
    end as is_followup_overdue

from followed_up
