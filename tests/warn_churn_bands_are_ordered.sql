{{ config(severity='warn') }}

-- A higher churn band must lose more callers in 90 days: if not, its points are wrong.
select
    band,
    calls,
    no_return_90d

from {{ ref('vw_lm_churn_bands') }}
where is_out_of_order = 1
