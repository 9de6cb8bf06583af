-- A few days computed anew from the calls and their values: the last ones, where changes are, and
-- some forty of each thousand before. By operator, the dimension with the most to get wrong.
with

days as (

    select distinct stat_date

    from {{ ref('lm_daily_facts') }}

    where dimension = 'all'
        and (
            crc32(stat_date) % 25 = 0
            or stat_date >= date_sub(
                (select max(last_days.stat_date) from {{ ref('lm_daily_facts') }} as last_days),
                interval 2 day
            )
        )

    {{ kept_apart() }}

),

calls as (

    select fct_call.*

    from days

    inner join {{ ref('int_counted_calls') }} as fct_call
        on days.stat_date = fct_call.call_date

    {{ kept_apart() }}

),

operators as (

    select
        call_date,
        operator_name,
        count(*) as calls,
        count(distinct caller_key) as callers,
        sum(case when direction = 'in' then 1 else 0 end) as incoming_calls,
        sum(case when direction = 'in' and talk_sec > 0 then 1 else 0 end) as incoming_answered,
        sum(case when direction = 'out' then 1 else 0 end) as outgoing_calls,
        sum(case when direction in ('in', 'out') and talk_sec > 0 then talk_sec else 0 end)
            as talk_sec,
        sum(case when review_count > 0 then 1 else 0 end) as reviewed_calls,
        sum(case when wants_booking = 1 and is_booked = 0 then 1 else 0 end) as lost_calls,
        sum(is_booked) as bookings

    from calls

    group by call_date, operator_name

),

metric_values as (

    select
        calls.call_date,
        calls.operator_name,
        lm_value.metric_code,
        count(*) as calls,
        count(lm_value.value_numeric) as value_count,
        min(lm_value.value_numeric) as value_min,
        max(lm_value.value_numeric) as value_max,
        coalesce(sum(lm_value.value_numeric), 0) as value_sum,
        sum(case when lm_value.value_label = 'true' then 1 else 0 end) as true_count,
        sum(case when lm_value.value_label = 'high' then 1 else 0 end) as high_count

    from calls

    inner join {{ ref('lm_value') }} as lm_value
        on calls.history_id = lm_value.history_id

    -- Rows of a metric that the dictionary lacks are kept, and counted by nobody.
    inner join {{ ref('lm_metric_dictionary') }} as dictionary
        on lm_value.metric_code = dictionary.metric_code

    where lm_value.metric_group <> 'aux'

    group by calls.call_date, calls.operator_name, lm_value.metric_code

)

select
    operators.call_date,
    operators.operator_name,
    'lm_daily_facts' as table_name,
    null as metric_code,
    operators.calls,
    facts.calls as calls_there,
    case
        when facts.stat_date is null then 'the row is missing'
        {%- for column in [
            'calls', 'callers', 'incoming_calls', 'incoming_answered', 'outgoing_calls', 'talk_sec',
            'reviewed_calls', 'lost_calls', 'bookings',
        ] %}
        when operators.{{ column }} <> facts.{{ column }} then '{{ column }}'
        {%- endfor %}
    end as problem

from operators

left join {{ ref('lm_daily_facts') }} as facts
    on operators.call_date = facts.stat_date
    and facts.dimension = 'operator'
    and operators.operator_name = facts.dimension_value

where facts.stat_date is null
    {%- for column in [
        'calls', 'callers', 'incoming_calls', 'incoming_answered', 'outgoing_calls', 'talk_sec',
        'reviewed_calls', 'lost_calls', 'bookings',
    ] %}
    or operators.{{ column }} <> facts.{{ column }}
    {%- endfor %}

union all

select
    metric_values.call_date,
    metric_values.operator_name,
    'lm_daily_stats',
    metric_values.metric_code,
    metric_values.calls,
    stats.calls as calls_there,
    case
        when stats.stat_date is null then 'the row is missing'
        {%- for column in ['calls', 'value_count', 'value_sum', 'true_count', 'high_count'] %}
        when metric_values.{{ column }} <> stats.{{ column }} then '{{ column }}'
        {%- endfor %}
        else 'value_min or value_max'
    end

from metric_values

left join {{ ref('lm_daily_stats') }} as stats
    on metric_values.call_date = stats.stat_date
    and stats.dimension = 'operator'
    and metric_values.operator_name = stats.dimension_value
    and metric_values.metric_code = stats.metric_code

where stats.stat_date is null
    or (metric_values.value_min is null) <> (stats.value_min is null)
    or metric_values.value_min <> stats.value_min
    or metric_values.value_max <> stats.value_max
    {%- for column in ['calls', 'value_count', 'value_sum', 'true_count', 'high_count'] %}
    or metric_values.{{ column }} <> stats.{{ column }}
    {%- endfor %}
