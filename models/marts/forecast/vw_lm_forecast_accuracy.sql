{#- Forecasts made longer ago tell little about today's. #}
{%- set ledger_days = 90 %}

with

newest as (

    {{ newest_forecast_run() }}

),

-- Of several runs for the same first day the last counts.
ledger as (

    select max(id) as id
    from {{ source('forecasts', 'lm_forecast_run') }}
    group by first_day

),

runs as (

    select
        runs.run_id,
        newest.calls_through,
        newest.reviews_through

    from {{ source('forecasts', 'lm_forecast_run') }} as runs

    inner join ledger
        on runs.id = ledger.id

    cross join newest

    where runs.first_day >= date_sub(newest.calls_through, interval {{ ledger_days }} day)
        and runs.first_day <= newest.calls_through

),

-- What is over by now, with the same weekday of the last week that the forecast knew.
due as (

    select
        forecasts.*,
        cast(forecasts.period_start as date) as stat_date,
        date_sub(
            cast(forecasts.period_start as date),
            interval 7 * ceiling(forecasts.horizon / 7) day
        ) as naive_date

    from runs

    inner join {{ source('forecasts', 'lm_forecast') }} as forecasts
        on runs.run_id = forecasts.run_id
        and forecasts.grain = 'day'

    where forecasts.dimension_value <> 'other'
        and forecasts.period_start <= case
            when forecasts.target in ({{ reviewed_targets(forecast_targets()) }})
                then runs.reviews_through
            else runs.calls_through
        end

),

-- A day without a row is a day without calls.
compared as (

    select
        due.target,
        due.dimension,
        due.dimension_value,
        due.run_id,
        case
            when due.horizon <= 7 then '1-7'
            when due.horizon <= 14 then '8-14'
            else '15+'
        end as horizon_band,
        due.yhat,
        due.yhat_lo80,
        due.yhat_hi80,
        due.yhat_lo95,
        due.yhat_hi95,
        {{ forecast_actual('came') }} as actual,
        {{ forecast_actual('naive') }} as naive

    from due

    left join {{ ref('int_forecast_series') }} as came
        on due.stat_date = came.stat_date
        and due.dimension = came.dimension
        and due.dimension_value = came.dimension_value

    left join {{ ref('int_forecast_series') }} as naive
        on due.naive_date = naive.stat_date
        and due.dimension = naive.dimension
        and due.dimension_value = naive.dimension_value

)

select
    target,
    dimension,
    dimension_value,
    cast(horizon_band as char(8)) as horizon_band,
    count(distinct run_id) as runs,
    count(*) as days_compared,
    avg(actual) as actual_mean,
    avg(yhat) as forecast_mean,
    avg(yhat - actual) as bias,
    avg(abs(yhat - actual)) as mae,
    sum(abs(yhat - actual)) / nullif(sum(actual), 0) as wape,
    avg(abs(naive - actual)) as naive_mae,
    1 - sum(case when naive is not null then abs(yhat - actual) end)
    / nullif(sum(abs(naive - actual)), 0) as skill,
    avg(case when actual between yhat_lo80 and yhat_hi80 then 1e0 else 0e0 end) as coverage80,
    avg(case when actual between yhat_lo95 and yhat_hi95 then 1e0 else 0e0 end) as coverage95

from compared

where actual is not null

group by target, dimension, dimension_value, horizon_band
