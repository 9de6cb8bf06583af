{{ config(
    materialized='incremental',
    unique_key=['constant_code', 'constant_key', 'as_of_date'],
    keys=[
        'primary key (constant_code, constant_key, as_of_date)',
        'key idx_lm_reference_change (change_id)',
        'key idx_lm_reference_date (as_of_date)',
    ],
) }}

{%- set talk_classes = ['record', 'info', 'cancelled', 'lead', 'non_target'] %}
{%- set late_outcomes = ['lead_no_record', 'refused', 'info_only', 'none'] %}

with

params as (

    select * from {{ ref('int_rule_params') }} where profile_code = 'default_v1'

),

median_ticket as (

    select * from {{ ref('int_median_ticket') }}

),

weeks as (

    select distinct week_start_date as as_of_date from {{ ref('fct_call') }}
    where {{ in_batch() }}

),

-- What was known on that Monday, weeks old. The longest look goes two windows back.
dated_facts as (

    select
        weeks.as_of_date,
        datediff(weeks.as_of_date, facts.week_start_date) / 7 as age_weeks,
        facts.fact,
        facts.key_1,
        facts.key_2,
        facts.key_3,
        facts.n,
        facts.hits,
        facts.sum_1,
        facts.sum_2

    from weeks

    cross join params

    inner join {{ ref('int_week_facts') }} as facts
        on facts.week_start_date < weeks.as_of_date
        and facts.week_start_date >= date_sub(
            weeks.as_of_date,
            interval cast(7 * params.window_weeks + params.cross_sell_days + 7 as signed) day
        )
        and facts.known_week < weeks.as_of_date

    {{ kept_apart() }}

),

-- About the 90th percentile of the delay, taken as normal.
review_lags as (

    select
        weeks.as_of_date,
        coalesce(delays.n, 0) as n,
        case
            when coalesce(delays.n, 0) < 20 then params.default_review_lag_days
            else greatest(0, least(
                params.max_review_lag_days,
                ceiling(
                    delays.mean + 1.2816 * sqrt(greatest(0, delays.mean_square - delays.mean * delays.mean))
                )
            ))
        end as lag_days

    from weeks

    cross join params

    left join (
        select
            dated_facts.as_of_date,
            sum(dated_facts.n) as n,
            sum(dated_facts.sum_1) * 1e0 / sum(dated_facts.n) as mean,
            sum(dated_facts.sum_2) * 1e0 / sum(dated_facts.n) as mean_square
        from dated_facts
        cross join params
        where dated_facts.fact = 'review_delay' and dated_facts.age_weeks <= params.window_weeks
        group by dated_facts.as_of_date
    ) as delays
        on weeks.as_of_date = delays.as_of_date

),

-- Facts inside their windows. An outcome that takes days to show counts only from weeks old enough,
-- the time that reviews take included.
facts as (

    select
        dated_facts.as_of_date,
        dated_facts.fact,
        dated_facts.key_1,
        dated_facts.key_2,
        dated_facts.key_3,
        sum(dated_facts.n) as n,
        sum(dated_facts.hits) as hits,
        sum(dated_facts.sum_1) * 1e0 as sum_1,
        sum(dated_facts.sum_2) * 1e0 as sum_2

    from dated_facts

    cross join params

    inner join review_lags
        on dated_facts.as_of_date = review_lags.as_of_date

    where case dated_facts.fact
            when 'hour_load' then dated_facts.age_weeks <= params.load_weeks
            when 'late_booking' then dated_facts.age_weeks <= params.window_weeks
                and 7 * (dated_facts.age_weeks - 1) >= params.late_booking_days + review_lags.lag_days
            when 'call_again' then dated_facts.age_weeks <= params.window_weeks
                and 7 * (dated_facts.age_weeks - 1) >= params.contact_hours / 24
            when 'cross_sell' then 7 * (dated_facts.age_weeks - 1) >= params.cross_sell_days
            else dated_facts.age_weeks <= params.window_weeks
        end

    group by
        dated_facts.as_of_date, dated_facts.fact,
        dated_facts.key_1, dated_facts.key_2, dated_facts.key_3

    {{ kept_apart() }}

),

-- Length of talk as a log-normal: median and spread, pulled to the defaults while there are few calls.
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
            when facts.fact = 'talk_class'
                then {{ param_of('talk_m', 'facts.key_1', talk_classes) }}
            else params.talk_m_all
        end as prior_m,
        case
            when facts.fact = 'talk_class'
                then {{ param_of('talk_s', 'facts.key_1', talk_classes) }}
            else params.talk_s_all
        end as prior_s

    from facts

    cross join params

    where facts.fact in ('talk_all', 'talk_class', 'talk_category')

),

first_week as (

    select min(week_start_date) as week_start_date from {{ ref('int_week_facts') }}

),

relative_loads as (

    select
        facts.as_of_date,
        facts.key_1,
        facts.n,
        facts.sum_1 / nullif(avg(facts.sum_1) over (partition by facts.as_of_date), 0) as relative_load,
        greatest(1, least(
            params.load_weeks, datediff(facts.as_of_date, first_week.week_start_date) / 7
        )) as weeks_seen

    from facts

    cross join params

    cross join first_week

    where facts.fact = 'hour_load'

),

late_by_outcome as (

    select
        facts.as_of_date,
        facts.key_1,
        sum(facts.n) as n,
        {{ smoothed_share(param_of('late_prior', 'facts.key_1', late_outcomes, 'params.late_prior_other')) }}
            as share

    from facts

    cross join params

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

    inner join (
        select as_of_date, sum(n) as n from facts where fact = 'cross_sell' group by as_of_date
    ) as totals
        on facts.as_of_date = totals.as_of_date

    where facts.fact = 'cross_sell' and facts.key_2 <> ''

),

suggestions as (

    select
        pair_lifts.*,
        row_number() over (
            partition by pair_lifts.as_of_date, pair_lifts.key_1
            order by pair_lifts.confidence desc, pair_lifts.key_2
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
        -- The smallest count that 99 of 100 reviews do not pass.
        min(case
            when checklist_counts.reviews_up_to >= 0.99 * checklist_counts.n
                then checklist_counts.items
        end) as items

    from checklist_counts

    cross join params

    where checklist_counts.n >= params.checklist_min_reviews

    group by checklist_counts.as_of_date, checklist_counts.key_1

),

constants as (

    select 'review_lag' as constant_code, 'all' as constant_key, as_of_date,
        lag_days as value, null as spread, n, null as label
    from review_lags

    union all

    select case when fact = 'talk_category' then 'talk_length_category' else 'talk_length' end,
        talk_class, as_of_date,
        exp((n * log_mean + prior_n * ln(prior_m)) / (n + prior_n)),
        sqrt((n * log_variance + prior_n * prior_s * prior_s) / (n + prior_n)), n, null
    from talk_lengths

    union all

    select 'load_factor', relative_loads.key_1, relative_loads.as_of_date,
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

    select 'late_booking_rate', concat(key_1, '|', key_2, '|', key_3), as_of_date, share, null, n, null
    from late_by_service

    union all

    select case fact
            when 'booking' then 'booking_share'
            when 'target' then 'target_share'
            else 'call_again_rate'
        end, 'all', as_of_date, share, null, n, null
    from shares_of_all

    union all

    select case fact when 'booking' then 'booking_share' else 'target_share' end,
        key_1, as_of_date, share, null, n, null
    from shares_by_first_key

    union all

    select case fact when 'booking' then 'booking_share' else 'target_share' end,
        concat(key_1, '|', key_2), as_of_date, share, null, n, null
    from shares_by_both_keys

    union all

    select 'mean_ticket', 'all', facts.as_of_date,
        (facts.sum_1 + params.smoothing_calls * median_ticket.ticket)
        / (facts.n + params.smoothing_calls), null, facts.n, null
    from facts
    cross join params
    cross join median_ticket
    where facts.fact = 'ticket'

    union all

    -- A typical loss; before there is history 0.6 of the median ticket at the usual chance.
    select 'loss_scale', 'all', facts.as_of_date,
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

    select 'cross_sell_suggest', concat(key_1, '|', suggestion_rank), as_of_date,
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
