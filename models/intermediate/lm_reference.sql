{{ config(
    materialized='incremental',
    unique_key=['constant_code', 'constant_key', 'as_of_date'],
    keys=[
        'primary key (constant_code, constant_key, as_of_date)',
        'key idx_lm_reference_change (change_id)',
        'key idx_lm_reference_date (as_of_date)',
    ],
) }}

{%- set talk_classes = ['record', 'info', 'cancelled', 'lead', 'non_target', 'all'] %}
{%- set late_outcomes = ['lead_no_record', 'refused', 'info_only', 'none'] %}
{%- set refusals = [
    'TIME_GENERAL', 'OPERATOR_WILL_CLARIFY', 'URGENCY_NO_SLOTS', 'DOCTOR_UNAVAILABLE',
    'PATIENT_WILL_CLARIFY', 'PRICE', 'LOCATION_INCONVENIENT', 'MISSING',
] %}

with

params as (

    select * from {{ ref('int_rule_params') }} where calc_profile = 'default_v1'

),

weeks as (

    select distinct week_start_date as as_of_date from {{ ref('fct_call') }}
    where {{ in_batch() }}

),

-- What was known on that Monday: calls before it, and what reviews before it said.
history as (

    select
        weeks.as_of_date,
        calls.*,
        case when calls.review_date < weeks.as_of_date then 1 else 0 end as is_review_known

    from weeks

    cross join params

    inner join {{ ref('fct_call') }} as calls
        on calls.call_date < weeks.as_of_date
        and calls.call_date >= date_sub(weeks.as_of_date, interval cast(params.window_days as signed) day)

),

reviewed as (

    select * from history where is_review_known = 1

),

-- About the 90th percentile of the delay, taken as normal.
review_lags as (

    select
        weeks.as_of_date,
        count(delays.delay_days) as n,
        case
            when count(delays.delay_days) < 20 then max(params.default_review_lag_days)
            else least(
                max(params.max_review_lag_days),
                ceiling(avg(delays.delay_days) + 1.2816 * stddev_pop(delays.delay_days))
            )
        end as lag_days

    from weeks

    cross join params

    left join (
        select as_of_date, timestampdiff(second, call_started_at, reviewed_at) / 86400e0 as delay_days
        from reviewed
    ) as delays
        on weeks.as_of_date = delays.as_of_date

    group by weeks.as_of_date

),

talks as (

    select
        as_of_date,
        'all' as talk_class,
        ln(talk_sec) as log_talk
    from history
    where is_answered = 1 and direction in ('in', 'out')

    union all

    select
        as_of_date,
        {{ talk_class() }} as talk_class,
        ln(talk_sec) as log_talk
    from reviewed
    where is_answered = 1 and {{ talk_class() }} <> 'all'

),

talk_lengths as (

    select
        talks.as_of_date,
        talks.talk_class,
        count(*) as n,
        avg(talks.log_talk) as log_mean,
        var_pop(talks.log_talk) as log_variance,
        max(params.talk_prior_calls) as prior_n,
        max({{ param_of('talk_m', 'talks.talk_class', talk_classes) }}) as prior_m,
        max({{ param_of('talk_s', 'talks.talk_class', talk_classes) }}) as prior_s

    from talks

    cross join params

    group by talks.as_of_date, talks.talk_class

),

category_talk_lengths as (

    select
        reviewed.as_of_date,
        reviewed.call_category,
        count(*) as n,
        avg(ln(reviewed.talk_sec)) as log_mean,
        var_pop(ln(reviewed.talk_sec)) as log_variance,
        max(params.talk_prior_calls) as prior_n,
        max(params.talk_m_all) as prior_m,
        max(params.talk_s_all) as prior_s

    from reviewed

    cross join params

    where reviewed.is_answered = 1

    group by reviewed.as_of_date, reviewed.call_category

),

hour_loads as (

    select
        history.as_of_date,
        history.call_weekday,
        history.call_hour,
        count(*) as n,
        sum(case when history.is_answered = 1 then history.talk_sec + params.wrapup_sec else 0 end)
            as work_sec,
        max(params.load_weeks) as load_weeks,
        max(params.load_prior_weeks) as prior_weeks,
        max(params.load_factor_min) as factor_min,
        max(params.load_factor_max) as factor_max

    from history

    cross join params

    where history.call_date >= date_sub(
            history.as_of_date, interval cast(7 * params.load_weeks as signed) day
        )

    group by history.as_of_date, history.call_weekday, history.call_hour

),

relative_loads as (

    select
        hour_loads.*,
        hour_loads.work_sec / nullif(
            avg(hour_loads.work_sec) over (partition by hour_loads.as_of_date), 0
        ) as relative_load,
        greatest(1, least(
            hour_loads.load_weeks, floor(datediff(hour_loads.as_of_date, first_call.call_date) / 7)
        )) as weeks_seen

    from hour_loads

    cross join (select min(call_date) as call_date from {{ ref('fct_call') }}) as first_call

),

late_calls as (

    select
        reviewed.as_of_date,
        reviewed.outcome,
        concat(reviewed.outcome, '|', reviewed.call_category) as category_key,
        concat(reviewed.outcome, '|', reviewed.call_category, '|', reviewed.service_group) as service_key,
        case
            when reviewed.next_booking_at <= timestampadd(
                second, params.late_booking_days * 86400, reviewed.call_started_at
            ) then 1
            else 0
        end as is_late_booking

    from reviewed

    cross join params

    inner join review_lags
        on reviewed.as_of_date = review_lags.as_of_date

    where reviewed.is_target = 1
        and reviewed.is_booked = 0
        and reviewed.is_service_call = 0
        and reviewed.is_excluded_category = 0
        and reviewed.is_frequent_number = 0
        and reviewed.caller_key is not null
        and reviewed.call_date < date_sub(
            reviewed.as_of_date,
            interval cast(params.late_booking_days + review_lags.lag_days as signed) day
        )

),

late_by_outcome as (

    select
        late_calls.as_of_date,
        late_calls.outcome,
        count(*) as n,
        {{ smoothed_share(
            'late_calls.is_late_booking',
            param_of('late_prior', 'late_calls.outcome', late_outcomes, 'params.late_prior_other')
        ) }} as share

    from late_calls

    cross join params

    group by late_calls.as_of_date, late_calls.outcome

),

late_by_category as (

    select
        late_calls.as_of_date,
        late_calls.category_key,
        count(*) as n,
        {{ smoothed_share('late_calls.is_late_booking', 'late_by_outcome.share') }} as share

    from late_calls

    cross join params

    inner join late_by_outcome
        on late_calls.as_of_date = late_by_outcome.as_of_date
        and late_calls.outcome = late_by_outcome.outcome

    group by late_calls.as_of_date, late_calls.category_key

),

late_by_service as (

    select
        late_calls.as_of_date,
        late_calls.service_key,
        count(*) as n,
        {{ smoothed_share('late_calls.is_late_booking', 'late_by_category.share') }} as share

    from late_calls

    cross join params

    inner join late_by_category
        on late_calls.as_of_date = late_by_category.as_of_date
        and late_calls.category_key = late_by_category.category_key

    group by late_calls.as_of_date, late_calls.service_key

),

booking_calls as (

    select
        as_of_date,
        is_booked,
        service_group,
        concat(service_group, '|', source_channel) as source_key

    from reviewed

    where wants_booking = 1

),

booking_share_all as (

    select
        booking_calls.as_of_date,
        count(*) as n,
        {{ smoothed_share('booking_calls.is_booked', 'params.booking_share_prior') }} as share

    from booking_calls

    cross join params

    group by booking_calls.as_of_date

),

booking_share_by_group as (

    select
        booking_calls.as_of_date,
        booking_calls.service_group,
        count(*) as n,
        {{ smoothed_share('booking_calls.is_booked', 'booking_share_all.share') }} as share

    from booking_calls

    cross join params

    inner join booking_share_all
        on booking_calls.as_of_date = booking_share_all.as_of_date

    group by booking_calls.as_of_date, booking_calls.service_group

),

booking_share_by_source as (

    select
        booking_calls.as_of_date,
        booking_calls.source_key,
        count(*) as n,
        {{ smoothed_share('booking_calls.is_booked', 'booking_share_by_group.share') }} as share

    from booking_calls

    cross join params

    inner join booking_share_by_group
        on booking_calls.as_of_date = booking_share_by_group.as_of_date
        and booking_calls.service_group = booking_share_by_group.service_group

    group by booking_calls.as_of_date, booking_calls.source_key

),

target_calls as (

    select
        as_of_date,
        is_target,
        source_channel,
        concat(source_channel, '|', call_hour) as hour_key

    from reviewed

    where is_answered = 1 and direction = 'in'

),

target_share_all as (

    select
        target_calls.as_of_date,
        count(*) as n,
        {{ smoothed_share('target_calls.is_target', 'params.target_share_prior') }} as share

    from target_calls

    cross join params

    group by target_calls.as_of_date

),

target_share_by_source as (

    select
        target_calls.as_of_date,
        target_calls.source_channel,
        count(*) as n,
        {{ smoothed_share('target_calls.is_target', 'target_share_all.share') }} as share

    from target_calls

    cross join params

    inner join target_share_all
        on target_calls.as_of_date = target_share_all.as_of_date

    group by target_calls.as_of_date, target_calls.source_channel

),

target_share_by_hour as (

    select
        target_calls.as_of_date,
        target_calls.hour_key,
        count(*) as n,
        {{ smoothed_share('target_calls.is_target', 'target_share_by_source.share') }} as share

    from target_calls

    cross join params

    inner join target_share_by_source
        on target_calls.as_of_date = target_share_by_source.as_of_date
        and target_calls.source_channel = target_share_by_source.source_channel

    group by target_calls.as_of_date, target_calls.hour_key

),

call_again as (

    select
        history.as_of_date,
        count(*) as n,
        {{ smoothed_share(
            "case when history.next_incoming_at <= timestampadd(second, params.contact_hours * 3600, history.call_started_at) then 1 else 0 end",
            'params.call_again_prior'
        ) }} as share

    from history

    cross join params

    where history.direction = 'in'
        and history.is_answered = 0
        and history.is_short_abandon = 0
        and history.is_frequent_number = 0
        and history.caller_key is not null
        and history.call_date < date_sub(history.as_of_date, interval 1 day)

    group by history.as_of_date

),

median_ticket as (

    select * from {{ ref('int_median_ticket') }}

),

tickets as (

    select
        reviewed.as_of_date,
        count(reviewed.service_ticket) as n,
        (coalesce(sum(reviewed.service_ticket), 0) + max(params.smoothing_calls * median_ticket.ticket))
        / (count(reviewed.service_ticket) + max(params.smoothing_calls)) as mean_ticket

    from reviewed

    cross join params

    cross join median_ticket

    where reviewed.wants_booking = 1

    group by reviewed.as_of_date

),

losses as (

    select
        reviewed.as_of_date,
        count(*) as n,
        avg(
            coalesce(reviewed.service_ticket, median_ticket.ticket)
            * {{ param_of(
                'avoidable', "coalesce(reviewed.refusal_code, 'MISSING')", refusals,
                'params.avoidable_other_reason'
            ) }}
        ) as mean_at_stake,
        max(params.smoothing_calls) as prior_n,
        max(params.late_prior_lead_no_record) as late_prior,
        max(median_ticket.ticket) as median_ticket

    from reviewed

    cross join params

    cross join median_ticket

    where reviewed.wants_booking = 1
        and reviewed.is_booked = 0
        and reviewed.is_objective_refusal = 0
        and reviewed.is_service_call = 0

    group by reviewed.as_of_date

),

-- The chance of another service takes half a year to show: these callers asked before that.
service_callers as (

    select
        weeks.as_of_date,
        calls.service_group,
        calls.caller_key,
        max(case
            when calls.next_other_service_at <= timestampadd(
                second, params.cross_sell_days * 86400, calls.call_started_at
            ) then 1
            else 0
        end) as has_other

    from weeks

    cross join params

    inner join {{ ref('fct_call') }} as calls
        on calls.call_date < date_sub(
            weeks.as_of_date, interval cast(params.cross_sell_days as signed) day
        )
        and calls.call_date >= date_sub(
            weeks.as_of_date, interval cast(params.cross_sell_days + params.window_days as signed) day
        )

    where calls.review_date < weeks.as_of_date
        and calls.is_target = 1
        and calls.service_group <> 'unknown'
        and calls.caller_key is not null
        and calls.is_frequent_number = 0

    group by weeks.as_of_date, calls.service_group, calls.caller_key

),

service_pairs as (

    select
        weeks.as_of_date,
        calls.service_group,
        calls.next_other_service_group as other_group,
        count(distinct calls.caller_key) as callers

    from weeks

    cross join params

    inner join {{ ref('fct_call') }} as calls
        on calls.call_date < date_sub(
            weeks.as_of_date, interval cast(params.cross_sell_days as signed) day
        )
        and calls.call_date >= date_sub(
            weeks.as_of_date, interval cast(params.cross_sell_days + params.window_days as signed) day
        )

    where calls.review_date < weeks.as_of_date
        and calls.is_target = 1
        and calls.service_group <> 'unknown'
        and calls.caller_key is not null
        and calls.is_frequent_number = 0
        and calls.next_other_service_at <= timestampadd(
            second, params.cross_sell_days * 86400, calls.call_started_at
        )

    group by weeks.as_of_date, calls.service_group, calls.next_other_service_group

),

affinity_priors as (

    select * from {{ ref('int_affinity_priors') }}

),

cross_sell as (

    select
        service_callers.as_of_date,
        service_callers.service_group,
        count(*) as n,
        {{ smoothed_share(
            'service_callers.has_other', 'coalesce(affinity_priors.share, params.cross_sell_prior)'
        ) }} as share

    from service_callers

    cross join params

    left join affinity_priors
        on service_callers.service_group = affinity_priors.service_group

    group by service_callers.as_of_date, service_callers.service_group

),

-- Lift: how much more often than among all callers the other service follows.
pair_lifts as (

    select
        service_pairs.as_of_date,
        service_pairs.service_group,
        service_pairs.other_group,
        cross_sell.n,
        service_pairs.callers * 1e0 / cross_sell.n as confidence,
        (service_pairs.callers * 1e0 / cross_sell.n)
        / nullif(
            sum(service_pairs.callers) over (
                partition by service_pairs.as_of_date, service_pairs.other_group
            ) * 1e0 / all_callers.n,
            0
        ) as lift

    from service_pairs

    inner join cross_sell
        on service_pairs.as_of_date = cross_sell.as_of_date
        and service_pairs.service_group = cross_sell.service_group

    inner join (
        select as_of_date, count(*) as n from service_callers group by as_of_date
    ) as all_callers
        on service_pairs.as_of_date = all_callers.as_of_date

),

suggestions as (

    select
        pair_lifts.*,
        row_number() over (
            partition by pair_lifts.as_of_date, pair_lifts.service_group
            order by pair_lifts.confidence desc, pair_lifts.other_group
        ) as suggestion_rank

    from pair_lifts

    cross join params

    where pair_lifts.n >= params.suggest_min_callers
        and pair_lifts.lift >= params.suggest_min_lift

),

checklist_counts as (

    select
        reviewed.as_of_date,
        coalesce(reviewed.checklist, 'unknown') as checklist,
        reviewed.checklist_items,
        row_number() over (
            partition by reviewed.as_of_date, coalesce(reviewed.checklist, 'unknown')
            order by reviewed.checklist_items
        ) as item_rank,
        count(*) over (
            partition by reviewed.as_of_date, coalesce(reviewed.checklist, 'unknown')
        ) as n

    from reviewed

    where reviewed.checklist_items >= 0

),

checklist_lengths as (

    select
        checklist_counts.as_of_date,
        checklist_counts.checklist,
        max(checklist_counts.n) as n,
        -- The smallest count that 99 of 100 reviews do not pass.
        min(case
            when checklist_counts.item_rank >= 0.99 * checklist_counts.n
                then checklist_counts.checklist_items
        end) as items

    from checklist_counts

    cross join params

    where checklist_counts.n >= params.checklist_min_reviews

    group by checklist_counts.as_of_date, checklist_counts.checklist

),

score_means as (

    select
        reviewed.as_of_date,
        reviewed.outcome,
        count(*) as n,
        avg({{ plain_scaled_score() }} * 1e0) as mean_score

    from reviewed

    cross join params

    where reviewed.call_score_raw > 0 and reviewed.call_score_raw <= params.score_max

    group by reviewed.as_of_date, reviewed.outcome

),

constants as (

    select 'review_lag' as constant_code, 'all' as constant_key, as_of_date,
        lag_days as value, null as spread, n, null as label
    from review_lags

    union all

    select 'talk_length', talk_class, as_of_date,
        exp((n * log_mean + prior_n * ln(prior_m)) / (n + prior_n)),
        sqrt((n * log_variance + prior_n * prior_s * prior_s) / (n + prior_n)), n, null
    from talk_lengths

    union all

    select 'talk_length_category', call_category, as_of_date,
        exp((n * log_mean + prior_n * ln(prior_m)) / (n + prior_n)),
        sqrt((n * log_variance + prior_n * prior_s * prior_s) / (n + prior_n)), n, null
    from category_talk_lengths

    union all

    select 'load_factor', concat(call_weekday, '|', call_hour), as_of_date,
        greatest(factor_min, least(
            factor_max, (weeks_seen * relative_load + prior_weeks) / (weeks_seen + prior_weeks)
        )), null, n, null
    from relative_loads
    where relative_load is not null

    union all

    select 'late_booking_rate', outcome, as_of_date, share, null, n, null from late_by_outcome

    union all

    select 'late_booking_rate', category_key, as_of_date, share, null, n, null from late_by_category

    union all

    select 'late_booking_rate', service_key, as_of_date, share, null, n, null from late_by_service

    union all

    select 'booking_share', 'all', as_of_date, share, null, n, null from booking_share_all

    union all

    select 'booking_share', service_group, as_of_date, share, null, n, null from booking_share_by_group

    union all

    select 'booking_share', source_key, as_of_date, share, null, n, null from booking_share_by_source

    union all

    select 'target_share', 'all', as_of_date, share, null, n, null from target_share_all

    union all

    select 'target_share', source_channel, as_of_date, share, null, n, null
    from target_share_by_source

    union all

    select 'target_share', hour_key, as_of_date, share, null, n, null from target_share_by_hour

    union all

    select 'call_again_rate', 'all', as_of_date, share, null, n, null from call_again

    union all

    select 'mean_ticket', 'all', as_of_date, mean_ticket, null, n, null from tickets

    union all

    select 'loss_scale', 'all', losses.as_of_date,
        (
            losses.n * losses.mean_at_stake * booking_share_all.share
            * (1 - coalesce(late_by_outcome.share, losses.late_prior))
            + losses.prior_n * 0.6 * losses.median_ticket * booking_share_all.share
        ) / (losses.n + losses.prior_n), null, losses.n, null
    from losses
    inner join booking_share_all
        on losses.as_of_date = booking_share_all.as_of_date
    left join late_by_outcome
        on losses.as_of_date = late_by_outcome.as_of_date
        and late_by_outcome.outcome = 'lead_no_record'

    union all

    select 'cross_sell_any', service_group, as_of_date, share, null, n, null from cross_sell

    union all

    select 'cross_sell_suggest', concat(service_group, '|', suggestion_rank), as_of_date,
        confidence, lift, n, other_group
    from suggestions
    where suggestion_rank <= 3

    union all

    select 'checklist_max', checklist, as_of_date, items, null, n, null from checklist_lengths

    union all

    select 'score_mean', outcome, as_of_date, mean_score, null, n, null from score_means

)

select
    cast(constant_code as char(32)) collate utf8mb4_bin as constant_code,
    cast(constant_key as char(255)) collate utf8mb4_bin as constant_key,
    as_of_date,
    value,
    spread,
    n,
    cast(label as char(64)) collate utf8mb4_bin as label

from constants
