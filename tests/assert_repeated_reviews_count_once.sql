{{ config(meta={'quarantines': {
    'todo_en': 'Look at the reviews of the call in call_scores; a run with lm_sweep reads them again',
    'todo_ru': 'Посмотрите проверки звонка в call_scores; запуск с lm_sweep прочтёт их снова',
}}) }}

-- Of a call's reviews the latest counts, and only that one: the calls that the source has reviewed
-- several times, against fct_call. Reviews newer than any in the table are the next run's, and
-- those that came while this one was reading.
with

repeated as (

    select
        history_id,
        count(*) as review_count,
        max(reviewed_at) as reviewed_at

    from {{ ref('stg_review_keys') }}

    where call_score_id <= (select max(known.call_score_id) from {{ ref('fct_call') }} as known)
        and call_score_id <= (
            select marks.position
            from {{ run_table('lm_watermark') }} as marks
            where marks.model_name = 'int_calls' and marks.feed = 'reviews'
        )

    group by history_id

    having count(*) > 1

)

select
    calls.history_id,
    calls.review_count,
    repeated.review_count as reviews_in_source,
    calls.reviewed_at,
    repeated.reviewed_at as latest_in_source

from repeated

inner join {{ ref('fct_call') }} as calls
    on repeated.history_id = calls.history_id

where calls.review_count < repeated.review_count
    or calls.is_reviewed <> 1
    or calls.reviewed_at < repeated.reviewed_at
