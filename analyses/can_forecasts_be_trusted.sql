-- How right were the forecasts of the whole so far? By how far ahead they looked. skill is the
-- gain over last week's same weekday: 0.2 is a fifth less error, below 0 the forecast is worse
-- than that. coverage80 should be near 0.8. Under some twenty days_compared nothing can be said.
select
    target,
    horizon_band,
    runs,
    days_compared,
    round(actual_mean, 2) as actual_mean,
    round(bias, 2) as bias,
    round(wape, 3) as wape,
    round(skill, 3) as skill,
    round(coverage80, 2) as coverage80

from {{ ref('vw_lm_forecast_accuracy') }}

where dimension = 'all'

order by target, horizon_band
