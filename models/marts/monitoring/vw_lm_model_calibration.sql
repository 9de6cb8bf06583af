{%- set metrics = {
    'conversion_prob_forecast': ['next_booking_at', var('lm_booking_days'), true],
    'second_call_prob': ['next_call_in_at', var('lm_repeat_days'), false],
    'complaint_prob': ['next_complaint_at', var('lm_complaint_days'), true],
} %}
{#- Reviews late by more than this are not waited for: lm_reference stops there, too. #}
{%- set longest_lag = 21 %}

with

runs as (

    select * from {{ source('python_scoring', 'lm_model_run') }}

),

latest as (

    select max(id) as id
    from runs
    group by metric_code

),

-- The last training of a metric scores it.
runs_in_use as (

    select runs.*
    from runs
    inner join latest
        on runs.id = latest.id

),

lags as (

    select coalesce(max(reference.value), 7) as lag_days
    from {{ ref('lm_reference') }} as reference
    where reference.constant_code = 'review_lag'
        and reference.as_of_date = (
            select max(newest.as_of_date)
            from {{ ref('lm_reference') }} as newest
            where newest.constant_code = 'review_lag'
        )

),

-- Matured calls: their horizon is over, and so is the time in which most reviews come.
outcomes as (
    {% for name, metric in metrics.items() %}
    {%- set event_at, horizon, needs_reviews = metric %}
    select
        lm_value.metric_code,
        lm_value.lm_version,
        lm_value.history_id,
        calls.call_date,
        lm_value.value_numeric * 1e0 as predicted,
        case
            when calls.{{ event_at }} <= timestampadd(day, {{ horizon }}, calls.call_started_at)
                then 1
            else 0
        end as happened,
        case
            when calls.call_started_at > runs_in_use.train_to then 1
            else 0
        end as is_after_training

    from {{ ref('fct_call') }} as calls

    inner join {{ ref('lm_value') }} as lm_value
        on calls.history_id = lm_value.history_id
        and lm_value.metric_code = '{{ name }}'

    inner join runs_in_use
        on lm_value.metric_code = runs_in_use.metric_code
        and lm_value.lm_version = runs_in_use.lm_version

    cross join lags

    where calls.call_date >= date_sub(
            cast({{ as_of() }} as date),
            interval {{ horizon + longest_lag + var('lm_watch_days') }} day
        )
        and calls.call_date <= cast(date_sub({{ as_of() }}, interval {{ horizon }} day) as date)
        {%- if needs_reviews %}
        and calls.call_started_at <= date_sub(
            {{ as_of() }}, interval {{ horizon }} + ceiling(lags.lag_days) day
        )
        {%- else %}
        and calls.call_started_at <= date_sub({{ as_of() }}, interval {{ horizon }} day)
        {%- endif %}
        and lm_value.value_numeric is not null
    {{- '\n\n    union all\n' if not loop.last }}
    {%- endfor %}

),

binned as (

    select
        outcomes.*,
        ntile(10) over (
            partition by outcomes.metric_code, outcomes.is_after_training
            order by outcomes.predicted, outcomes.history_id
        ) as decile

    from outcomes

),

counted as (

    select
        metric_code,
        lm_version,
        is_after_training,
        decile,
        count(*) as calls,
        min(call_date) as first_day,
        max(call_date) as last_day,
        min(predicted) as predicted_min,
        max(predicted) as predicted_max,
        avg(predicted) as predicted_share,
        sum(happened) as realised

    from binned

    group by metric_code, lm_version, is_after_training, decile

)

select
    metric_code,
    lm_version,
    is_after_training,
    decile,
    calls,
    first_day,
    last_day,
    predicted_min,
    predicted_max,
    predicted_share,
    realised * 1e0 / calls as realised_share,
    {{ wilson_low('realised', 'calls') }} as realised_lo95,
    {{ wilson_high('realised', 'calls') }} as realised_hi95

from counted
