-- The statistics by day hold the days of the calls that count, no more and no less, and each call
-- once, however often it was reviewed.
{%- set measures = ['reviewed_calls', 'bookings', 'wanting_calls', 'target_calls', 'complaints'] %}

with

counted as (

    select
        call_date as stat_date,
        'fct_call' as table_name,
        count(*) as calls,
        sum(is_reviewed) as reviewed_calls,
        sum(is_booked) as bookings,
        sum(wants_booking) as wanting_calls,
        sum(is_target) as target_calls,
        sum(case when call_category = 'complaint' then 1 else 0 end) as complaints

    from {{ ref('int_counted_calls') }}

    where call_date is not null

    group by call_date

),

stats as (

    select
        stat_date,
        count(*) as metrics,
        min(calls) as calls,
        max(calls) as most_calls

    from {{ ref('lm_daily_stats') }}

    where dimension = 'all' and metric_group <> 'forecast'

    group by stat_date

),

compared as (

    select
        counted.stat_date,
        'lm_daily_facts' as table_name,
        counted.calls as fct_calls,
        facts.calls,
        case
            when facts.stat_date is null then 'the day is missing'
            when counted.calls <> facts.calls then 'calls'
            {%- for measure in measures %}
            when counted.{{ measure }} <> facts.{{ measure }} then '{{ measure }}'
            {%- endfor %}
        end as problem

    from counted

    left join {{ ref('lm_daily_facts') }} as facts
        on counted.stat_date = facts.stat_date
        and facts.dimension = 'all'

    union all

    select
        counted.stat_date,
        'lm_daily_stats' as table_name,
        counted.calls as fct_calls,
        stats.calls,
        case
            when stats.stat_date is null then 'the day is missing'
            when stats.metrics <> {{ rule_metrics() | length }} then 'metrics are missing'
            when stats.calls <> counted.calls or stats.most_calls <> counted.calls then 'calls'
        end

    from counted

    left join stats
        on counted.stat_date = stats.stat_date

    union all

    select
        facts.stat_date,
        'lm_daily_facts',
        0,
        facts.calls,
        case when counted.stat_date is null then 'a day without calls' end

    from {{ ref('lm_daily_facts') }} as facts

    left join counted
        on facts.stat_date = counted.stat_date

    where facts.dimension = 'all'

    union all

    select
        stats.stat_date,
        'lm_daily_stats',
        0,
        stats.calls,
        case when counted.stat_date is null then 'a day without calls' end

    from stats

    left join counted
        on stats.stat_date = counted.stat_date

)

select *

from compared

where problem is not null
