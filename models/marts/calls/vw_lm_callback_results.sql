{#- A share of fewer cases says little. -#}
{%- set enough = 30 %}
{%- set called = "sum(case when cases.fate = 'in_time' then {} else 0 end)" %}
{%- set left_waiting = "sum(case when cases.fate in ('late', 'never') then {} else 0 end)" %}

with

-- What a row is of: every list, reason and week, and their wholes.
wholes as (
    {%- for has_list, has_reason in [(0, 0), (1, 0), (1, 1)] %}
    {%- for has_week in [0, 1] %}

    select {{ has_list }} as has_list, {{ has_reason }} as has_reason, {{ has_week }} as has_week
    {{- '\n\n    union all' if not (loop.last and has_reason) }}
    {%- endfor %}
    {%- endfor %}

),

counted as (

    select
        case when wholes.has_list = 1 then cases.list_code else 'all' end as list_code,
        case when wholes.has_reason = 1 then cases.reason_code else 'all' end as reason_code,
        case when wholes.has_week = 1 then cases.week_start_date end as week_start_date,
        count(*) as cases,
        sum(case when cases.fate = 'open' then 1 else 0 end) as open_cases,
        sum(case when cases.fate = 'came_alone' then 1 else 0 end) as came_alone,
        {{ called.format(1) }} as called_in_time,
        sum(case when cases.fate = 'late' then 1 else 0 end) as called_late,
        sum(case when cases.fate = 'never' then 1 else 0 end) as never_called,
        sum(case when cases.fate <> 'open' then cases.is_reached else 0 end) as reached,
        {{ called.format('cases.is_booked_later') }} as booked_in_time,
        {{ called.format('coalesce(cases.booked_rub, 0)') }} as booked_in_time_rub,
        {{ left_waiting.format(1) }} as left_waiting,
        {{ left_waiting.format('cases.is_booked_later') }} as booked_left_waiting,
        {{ left_waiting.format('coalesce(cases.booked_rub, 0)') }} as booked_left_waiting_rub

    from {{ ref('int_callback_cases') }} as cases

    cross join wholes

    where cases.fate <> 'superseded'
        and (wholes.has_list = 1 or cases.list_place = 1)

    group by
        case when wholes.has_list = 1 then cases.list_code else 'all' end,
        case when wholes.has_reason = 1 then cases.reason_code else 'all' end,
        case when wholes.has_week = 1 then cases.week_start_date end

    {{ kept_apart() }}

),

shared as (

    select
        *,
        cast(booked_in_time as double) / nullif(called_in_time, 0) as share_in_time,
        {{ wilson_low('booked_in_time', 'called_in_time') }} as share_in_time_lo,
        {{ wilson_high('booked_in_time', 'called_in_time') }} as share_in_time_hi,
        cast(booked_left_waiting as double) / nullif(left_waiting, 0) as share_left_waiting,
        {{ wilson_low('booked_left_waiting', 'left_waiting') }} as share_left_waiting_lo,
        {{ wilson_high('booked_left_waiting', 'left_waiting') }} as share_left_waiting_hi

    from counted

    {{ kept_apart() }}

)

select
    cast(shared.list_code as char(32)) as list_code,
    coalesce(lists.name_ru, 'Все списки') as list_name_ru,
    coalesce(lists.name_en, 'All lists') as list_name_en,
    cast(shared.reason_code as char(64)) as reason_code,
    shared.week_start_date,
    shared.cases,
    shared.open_cases,
    shared.came_alone,
    shared.called_in_time + shared.left_waiting as due,
    shared.called_in_time,
    shared.called_late,
    shared.never_called,
    shared.reached,
    shared.booked_in_time,
    cast(shared.booked_in_time_rub as decimal(14, 2)) as booked_in_time_rub,
    shared.booked_left_waiting,
    cast(shared.booked_left_waiting_rub as decimal(14, 2)) as booked_left_waiting_rub,
    shared.share_in_time as booked_share_in_time,
    shared.share_left_waiting as booked_share_left_waiting,
    shared.share_in_time - shared.share_left_waiting as difference,
    {{ newcombe(
        'low', 'shared.share_in_time', 'shared.share_in_time_lo', 'shared.share_in_time_hi',
        'shared.share_left_waiting', 'shared.share_left_waiting_lo', 'shared.share_left_waiting_hi'
    ) }} as difference_lo95,
    {{ newcombe(
        'high', 'shared.share_in_time', 'shared.share_in_time_lo', 'shared.share_in_time_hi',
        'shared.share_left_waiting', 'shared.share_left_waiting_lo', 'shared.share_left_waiting_hi'
    ) }} as difference_hi95,
    case
        when least(shared.called_in_time, shared.left_waiting) >= {{ enough }} then 1
        else 0
    end as is_enough

from shared

left join {{ ref('lm_action_lists') }} as lists
    on shared.list_code = lists.list_code
