{{ config(
    materialized='incremental',
    feed={'kind': 'by_date', 'column': 'review_date'},
    unique_key=['review_date'],
    keys=[
        'primary key (review_date)',
        'key idx_int_review_batches_change (change_id)',
    ],
) }}

with

params as (

    select * from {{ ref('int_rule_params') }}
    where profile_code = 'default_v1'

),

reviews as (

    select
        review_date,
        outcome,
        operator_key,
        is_target,
        call_score_raw

    from {{ ref('fct_call') }}

    where {{ in_batch() }}

),

marks as (

    select
        reviews.*,
        sum(case when reviews.call_score_raw > 10 then 1 else 0 end) over by_date as over_10,
        count(*) over by_date as reviews_of_date

    from reviews

    cross join params

    where reviews.call_score_raw > 0 and reviews.call_score_raw <= params.score_max

    window by_date as (partition by reviews.review_date)

),

scaled as (

    select
        marks.*,
        marks.over_10 * 1e0 / marks.reviews_of_date as share_over_10,
        marks.call_score_raw * case
            when marks.call_score_raw > 10 then 1
            when marks.over_10 >= params.batch_share_over_10 * marks.reviews_of_date then 1
            else 10
        end as score

    from marks

    cross join params

)

select
    scaled.review_date,
    count(*) as review_count,
    max(scaled.share_over_10) as share_over_10,
    count(distinct scaled.operator_key) as operator_count,
    avg(scaled.score - means.value) as mean_residual

from scaled

left join {{ ref('lm_reference') }} as means
    on means.constant_code = 'score_mean'
    and scaled.outcome = means.constant_key
    and means.as_of_date = {{ week_start('scaled.review_date') }}

group by scaled.review_date
