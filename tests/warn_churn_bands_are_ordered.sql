{{ config(severity='warn') }}

-- A higher churn band must lose more callers in 90 days: if not, its points are wrong.
-- Calls younger than that say nothing yet; neither does a band of fewer than 100.
with

bands as (

    select
        lm_value.value_label as band,
        count(*) as calls,
        avg(case
            when calls.next_call_at <= timestampadd(day, 90, calls.call_started_at) then 0
            else 1
        end) as no_return_90d

    from {{ ref('lm_value') }} as lm_value

    inner join {{ ref('fct_call') }} as calls
        on lm_value.history_id = calls.history_id

    where lm_value.metric_code = 'churn_risk_level'
        and lm_value.value_label is not null
        and calls.caller_key is not null
        and calls.is_frequent_number = 0
        and calls.call_started_at < date_sub({{ as_of() }}, interval 90 day)

    group by lm_value.value_label

    having count(*) >= 100

)

select
    lower_band.band,
    lower_band.no_return_90d,
    higher_band.band as higher_band,
    higher_band.no_return_90d as higher_no_return_90d

from bands as lower_band

inner join bands as higher_band
    on field(lower_band.band, 'low', 'medium', 'high')
    < field(higher_band.band, 'low', 'medium', 'high')

where lower_band.no_return_90d >= higher_band.no_return_90d
