with

model_runs as (

    select * from {{ source('python_scoring', 'lm_model_run') }}

),

latest as (

    select max(id) as id
    from model_runs
    group by metric_code

),

-- The last training of a metric scores it.
runs as (

    select model_runs.*
    from model_runs
    inner join latest
        on model_runs.id = latest.id

),

drift as (

    select
        metric_code,
        lm_version,
        max(psi) as psi_max,
        max(case when feature = 'probability' then psi end) as psi_probability,
        group_concat(
            case when psi > 0.25 then feature end order by psi desc separator ' '
        ) as drifted_inputs

    from {{ source('python_scoring', 'lm_model_drift') }}

    group by metric_code, lm_version

),

-- Only calls that the model has not seen tell whether it is right.
calibration as (

    select
        metric_code,
        lm_version,
        sum(calls) as calls,
        sum(predicted_share * calls) as predicted_events,
        sum(realised_share * calls) as realised_events,
        sum(abs(predicted_share - realised_share) * calls) / sum(calls) as ece

    from {{ ref('vw_lm_model_calibration') }}

    where is_after_training = 1

    group by metric_code, lm_version

)

select
    runs.metric_code,
    runs.run_id,
    runs.lm_version,
    runs.calc_method,
    runs.published,
    runs.reason,
    runs.trained_at,
    timestampdiff(day, runs.trained_at, {{ as_of() }}) as age_days,
    drift.psi_max,
    drift.psi_probability,
    drift.drifted_inputs,
    coalesce(calibration.calls, 0) as calls_after_training,
    calibration.predicted_events,
    calibration.realised_events,
    calibration.ece,
    case
        when timestampdiff(day, runs.trained_at, {{ as_of() }})
            > 3 * {{ var('lm_train_every_days') }} then 1
        else 0
    end as is_stale,
    case when drift.psi_max > 0.25 then 1 else 0 end as is_drifted,
    -- Beyond chance, a caller's calls going together, and by a fifth or more.
    case
        when calibration.calls >= 300
            and abs(calibration.realised_events - calibration.predicted_events)
            > 4 * sqrt(greatest(calibration.predicted_events, 1))
            and abs(calibration.realised_events - calibration.predicted_events)
            > 0.2 * greatest(calibration.predicted_events, 1) then 1
        when calibration.calls >= 1000 and calibration.ece > 0.07 then 1
        else 0
    end as is_miscalibrated

from runs

left join drift
    on runs.metric_code = drift.metric_code
    and runs.lm_version = drift.lm_version

left join calibration
    on runs.metric_code = calibration.metric_code
    and runs.lm_version = calibration.lm_version
