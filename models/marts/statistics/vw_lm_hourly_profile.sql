{%- set sums = {
    'calls': 'calls',
    'offered': 'incoming_calls',
    'answered': 'incoming_answered',
    'abandoned': 'incoming_abandoned',
    'bookings': 'bookings',
    'lost': 'lost_calls',
    'work_hours': 'work_sec',
    'lost_value_rub': 'loss_rub',
} %}

with

last_days as (

    select {{ last_day() }} as last_day

),

lengths as (

    select 8 as span_weeks

    union all

    select 26 as span_weeks

),

spans as (

    select
        lengths.span_weeks,
        date_sub(last_days.last_day, interval 7 * lengths.span_weeks - 1 day) as span_start,
        last_days.last_day as span_end

    from lengths

    cross join last_days

),

weekdays as (
    {%- for weekday in range(1, 8) %}

    select {{ weekday }} as call_weekday
    {{- '\n\n    union all' if not loop.last }}
    {%- endfor %}

),

hours as (
    {%- for hour in range(24) %}

    select {{ hour }} as call_hour
    {{- '\n\n    union all' if not loop.last }}
    {%- endfor %}

),

-- The day as a whole, each of its hours, and a row for each hour of the clock, so that quiet hours
-- are in the grid.
daily as (

    select
        spans.span_weeks,
        spans.span_start,
        spans.span_end,
        weekday(facts.stat_date) + 1 as call_weekday,
        case
            when facts.dimension = 'all' then -1 else cast(facts.dimension_value as signed)
        end as call_hour,
        facts.{{ sums.values() | join(',\n        facts.') }},
        facts.sla_calls,
        facts.answered_in_sla,
        facts.answer_wait_calls,
        facts.answer_wait_sec,
        1 as days

    from spans

    inner join {{ ref('lm_daily_facts') }} as facts
        on facts.stat_date between spans.span_start and spans.span_end

    where facts.dimension = 'all'
        or (facts.dimension = 'hour' and facts.dimension_value <> 'unknown')

    union all

    select
        spans.span_weeks,
        spans.span_start,
        spans.span_end,
        weekdays.call_weekday,
        hours.call_hour,
        {{ (['0'] * (sums | length + 5)) | join(', ') }}

    from spans

    cross join weekdays

    cross join hours

),
{%- set changed_hours = hours_changed() %}
{%- if changed_hours %}

-- Hours that clocks have left out or passed twice.
changed_hours as (
    {%- for hour in changed_hours %}

    select
        cast('{{ hour.day }}' as date) as stat_date,
        {{ hour.hour }} as call_hour,
        {{ hour.times }} as times
    {{- '\n\n    union all' if not loop.last }}
    {%- endfor %}

),

changed as (

    select
        spans.span_weeks,
        weekday(facts.stat_date) + 1 as call_weekday,
        changed_hours.call_hour,
        sum(changed_hours.times) as times

    from spans

    inner join changed_hours
        on changed_hours.stat_date between spans.span_start and spans.span_end

    inner join {{ ref('lm_daily_facts') }} as facts
        on changed_hours.stat_date = facts.stat_date
        and facts.dimension = 'all'

    group by spans.span_weeks, weekday(facts.stat_date) + 1, changed_hours.call_hour

),
{%- endif %}

added_up as (

    select
        span_weeks,
        call_weekday,
        call_hour,
        min(span_start) as span_start,
        min(span_end) as span_end,
        {%- for column in sums.values() %}
        sum({{ column }}) as {{ column }},
        {%- endfor %}
        sum(sla_calls) as sla_calls,
        sum(answered_in_sla) as answered_in_sla,
        sum(answer_wait_calls) as answer_wait_calls,
        sum(answer_wait_sec) as answer_wait_sec,
        sum(days) as days

    from daily

    group by span_weeks, call_weekday, call_hour

),

-- Days on which the clinic had any call at all.
observed as (

    select
        added_up.*,
        coalesce(
            max(case when added_up.call_hour = -1 then added_up.days end) over (
                partition by added_up.span_weeks, added_up.call_weekday
            ), 0
        ) {{- ' + coalesce(changed.times, 0)' if changed_hours }} as days_observed

    from added_up
    {%- if changed_hours %}

    left join changed
        on added_up.span_weeks = changed.span_weeks
        and added_up.call_weekday = changed.call_weekday
        and added_up.call_hour = changed.call_hour
    {%- endif %}

)

select
    span_weeks,
    span_start,
    span_end,
    call_weekday,
    call_hour,
    days_observed,
    {%- for name, column in sums.items() %}
    {{ column }} * 1e0
    / nullif({{ '3600 * ' if name == 'work_hours' }}days_observed, 0) as {{ name }}_per_day,
    {%- endfor %}
    answered_in_sla * 1e0 / nullif(sla_calls, 0) as service_level,
    incoming_abandoned * 1e0 / nullif(incoming_calls, 0) as abandonment_rate,
    answer_wait_sec * 1e0 / nullif(answer_wait_calls, 0) as asa_sec

from observed

where call_hour >= 0
