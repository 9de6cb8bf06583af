{%- set least_spans = 4 %}
{%- set least_count = 10 %}

with

runs as (

    {{ newest_forecast_run() }}

),

-- The whole 80 % interval beyond what is usual. Of few calls or few spans nothing is unusual,
-- and an operator's calls follow the roster, which is not known.
judged as (

    select
        runs.made_at,
        runs.first_day,
        totals.*,
        case when totals.yhat_hi80 < totals.usual_low then 'below' else 'above' end as side

    from runs

    inner join {{ source('forecasts', 'lm_forecast_total') }} as totals
        on runs.run_id = totals.run_id

    where totals.days in (7, 14)
        and totals.usual_spans >= {{ least_spans }}
        and (totals.yhat_hi80 < totals.usual_low or totals.yhat_lo80 > totals.usual_high)
        and (
            totals.target in ('conversion_rate', 'quality')
            or (
                totals.dimension <> 'operator'
                -- The bookings tell it: a few dear ones make a part's value unlike any other.
                and (totals.target <> 'booked_value' or totals.dimension = 'all')
                and greatest(totals.yhat, totals.usual_high) >= {{ least_count }}
            )
        )

)

select
    run_id,
    made_at,
    target,
    dimension,
    dimension_value,
    days,
    first_day as period_start,
    date_add(first_day, interval days - 1 day) as period_end,
    cast(side as char(8)) as side,
    yhat,
    yhat_lo80,
    yhat_hi80,
    usual_low,
    usual_high,
    usual_spans,
    {{ forecast_alert('en') }} as reason_en,
    {{ forecast_alert('ru') }} as reason_ru

from judged
