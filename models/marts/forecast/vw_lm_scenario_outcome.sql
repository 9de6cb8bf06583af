{%- set targets = scenario_targets() %}
{%- set figures = scenario_figures() %}

with

newest as (

    {{ newest_forecast_run() }}

),

-- The totals of what was carried out, and how far its days are known.
spans as (

    select
        totals.*,
        done.done_from,
        done.marked_at,
        date_add(totals.period_start, interval totals.days - 1 day) as last_day,
        case
            when totals.target in ({{ reviewed_targets(targets) }}) then newest.reviews_through
            else newest.calls_through
        end as known_through

    from {{ source('scenarios', 'lm_scenario_done') }} as done

    inner join {{ source('scenarios', 'lm_scenario_result') }} as totals
        on done.run_id = totals.run_id
        and done.scenario = totals.scenario
        and totals.grain = 'total'

    cross join newest

),

-- A day without a row is a day without calls. Of shares a day weighs as many calls as it had.
days as (

    select
        promised.*,
        case promised.target
            {%- for name, target in targets.items() %}
            {%- set actual = 'came.' ~ target.get('actual', name) %}
            when '{{ name }}' then {{ actual if target.base
                else 'coalesce(' ~ actual ~ ', 0) * 1e0' }}
            {%- endfor %}
        end as actual,
        case promised.target
            {%- for name, target in targets.items() if target.base %}
            when '{{ name }}' then coalesce(came.{{ target.base }}, 0) * 1e0
            {%- endfor %}
            else 1e0
        end as weight

    from spans

    inner join {{ source('scenarios', 'lm_scenario_result') }} as promised
        on spans.run_id = promised.run_id
        and spans.scenario = promised.scenario
        and spans.target = promised.target
        and promised.grain = 'day'
        and promised.period_start between spans.done_from and spans.known_through

    left join {{ ref('int_forecast_series') }} as came
        on promised.period_start = came.stat_date
        and came.dimension = 'all'
        and came.dimension_value = 'all'

),

sums as (

    select
        run_id,
        scenario,
        target,
        max(period_start) as period_end,
        count(*) as days_compared,
        case target
            {%- for name, of_target in targets.items() if of_target.base %}
            when '{{ name }}' then nullif(sum(weight), 0)
            {%- endfor %}
            else 1e0
        end as divisor,
        {%- for figure in figures %}
        sum(weight * {{ figure }}) as {{ figure }},
        {%- endfor %}
        sum(weight * actual) as actual

    from days

    group by run_id, scenario, target

),

-- Only all days together have an interval of their own. Ends added up lie further out than it,
-- for that not all days go wrong in one direction at once.
compared as (

    select
        spans.run_id,
        spans.scenario,
        spans.done_from,
        spans.marked_at,
        spans.target,
        cast('total' as char(8)) as grain,
        spans.done_from as period_start,
        sums.period_end,
        sums.days_compared,
        case when spans.known_through >= spans.last_day then 1 else 0 end as is_complete,
        case when sums.days_compared = spans.days then 0 else 1 end as is_bound,
        {%- for figure in figures %}
        case
            when sums.days_compared = spans.days then spans.{{ figure }}
            else sums.{{ figure }} / sums.divisor
        end as {{ figure }},
        {%- endfor %}
        sums.actual / sums.divisor as actual

    from spans

    inner join sums
        on spans.run_id = sums.run_id
        and spans.scenario = sums.scenario
        and spans.target = sums.target

    union all

    select
        spans.run_id,
        spans.scenario,
        spans.done_from,
        spans.marked_at,
        spans.target,
        days.grain,
        days.period_start,
        days.period_start as period_end,
        1 as days_compared,
        case when spans.known_through >= spans.last_day then 1 else 0 end as is_complete,
        0 as is_bound,
        {%- for figure in figures %}
        days.{{ figure }},
        {%- endfor %}
        days.actual

    from spans

    inner join days
        on spans.run_id = days.run_id
        and spans.scenario = days.scenario
        and spans.target = days.target

)

select
    *,
    actual - baseline as actual_difference,
    {%- for name in ['scenario', 'baseline'] %}
    {%- for level in ['80', '95'] %}
    case
        when actual between {{ name }}_lo{{ level }} and {{ name }}_hi{{ level }} then 1
        when actual is not null then 0
    end as is_within_{{ name }}{{ level }},
    {%- endfor %}
    {%- endfor %}
    cast(
        case
            when abs(actual - scenario_value) < abs(actual - baseline) then 'scenario'
            when abs(actual - scenario_value) > abs(actual - baseline) then 'baseline'
            when actual is not null then 'neither'
        end as char(8)
    ) as nearer_to

from compared
