{{ config(
    materialized='incremental',
    feed={'kind': 'by_period'},
    unique_key=['period_days', 'operator_name'],
    keys=['primary key (period_days, operator_name)'],
    replaces_batches=true,
    counts_changes=false,
    changes_in_full_pass=false,
) }}

{#- What a call's chance of a booking is told by, from the widest cell to the narrowest: what the
    caller brings, never what the operator did. Hour and weekday are left out: by the roster the other
    calls of such a cell are those of one or two colleagues, and their skill would pass for the hour's. -#}
{%- set cells = [
    ['direction', 'is_known_caller'],
    ['direction', 'is_known_caller', 'service_group'],
    ['direction', 'is_known_caller', 'service_group', 'source_channel'],
] %}
{%- set smoothing = rule_param('smoothing_calls') | trim %}
{%- set ns = namespace(chance='(bookings_0 * 1e0 / nullif(calls_0, 0))') %}
{%- for _ in cells %}
    {%- set ns.chance = '((bookings_' ~ loop.index ~ ' + ' ~ smoothing ~ ' * ' ~ ns.chance
        ~ ') / (calls_' ~ loop.index ~ ' + ' ~ smoothing ~ '))' %}
{%- endfor %}

with

periods as (
    {{ period_windows() }}
),

wanting as (

    select
        periods.period_days,
        periods.period_end,
        fct_call.operator_name,
        fct_call.direction,
        fct_call.service_group,
        fct_call.source_channel,
        case
            when fct_call.is_frequent_number = 0 and fct_call.days_since_last_call is not null
                then 1
            else 0
        end as is_known_caller,
        fct_call.is_booked

    from periods

    inner join {{ ref('int_counted_calls') }} as fct_call
        on fct_call.call_date between periods.period_start and periods.period_end

    -- The same as a constant: few days are read then, and not the table.
    where fct_call.call_date >= {{ day_of_batch('first_day') }}
        and fct_call.wants_booking = 1

    {{ kept_apart() }}

),

-- Numbers stand for the cells' texts.
numbered as (

    select
        period_days,
        period_end,
        operator_name,
        is_booked,
        {%- for cell in cells %}
        dense_rank() over (order by {{ cell | join(', ') }}) as cell_{{ loop.index }},
        {%- endfor %}
        dense_rank() over (order by operator_name) as operator_no

    from wanting

),

counted as (

    select
        period_days,
        operator_no,
        cell_{{ cells | length }},
        {%- for cell in cells[:-1] %}
        min(cell_{{ loop.index }}) as cell_{{ loop.index }},
        {%- endfor %}
        min(period_end) as period_end,
        min(operator_name) as operator_name,
        count(*) as calls,
        sum(is_booked) as bookings

    from numbered

    group by period_days, operator_no, cell_{{ cells | length }}

),

-- The same calls without those of the operator himself.
others as (

    select
        *,
        {%- for cell in cells %}
        {{ of_others('calls', 'cell_' ~ loop.index) }} as calls_{{ loop.index }},
        {{ of_others('bookings', 'cell_' ~ loop.index) }} as bookings_{{ loop.index }},
        {%- endfor %}
        {{ of_others('calls') }} as calls_0,
        {{ of_others('bookings') }} as bookings_0

    from counted

),

chances as (

    select
        *,
        {{ ns.chance }} as chance

    from others

),

expected as (

    select
        period_days,
        operator_no,
        min(period_end) as period_end,
        min(operator_name) as operator_name,
        sum(calls) as wanting_calls,
        sum(bookings) as bookings,
        min(calls_0) as other_calls,
        sum(calls * chance) as expected_bookings,
        sum(calls * chance * (1 - chance)) as chance_variance

    from chances

    group by period_days, operator_no

)

-- Two things blur a difference: luck in the operator's own calls, and in the others' calls,
-- by which they are judged.
select
    period_days,
    period_end,
    operator_name,
    wanting_calls,
    bookings,
    other_calls,
    expected_bookings,
    chance_variance
    + expected_bookings * (wanting_calls - expected_bookings) / nullif(other_calls, 0)
        as bookings_variance

from expected
