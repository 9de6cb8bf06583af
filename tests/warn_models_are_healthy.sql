{{ config(severity='warn') }}

-- A model that is old, that sees other calls than it learnt from, or whose probabilities do not
-- come true: `lm train`, and look at vw_lm_model_health and vw_lm_model_calibration.
select
    metric_code,
    calc_method,
    age_days,
    drifted_inputs,
    calls_after_training,
    predicted_events,
    realised_events
from {{ ref('vw_lm_model_health') }}
where is_stale = 1 or is_drifted = 1 or is_miscalibrated = 1
