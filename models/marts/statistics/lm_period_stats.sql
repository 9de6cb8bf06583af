{{ config(
    materialized='incremental',
    feed={'kind': 'by_period'},
    unique_key=['period_days', 'dimension', 'dimension_value', 'metric_code'],
    keys=['primary key (period_days, dimension, dimension_value, metric_code)'],
    replaces_batches=true,
    counts_changes=false,
    changes_in_full_pass=false,
) }}

{#- Operator and so on, but not the hour: it has a profile of its own. -#}
{%- set period_dimensions = dimensions() %}
{%- do period_dimensions.pop('hour') %}
{%- set texts = period_dimensions.keys() | reject('equalto', 'all') | list %}
{%- set all_dimensions = "'" ~ period_dimensions.keys() | join("', '") ~ "'" %}
{%- set sums = ['value_count', 'value_sum', 'value_sum_sq'] %}

with

periods as (
    {{ period_windows() }}
),

-- Percentiles are of the period's own values. Numbers stand for the texts: what is sorted below
-- is narrow.
calls as (

    select
        periods.period_days,
        {%- for name in texts %}
        dense_rank() over (order by fct_call.{{ period_dimensions[name] }}) as {{ name }}_no,
        {%- endfor %}
        fct_call.history_id

    from periods

    inner join {{ ref('int_counted_calls') }} as fct_call
        on fct_call.call_date between periods.period_start and periods.period_end

    -- The same as a constant: few days are read then, and not the table.
    where fct_call.call_date >= {{ day_of_batch('first_day') }}

    {{ kept_apart() }}

),

measured as (

    select
        calls.*,
        crc32(lm_value.metric_code) as metric_no,
        lm_value.value_numeric

    from calls

    inner join {{ ref('lm_value') }} as lm_value
        on calls.history_id = lm_value.history_id

    where lm_value.value_numeric is not null

    -- Or MySQL would look the values up once a dimension.
    {{ kept_apart() }}

),

dimension_list as (
    {%- for name in period_dimensions %}

    select
        {{ loop.index0 }} as dimension_no,
        cast('{{ name }}' as char(16)) as dimension
    {{- '\n\n    union all' if not loop.last }}
    {%- endfor %}

),

sliced as (

    select
        measured.period_days,
        dimension_list.dimension_no,
        case dimension_list.dimension_no
            {%- for name in texts %}
            when {{ loop.index }} then measured.{{ name }}_no
            {%- endfor %}
            else 0
        end as slice_no,
        measured.metric_no,
        measured.value_numeric,
        measured.history_id

    from measured

    cross join dimension_list

),

-- Most values occur many times: few rows are left to sort. Any call of the slice tells its texts
-- later.
counted as (

    select
        period_days,
        dimension_no,
        slice_no,
        metric_no,
        value_numeric,
        count(*) as times,
        min(history_id) as history_id

    from sliced

    group by period_days, dimension_no, slice_no, metric_no, value_numeric

),

-- In floating point, which is exact for whole numbers.
ranked as (

    select
        *,
        sum(times * 1e0) over (
            partition by period_days, dimension_no, slice_no, metric_no
        ) as value_count,
        sum(times * 1e0) over (
            partition by period_days, dimension_no, slice_no, metric_no
            order by value_numeric
            rows between unbounded preceding and current row
        ) as last_rank

    from counted

),

percentiles as (

    select
        period_days,
        dimension_no,
        metric_no,
        min(history_id) as history_id,
        {{ percentile_of_counts('value_numeric', 0.5) }} as value_p50,
        {{ percentile_of_counts('value_numeric', 0.9) }} as value_p90

    from ranked

    group by period_days, dimension_no, slice_no, metric_no

    {{ kept_apart() }}

),

-- Levels add up over days.
metric_sums as (

    select
        periods.period_days,
        daily.dimension,
        daily.dimension_value,
        daily.metric_code,
        min(daily.metric_group) as metric_group,
        {%- for column in sums + ['true_count', 'high_count'] %}
        sum(
            case when daily.stat_date >= periods.period_start then daily.{{ column }} else 0 end
        ) as {{ column }},
        {%- endfor %}
        -- An open follow-up closes by itself after days: older calls are no measure for it.
        {%- for column in sums %}
        sum(
            case
                when daily.stat_date < periods.period_start
                    and daily.metric_code <> 'followup_needed_flag' then daily.{{ column }}
                else 0
            end
        ) as previous_{{ column }},
        {%- endfor %}
        sum(case when daily.stat_date >= periods.period_start then daily.calls else 0 end) as calls

    from periods

    inner join {{ ref('lm_daily_stats') }} as daily
        on daily.stat_date between periods.previous_start and periods.period_end

    where daily.stat_date >= {{ day_of_batch('first_day_before') }}
        and daily.dimension in ({{ all_dimensions }})

    group by periods.period_days, daily.dimension, daily.dimension_value, daily.metric_code

),

fact_sums as (

    select
        periods.period_days,
        daily.dimension,
        daily.dimension_value,
        {{ interval_kpi_sums() }}
        sum(case when daily.stat_date >= periods.period_start then daily.calls else 0 end) as calls

    from periods

    inner join {{ ref('lm_daily_facts') }} as daily
        on daily.stat_date between periods.previous_start and periods.period_end

    where daily.stat_date >= {{ day_of_batch('first_day_before') }}
        and daily.dimension in ({{ all_dimensions }})

    group by periods.period_days, daily.dimension, daily.dimension_value

    {{ kept_apart() }}

),

kpi_list as (
    {%- for code in interval_kpis() %}

    select cast('{{ code }}' as char(64)) as metric_code
    {{- '\n\n    union all' if not loop.last }}
    {%- endfor %}

),

kpi_sums as (

    select
        fact_sums.period_days,
        fact_sums.dimension,
        fact_sums.dimension_value,
        kpi_list.metric_code,
        {%- for column in sums %}
        {{ interval_kpi_sum(column) }} as {{ column }},
        {{ interval_kpi_sum('previous_' ~ column) }} as previous_{{ column }},
        {%- endfor %}
        fact_sums.calls

    from fact_sums

    cross join kpi_list

),

-- One below the other and then grouped: a join of them would have no key to go by.
together as (

    select
        period_days,
        dimension,
        dimension_value,
        metric_code,
        metric_group,
        calls,
        {{ sums | join(', ') }},
        true_count,
        high_count,
        previous_{{ sums | join(', previous_') }},
        null as value_p50,
        null as value_p90

    from metric_sums

    union all

    select
        period_days,
        dimension,
        dimension_value,
        metric_code,
        cast('kpi' as char(32)),
        calls,
        {{ sums | join(', ') }},
        null,
        null,
        previous_{{ sums | join(', previous_') }},
        null,
        null

    from kpi_sums

    union all

    select
        percentiles.period_days,
        dimension_list.dimension,
        {{ period_dimension_value(period_dimensions) }},
        metrics.metric_code,
        {{ (['null'] * 10) | join(', ') }},
        percentiles.value_p50,
        percentiles.value_p90

    from percentiles

    inner join dimension_list
        on percentiles.dimension_no = dimension_list.dimension_no

    inner join {{ ref('fct_call') }} as fct_call
        on percentiles.history_id = fct_call.history_id

    inner join {{ ref('lm_metric_dictionary') }} as metrics
        on percentiles.metric_no = crc32(metrics.metric_code)

),

slices as (

    select
        together.period_days,
        min(periods.period_start) as period_start,
        min(periods.period_end) as period_end,
        together.dimension,
        together.dimension_value,
        together.metric_code,
        max(together.metric_group) as metric_group,
        max(together.calls) as calls,
        {%- for column in sums %}
        max(coalesce(together.{{ column }}, 0)) as {{ column }},
        max(coalesce(together.previous_{{ column }}, 0)) as previous_{{ column }},
        {%- endfor %}
        max(together.value_p50) as value_p50,
        max(together.value_p90) as value_p90,
        max(together.true_count) as true_count,
        max(together.high_count) as high_count

    from together

    inner join periods
        on together.period_days = periods.period_days

    group by
        together.period_days,
        together.dimension,
        together.dimension_value,
        together.metric_code

    having max(together.calls) > 0

    {{ kept_apart() }}

),

levels as (

    select
        slices.*,
        case
            when kpis.kind = 'share'
                or (metrics.value_kind = 'flag' and metrics.scale_max = 1) then 1
            else 0
        end as is_share,
        case
            when metrics.allowed_labels like '%true%'
                then slices.true_count * 1e0 / nullif(slices.value_count, 0)
        end as true_share,
        case
            when metrics.allowed_labels like '%high%'
                then slices.high_count * 1e0 / nullif(slices.value_count, 0)
        end as high_share,
        slices.value_sum * 1e0 / nullif(slices.value_count, 0) as level,
        slices.previous_value_sum * 1e0 / nullif(slices.previous_value_count, 0) as previous_level,
        {{ sample_variance('slices.value_count', 'slices.value_sum', 'slices.value_sum_sq') }}
            as variance,
        {{ sample_variance(
            'slices.previous_value_count', 'slices.previous_value_sum', 'slices.previous_value_sum_sq'
        ) }} as previous_variance

    from slices

    left join {{ ref('lm_metric_dictionary') }} as metrics
        on slices.metric_code = metrics.metric_code

    left join {{ ref('lm_kpi_dictionary') }} as kpis
        on slices.metric_code = kpis.kpi_code

    {{ kept_apart() }}

),

margins as (

    select
        *,
        {{ mean_margin('value_count', 'variance') }} as margin,
        {{ welch_margin('value_count', 'variance', 'previous_value_count', 'previous_variance') }}
            as change_margin,
        {{ wilson_low('value_sum', 'value_count') }} as share_low,
        {{ wilson_high('value_sum', 'value_count') }} as share_high,
        {{ wilson_low('previous_value_sum', 'previous_value_count') }} as previous_low,
        {{ wilson_high('previous_value_sum', 'previous_value_count') }} as previous_high

    from levels

    {{ kept_apart() }}

)

select
    period_days,
    period_start,
    period_end,
    dimension,
    dimension_value,
    metric_code,
    metric_group,
    calls,
    value_count,
    level,
    case when is_share = 1 then share_low else level - margin end as level_low,
    case when is_share = 1 then share_high else level + margin end as level_high,
    value_p50,
    value_p90,
    true_share,
    high_share,
    previous_value_count as previous_count,
    previous_level,
    case
        when is_share = 1
            then {{ newcombe(
                'low', 'level', 'share_low', 'share_high', 'previous_level', 'previous_low', 'previous_high'
            ) }}
        else level - previous_level - change_margin
    end as change_low,
    case
        when is_share = 1
            then {{ newcombe(
                'high', 'level', 'share_low', 'share_high', 'previous_level', 'previous_low', 'previous_high'
            ) }}
        else level - previous_level + change_margin
    end as change_high

from margins
