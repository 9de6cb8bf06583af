with

summary as (

    select *
    from {{ ref('vw_lm_period_summary') }}
    where dimension = 'operator'

),

measured as (

    select
        period_days,
        dimension_value as operator_name,
        min(period_start) as period_start,
        min(period_end) as period_end,
        max(calls) as calls,
        max(case when metric_code = 'att_sec' then value_count end)
            as talk_calls,
        max(case when metric_code = 'target_share' then value_count end)
            as reviewed_calls,
        max(case when metric_code = 'aht_sec' then level end)
            as aht_sec,
        max(case when metric_code = 'aht_sec' then level_low end)
            as aht_sec_low,
        max(case when metric_code = 'aht_sec' then level_high end)
            as aht_sec_high,
        max(case when metric_code = 'qa_score_avg' then level end)
            as qa_score,
        max(case when metric_code = 'qa_score_avg' then level_low end)
            as qa_score_low,
        max(case when metric_code = 'qa_score_avg' then level_high end)
            as qa_score_high,
        max(case when metric_code = 'conversion_rate' then level end)
            as conversion_rate,
        max(case when metric_code = 'conversion_rate' then level_low end)
            as conversion_rate_low,
        max(case when metric_code = 'conversion_rate' then level_high end)
            as conversion_rate_high,
        max(case when metric_code = 'checklist_coverage_avg' then level end)
            as checklist_coverage,
        max(case when metric_code = 'script_risk_index' then level end)
            as script_risk_index,
        max(case when metric_code = 'complaint_risk_flag' then true_share end)
            as complaint_flag_share

    from summary

    group by period_days, dimension_value

    {{ kept_apart() }}

),

uplifts as (

    select
        lm_operator_bookings.*,
        (lm_operator_bookings.bookings - lm_operator_bookings.expected_bookings)
        / nullif(lm_operator_bookings.wanting_calls, 0) as uplift,
        lm_operator_bookings.bookings_variance * 1e0
        / nullif(lm_operator_bookings.wanting_calls * lm_operator_bookings.wanting_calls, 0)
            as uplift_variance,
        case
            when lm_operator_bookings.wanting_calls >= rules.min_sample
                and lm_operator_bookings.operator_name <> 'unknown'
                and lm_operator_bookings.bookings_variance > 0 then 1
            else 0
        end as is_ranked

    from {{ ref('lm_operator_bookings') }} as lm_operator_bookings

    left join {{ ref('lm_status_rules') }} as rules
        on lm_operator_bookings.period_days = rules.period_days
        and rules.metric_code = 'conversion_rate'

),

weighted as (

    select
        *,
        case when is_ranked = 1 then 1 / uplift_variance end as weight

    from uplifts

),

moments as (

    select
        *,
        sum(is_ranked) over (partition by period_days) as ranked_operators,
        sum(weight) over (partition by period_days) as weights,
        sum(weight * weight) over (partition by period_days) as squared_weights,
        sum(weight * uplift) over (partition by period_days) as weighted_uplifts,
        sum(weight * uplift * uplift) over (partition by period_days) as weighted_squares

    from weighted

),

-- How much operators really differ: DerSimonian and Laird, Meta-analysis in clinical trials, 1986.
-- Nothing where luck explains it all, or where there are fewer than two of them.
spread as (

    select
        *,
        coalesce(greatest(0, (
            weighted_squares
            - weighted_uplifts * weighted_uplifts / weights
            - (ranked_operators - 1)
        ) / nullif(weights - squared_weights / weights, 0)), 0) as skill_variance

    from moments

),

-- What is likely once luck is taken off: the smaller the sample, the closer to the peers.
shrunk as (

    select
        *,
        case
            when bookings_variance > 0 and operator_name <> 'unknown'
                then uplift * skill_variance / (skill_variance + uplift_variance)
        end as shrunk_uplift,
        {{ z95() }} * sqrt(uplift_variance) as uplift_margin

    from spread

),

ranked as (

    select
        *,
        case
            when is_ranked = 1 then rank() over (
                partition by period_days, is_ranked
                order by shrunk_uplift desc, uplift desc
            )
        end as operator_rank

    from shrunk

)

select
    measured.period_days,
    measured.period_start,
    measured.period_end,
    measured.operator_name,
    measured.calls,
    measured.talk_calls,
    measured.reviewed_calls,
    measured.aht_sec,
    measured.aht_sec_low,
    measured.aht_sec_high,
    measured.qa_score,
    measured.qa_score_low,
    measured.qa_score_high,
    measured.checklist_coverage,
    measured.script_risk_index,
    measured.complaint_flag_share,
    coalesce(ranked.wanting_calls, 0) as wanting_calls,
    coalesce(ranked.bookings, 0) as bookings,
    measured.conversion_rate,
    measured.conversion_rate_low,
    measured.conversion_rate_high,
    ranked.expected_bookings,
    100 * ranked.uplift as booking_uplift_per_100,
    100 * (ranked.uplift - ranked.uplift_margin) as booking_uplift_low,
    100 * (ranked.uplift + ranked.uplift_margin) as booking_uplift_high,
    100 * ranked.shrunk_uplift as shrunk_uplift_per_100,
    ranked.operator_rank,
    ranked.ranked_operators,
    case
        when measured.operator_name = 'unknown' then null
        when ranked.is_ranked is null or ranked.is_ranked = 0
            then cast('insufficient_data' as char(32))
        when ranked.uplift - ranked.uplift_margin > 0 then 'above_peers'
        when ranked.uplift + ranked.uplift_margin < 0 then 'below_peers'
        else 'as_peers'
    end as status

from measured

left join ranked
    on measured.period_days = ranked.period_days
    and measured.operator_name = ranked.operator_name
