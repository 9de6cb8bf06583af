{{ config(
    materialized='incremental',
    feed={'kind': 'by_new_date', 'column': 'as_of_date', 'of': 'int_known_facts', 'date': 'as_of_date'},
    unique_key=['constant_code', 'constant_key', 'as_of_date'],
    changes_in_full_pass=false,
    keys=[
        'primary key (constant_code, constant_key, as_of_date)',
        'key idx_lm_reference_change (change_id)',
        'key idx_lm_reference_date (as_of_date)',
    ],
) }}

with

params as (

    select * from {{ ref('int_rule_params') }}
    where profile_code = 'default_v1'

),

median_ticket as (

    select * from {{ ref('int_median_ticket') }}

),

facts as (

    select * from {{ ref('int_known_facts') }}
    where {{ in_batch() }}

),

-- Length of talk as a log-normal: median and spread, pulled to the defaults while calls are few.
talk_lengths as (

    select
        facts.as_of_date,
        facts.fact,
        case when facts.fact = 'talk_all' then 'all' else facts.key_1 end as talk_class,
        facts.n,
        facts.sum_1 / facts.n as log_mean,
        greatest(0, facts.sum_2 / facts.n - pow(facts.sum_1 / facts.n, 2)) as log_variance,
        params.talk_prior_calls as prior_n,
        case
            when facts.fact = 'talk_class' then own_m.value
            else params.talk_m_all
        end as prior_m,
        case
            when facts.fact = 'talk_class' then own_s.value
            else params.talk_s_all
        end as prior_s

    from facts

    cross join params

    {{ join_param('own_m', 'talk_m', 'facts.key_1', "'default_v1'") }}

    {{ join_param('own_s', 'talk_s', 'facts.key_1', "'default_v1'") }}

    where facts.fact in ('talk_all', 'talk_class', 'talk_category')

),

relative_loads as (

    select
        facts.as_of_date,
        facts.key_1,
        facts.n,
        facts.sum_1 / nullif(avg(facts.sum_1) over (partition by facts.as_of_date), 0)
            as relative_load,
        history.sum_1 as weeks_seen

    from facts

    cross join params

    inner join facts as history
        on facts.as_of_date = history.as_of_date
        and history.fact = 'history_weeks'

    where facts.fact = 'hour_load'

),

late_by_outcome as (

    select
        facts.as_of_date,
        facts.key_1,
        sum(facts.n) as n,
        {{ smoothed_share('coalesce(own_prior.value, params.late_prior_other)') }} as share

    from facts

    cross join params

    {{ join_param('own_prior', 'late_prior', 'facts.key_1', "'default_v1'") }}

    where facts.fact = 'late_booking'

    group by facts.as_of_date, facts.key_1

),

late_by_category as (

    select
        facts.as_of_date,
        facts.key_1,
        facts.key_2,
        sum(facts.n) as n,
        {{ smoothed_share('parents.share') }} as share

    from facts

    cross join params

    inner join late_by_outcome as parents
        on facts.as_of_date = parents.as_of_date
        and facts.key_1 = parents.key_1

    where facts.fact = 'late_booking'

    group by facts.as_of_date, facts.key_1, facts.key_2

),

late_by_service as (

    select
        facts.as_of_date,
        facts.key_1,
        facts.key_2,
        facts.key_3,
        sum(facts.n) as n,
        {{ smoothed_share('parents.share') }} as share

    from facts

    cross join params

    inner join late_by_category as parents
        on facts.as_of_date = parents.as_of_date
        and facts.key_1 = parents.key_1
        and facts.key_2 = parents.key_2

    where facts.fact = 'late_booking'

    group by facts.as_of_date, facts.key_1, facts.key_2, facts.key_3

),

-- Booking share by service and source, target share by source and hour: the same three levels.
shares_of_all as (

    select
        facts.as_of_date,
        facts.fact,
        sum(facts.n) as n,
        {{ smoothed_share("case facts.fact
            when 'booking' then params.booking_share_prior
            when 'target' then params.target_share_prior
            else params.call_again_prior
        end") }} as share

    from facts

    cross join params

    where facts.fact in ('booking', 'target', 'call_again')

    group by facts.as_of_date, facts.fact

),

shares_by_first_key as (

    select
        facts.as_of_date,
        facts.fact,
        facts.key_1,
        sum(facts.n) as n,
        {{ smoothed_share('parents.share') }} as share

    from facts

    cross join params

    inner join shares_of_all as parents
        on facts.as_of_date = parents.as_of_date
        and facts.fact = parents.fact

    where facts.fact in ('booking', 'target')

    group by facts.as_of_date, facts.fact, facts.key_1

),

shares_by_both_keys as (

    select
        facts.as_of_date,
        facts.fact,
        facts.key_1,
        facts.key_2,
        sum(facts.n) as n,
        {{ smoothed_share('parents.share') }} as share

    from facts

    cross join params

    inner join shares_by_first_key as parents
        on facts.as_of_date = parents.as_of_date
        and facts.fact = parents.fact
        and facts.key_1 = parents.key_1

    where facts.fact in ('booking', 'target')

    group by facts.as_of_date, facts.fact, facts.key_1, facts.key_2

),

cross_sell as (

    select
        facts.as_of_date,
        facts.key_1,
        sum(facts.n) as n,
        (
            sum(case when facts.key_2 <> '' then facts.n else 0 end)
            + max(params.smoothing_calls) * max(coalesce(priors.share, params.cross_sell_prior))
        ) * 1e0 / (sum(facts.n) + max(params.smoothing_calls)) as share

    from facts

    cross join params

    left join {{ ref('int_affinity_priors') }} as priors
        on facts.key_1 = priors.service_group

    where facts.fact = 'cross_sell'

    group by facts.as_of_date, facts.key_1

),

totals as (

    select
        as_of_date,
        sum(n) as n

    from facts

    where fact = 'cross_sell'

    group by as_of_date

),

-- Lift: how much more often than after any service the other one follows.
pair_lifts as (

    select
        facts.as_of_date,
        facts.key_1,
        facts.key_2,
        cross_sell.n,
        facts.n * 1e0 / cross_sell.n as confidence,
        (facts.n * 1e0 / cross_sell.n) / nullif(
            sum(facts.n) over (partition by facts.as_of_date, facts.key_2) * 1e0 / totals.n, 0
        ) as lift

    from facts

    inner join cross_sell
        on facts.as_of_date = cross_sell.as_of_date
        and facts.key_1 = cross_sell.key_1

    inner join totals
        on facts.as_of_date = totals.as_of_date

    where facts.fact = 'cross_sell' and facts.key_2 <> ''

),

suggestions as (

    select
        pair_lifts.*,
        row_number() over (
            partition by pair_lifts.as_of_date, pair_lifts.key_1
            order by pair_lifts.confidence desc, pair_lifts.key_2 asc
        ) as suggestion_rank

    from pair_lifts

    cross join params

    where pair_lifts.n >= params.suggest_min_calls and pair_lifts.lift >= params.suggest_min_lift

),

checklist_counts as (

    select
        as_of_date,
        key_1,
        cast(key_2 as signed) as items,
        sum(n) over (
            partition by as_of_date, key_1 order by cast(key_2 as signed)
            rows between unbounded preceding and current row
        ) as reviews_up_to,
        sum(n) over (partition by as_of_date, key_1) as n

    from facts

    where fact = 'checklist'

),

checklist_lengths as (

    select
        checklist_counts.as_of_date,
        checklist_counts.key_1,
        max(checklist_counts.n) as n,
        -- The smallest count that 99 of 100 reviews do not pass; of fewer than 100, all but one.
        min(case
            when checklist_counts.reviews_up_to
                >= least(0.99 * checklist_counts.n, checklist_counts.n - 1)
                then checklist_counts.items
        end) as items

    from checklist_counts

    cross join params

    where checklist_counts.n >= params.checklist_min_reviews

    group by checklist_counts.as_of_date, checklist_counts.key_1

),

constants as (

    select
        'review_lag' as constant_code, 'all' as constant_key, as_of_date,
        sum_1 as value, null as spread, n, null as label
    from facts
    where fact = 'review_lag'

    union all

    select
        case when fact = 'talk_category' then 'talk_length_category' else 'talk_length' end,
        talk_class, as_of_date,
        exp((n * log_mean + prior_n * ln(prior_m)) / (n + prior_n)),
        sqrt((n * log_variance + prior_n * prior_s * prior_s) / (n + prior_n)), n, null
    from talk_lengths

    union all

    select
        'load_factor', relative_loads.key_1, relative_loads.as_of_date,
        greatest(params.load_factor_min, least(
            params.load_factor_max,
            (relative_loads.weeks_seen * relative_loads.relative_load + params.load_prior_weeks)
            / (relative_loads.weeks_seen + params.load_prior_weeks)
        )), null, relative_loads.n, null
    from relative_loads
    cross join params
    where relative_loads.relative_load is not null

    union all

    select 'late_booking_rate', key_1, as_of_date, share, null, n, null from late_by_outcome

    union all

    select 'late_booking_rate', concat(key_1, '|', key_2), as_of_date, share, null, n, null
    from late_by_category

    union all

    select
        'late_booking_rate', concat(key_1, '|', key_2, '|', key_3), as_of_date, share, null, n, null
    from late_by_service

    union all

    select
        case fact
            when 'booking' then 'booking_share'
            when 'target' then 'target_share'
            else 'call_again_rate'
        end, 'all', as_of_date, share, null, n, null
    from shares_of_all

    union all

    select
        case fact when 'booking' then 'booking_share' else 'target_share' end,
        key_1, as_of_date, share, null, n, null
    from shares_by_first_key

    union all

    select
        case fact when 'booking' then 'booking_share' else 'target_share' end,
        concat(key_1, '|', key_2), as_of_date, share, null, n, null
    from shares_by_both_keys

    union all

    select
        'mean_ticket', 'all', facts.as_of_date,
        (facts.sum_1 + params.smoothing_calls * median_ticket.ticket)
        / (facts.n + params.smoothing_calls), null, facts.n, null
    from facts
    cross join params
    cross join median_ticket
    where facts.fact = 'ticket'

    union all

    -- A typical loss; before there is history 0.6 of the median ticket at the usual chance.
    select
        'loss_scale', 'all', facts.as_of_date,
        booking.share * (
            facts.sum_1 * (1 - coalesce(late_by_outcome.share, params.late_prior_lead_no_record))
            + params.smoothing_calls * 0.6 * median_ticket.ticket
        ) / (facts.n + params.smoothing_calls), null, facts.n, null
    from facts
    cross join params
    cross join median_ticket
    inner join shares_of_all as booking
        on facts.as_of_date = booking.as_of_date
        and booking.fact = 'booking'
    left join late_by_outcome
        on facts.as_of_date = late_by_outcome.as_of_date
        and late_by_outcome.key_1 = 'lead_no_record'
    where facts.fact = 'loss'

    union all

    select 'cross_sell_any', key_1, as_of_date, share, null, n, null from cross_sell

    union all

    select
        'cross_sell_suggest', concat(key_1, '|', suggestion_rank), as_of_date,
        confidence, lift, n, key_2
    from suggestions
    where suggestion_rank <= 3

    union all

    select 'checklist_max', key_1, as_of_date, items, null, n, null from checklist_lengths

    union all

    select 'score_mean', key_1, as_of_date, sum_1 / n, null, n, null
    from facts
    where fact = 'score'

)

select
    cast(constant_code as char(32)) as constant_code,
    cast(constant_key as char(255)) as constant_key,
    as_of_date,
    value,
    spread,
    n,
    cast(label as char(64)) as label

from constants
