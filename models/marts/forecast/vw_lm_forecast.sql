select
    forecasts.run_id,
    forecasts.made_at,
    forecasts.trained_through,
    forecasts.target,
    forecasts.dimension,
    forecasts.dimension_value,
    forecasts.grain,
    forecasts.period_start,
    forecasts.horizon,
    forecasts.yhat,
    forecasts.yhat_lo80,
    forecasts.yhat_hi80,
    forecasts.yhat_lo95,
    forecasts.yhat_hi95,
    forecasts.model

from ({{ newest_forecast_run() }}) as runs

inner join {{ source('forecasts', 'lm_forecast') }} as forecasts
    on runs.run_id = forecasts.run_id
