{#- To tell two shares apart at 5 %, with a chance of 80 %: the squared sum of both quantiles. -#}
{%- set quantiles_squared = 7.848879734e0 %}

with

-- A client counts once, by the first case since the draw began, whatever became of it.
first_cases as (

    select
        list_code,
        is_held_out,
        is_booked_later,
        booked_rub,
        row_number() over (
            partition by caller_key order by listed_at, history_id, list_place
        ) as case_place

    from {{ ref('int_callback_cases') }}

    where is_owed = 0
        and listed_at >= {{ holdout_since() }}
        and judged_at <= {{ as_of() }}

),

wholes as (

    select 0 as has_list

    union all

    select 1 as has_list

),

counted as (

    select
        case when wholes.has_list = 1 then first_cases.list_code else 'all' end as list_code,
        sum(1 - first_cases.is_held_out) as offered,
        sum((1 - first_cases.is_held_out) * first_cases.is_booked_later) as offered_booked,
        sum((1 - first_cases.is_held_out) * coalesce(first_cases.booked_rub, 0)) as offered_rub,
        sum(first_cases.is_held_out) as held_out,
        sum(first_cases.is_held_out * first_cases.is_booked_later) as held_out_booked,
        sum(first_cases.is_held_out * coalesce(first_cases.booked_rub, 0)) as held_out_rub

    from first_cases

    cross join wholes

    where first_cases.case_place = 1

    group by case when wholes.has_list = 1 then first_cases.list_code else 'all' end

    {{ kept_apart() }}

),

shared as (

    select
        *,
        cast(offered_booked as double) / nullif(offered, 0) as offered_share,
        {{ wilson_low('offered_booked', 'offered') }} as offered_lo,
        {{ wilson_high('offered_booked', 'offered') }} as offered_hi,
        cast(held_out_booked as double) / nullif(held_out, 0) as held_out_share,
        {{ wilson_low('held_out_booked', 'held_out') }} as held_out_lo,
        {{ wilson_high('held_out_booked', 'held_out') }} as held_out_hi,
        cast(offered_booked + held_out_booked as double) / (offered + held_out) as booked_share

    from counted

    {{ kept_apart() }}

),

compared as (

    select
        *,
        offered_share - held_out_share as difference,
        {{ newcombe(
            'low', 'offered_share', 'offered_lo', 'offered_hi',
            'held_out_share', 'held_out_lo', 'held_out_hi'
        ) }} as difference_lo95,
        {{ newcombe(
            'high', 'offered_share', 'offered_lo', 'offered_hi',
            'held_out_share', 'held_out_lo', 'held_out_hi'
        ) }} as difference_hi95

    from shared

    {{ kept_apart() }}

)

select
    cast(list_code as char(32)) as list_code,
    offered,
    offered_booked,
    cast(offered_rub as decimal(14, 2)) as offered_rub,
    held_out,
    held_out_booked,
    cast(held_out_rub as decimal(14, 2)) as held_out_rub,
    offered_share,
    held_out_share,
    difference,
    difference_lo95,
    difference_hi95,
    case
        when difference_lo95 > 0 or difference_hi95 < 0 then 1
        else 0
    end as is_told_apart,
    ceiling(
        {{ quantiles_squared }} * booked_share * (1 - booked_share)
        / ({{ holdout_share() }} * (1 - {{ holdout_share() }}) * nullif(difference * difference, 0))
    ) as clients_needed

from compared

where {{ holdout_share() }} > 0
