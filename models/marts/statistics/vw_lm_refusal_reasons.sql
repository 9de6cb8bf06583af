with

last_days as (

    select {{ last_day() }} as last_day

),

lengths as (
    {%- for days in period_lengths() %}

    select {{ days }} as period_days
    {{- '\n\n    union all' if not loop.last }}
    {%- endfor %}

),

periods as (

    select
        lengths.period_days,
        date_sub(last_days.last_day, interval lengths.period_days - 1 day) as period_start,
        last_days.last_day as period_end,
        date_sub(last_days.last_day, interval 2 * lengths.period_days - 1 day) as previous_start

    from lengths

    cross join last_days

),

reasons as (

    select
        periods.period_days,
        min(periods.period_start) as period_start,
        min(periods.period_end) as period_end,
        facts.dimension_value as refusal_code,
        sum(case when facts.stat_date >= periods.period_start then facts.lost_calls else 0 end)
            as lost_calls,
        sum(case when facts.stat_date >= periods.period_start then facts.loss_rub else 0 end)
            as loss_rub,
        sum(case when facts.stat_date < periods.period_start then facts.lost_calls else 0 end)
            as previous_lost_calls

    from periods

    inner join {{ ref('lm_daily_facts') }} as facts
        on facts.stat_date between periods.previous_start and periods.period_end

    where facts.dimension = 'refusal'

    group by periods.period_days, facts.dimension_value

),

totals as (

    select
        *,
        sum(lost_calls) over (partition by period_days) as all_lost_calls,
        sum(loss_rub) over (partition by period_days) as all_loss_rub,
        sum(previous_lost_calls) over (partition by period_days) as previous_all_lost_calls

    from reasons

),

shares as (

    select
        *,
        lost_calls * 1e0 / nullif(all_lost_calls, 0) as lost_share,
        {{ wilson_low('lost_calls', 'all_lost_calls') }} as lost_share_low,
        {{ wilson_high('lost_calls', 'all_lost_calls') }} as lost_share_high,
        previous_lost_calls * 1e0 / nullif(previous_all_lost_calls, 0) as previous_share,
        {{ wilson_low('previous_lost_calls', 'previous_all_lost_calls') }} as previous_share_low,
        {{ wilson_high('previous_lost_calls', 'previous_all_lost_calls') }} as previous_share_high

    from totals

)

select
    shares.period_days,
    shares.period_start,
    shares.period_end,
    shares.refusal_code,
    names.name_ru,
    names.name_en,
    dense_rank() over (
        partition by shares.period_days
        order by shares.lost_calls desc
    ) as reason_rank,
    shares.lost_calls,
    shares.lost_share,
    shares.lost_share_low,
    shares.lost_share_high,
    shares.loss_rub,
    shares.loss_rub * 1e0 / nullif(shares.all_loss_rub, 0) as loss_share,
    shares.previous_lost_calls,
    shares.previous_share,
    shares.lost_share - shares.previous_share as level_change,
    {% for side in ['low', 'high'] -%}
    {{ newcombe(
        side, 'shares.lost_share', 'shares.lost_share_low', 'shares.lost_share_high',
        'shares.previous_share', 'shares.previous_share_low', 'shares.previous_share_high'
    ) }} as change_{{ side }},
    {% endfor -%}
    coalesce(rule_params.value, 0) as avoidable_weight

from shares

left join {{ ref('lm_refusal_names') }} as names
    on shares.refusal_code = names.refusal_code

left join {{ ref('lm_rule_params') }} as rule_params
    on rule_params.param = concat('avoidable_', lower(shares.refusal_code))
    and rule_params.calc_profile = 'default_v1'

where shares.lost_calls > 0
