-- How was the last day with calls, against the same weekday of the four weeks before? usual is of
-- these four days together, shares weighted by what they are shares of. One day is a small
-- sample: for what has changed for sure see changes_against_last_week. Bookings and conversion of
-- a day that is not reviewed yet are too low: compare reviewed_share first.
with

newest as (

    select max(stat_date) as last_date
    from {{ ref('vw_lm_kpi_daily') }}
    where dimension = 'all'

),

days as (

    select
        kpis.*,
        case when kpis.stat_date = newest.last_date then 1 else 0 end as is_last_day
    from {{ ref('vw_lm_kpi_daily') }} as kpis
    cross join newest
    where kpis.dimension = 'all'
        and kpis.stat_date >= date_sub(newest.last_date, interval 28 day)
        and mod(datediff(newest.last_date, kpis.stat_date), 7) = 0

),

spans as (

    select
        is_last_day,
        count(*) as days,
        sum(calls_offered) / count(*) as calls_offered,
        sum(calls_abandoned) / count(*) as calls_abandoned,
        sum(service_level * sla_calls) / nullif(sum(sla_calls), 0) as service_level,
        sum(asa_sec * calls_answered) / nullif(sum(calls_answered), 0) as asa_sec,
        sum(bookings) / count(*) as bookings,
        sum(bookings) / nullif(sum(wanting_calls), 0) as conversion_rate,
        sum(lost_value_rub) / count(*) as lost_value_rub,
        sum(complaints) / count(*) as complaints,
        sum(reviewed_calls) / nullif(sum(talk_calls), 0) as reviewed_share
    from days
    group by is_last_day

)

{%- set kpis = [
    ['calls_offered', 1], ['calls_abandoned', 1], ['service_level', 3], ['asa_sec', 1], ['bookings', 1],
    ['conversion_rate', 3], ['lost_value_rub', 0], ['complaints', 1], ['reviewed_share', 3],
] %}
{%- for kpi, digits in kpis %}

select
    '{{ kpi }}' as kpi_code,
    round(last_day.{{ kpi }}, {{ digits }}) as last_day,
    round(usual.{{ kpi }}, {{ digits }}) as usual,
    coalesce(usual.days, 0) as usual_days
from spans as last_day
left join spans as usual
    on usual.is_last_day = 0
where last_day.is_last_day = 1
{{- '\n\nunion all' if not loop.last }}
{%- endfor %}
