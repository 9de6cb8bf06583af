-- All lines of a class say the same of it: of two answers the models would take the larger.
with

answers as (

    select
        'call_outcomes' as seed,
        outcome as class,
        count(distinct coalesce(talk_class, ''), is_service_call, wants_booking) as answers
    from {{ ref('call_outcomes') }}
    group by outcome

    union all

    select
        'call_categories' as seed,
        call_category as class,
        count(
            distinct coalesce(talk_class, ''), is_excluded, is_service_call, wants_booking
        ) as answers
    from {{ ref('call_categories') }}
    group by call_category

    union all

    select
        'refusal_reasons' as seed,
        refusal_code as class,
        count(distinct is_objective) as answers
    from {{ ref('refusal_reasons') }}
    group by refusal_code

)

select * from answers
where answers > 1
