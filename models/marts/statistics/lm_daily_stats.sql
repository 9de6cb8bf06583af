{{ config(
    materialized='incremental',
    feed={'kind': 'by_day', 'by_metric': true},
    unique_key=['stat_date', 'dimension', 'dimension_value', 'metric_code'],
    keys=['primary key (stat_date, dimension, dimension_value, metric_code)'],
    json_columns=['label_counts'],
    replaces_batches=true,
    counts_changes=false,
    parent='fct_call',
    parent_columns={'stat_date': 'call_date'},
) }}

{%- set labels = [
    'within_sla', 'late', 'missed', 'booked', 'likely', 'possible', 'unlikely',
    'true', 'false', 'low', 'medium', 'normal', 'high', 'complaint',
] %}
{%- set metrics = measured_metrics() %}

with

dimension_list as (
    {%- for name in dimensions() %}

    select
        {{ loop.index }} as dimension_no,
        cast('{{ name }}' as char(16)) as dimension
    {{- '\n\n    union all' if not loop.last }}
    {%- endfor %}

),

-- Numbers stand for days and texts: what is counted and sorted below is narrow.
calls as (

    select
        {%- for name, expression in dimensions().items() %}
        {%- set slice = 'dated_calls.stat_date' ~ (', ' ~ expression if name != 'all' else '') %}
        dense_rank() over (order by {{ slice }}) as {{ name }}_no,
        {%- endfor %}
        dated_calls.history_id

    from (
        select
            *,
            call_date as stat_date
        from {{ ref('int_counted_calls') }}
    ) as dated_calls

    where {{ in_batch() }}

    {{ kept_apart() }}

),

measured as (

    select
        calls.*,
        field(lm_value.metric_code, {{ quoted_list(metrics) }}) as metric_no,
        field(lm_value.value_label, {{ quoted_list(labels) }}) as label_no,
        lm_value.value_numeric

    from calls

    inner join {{ ref('lm_value') }} as lm_value
        on calls.history_id = lm_value.history_id

    where lm_value.metric_group <> 'aux' and {{ metrics_of_batch() }}

    -- Or MySQL would look the values up once a dimension.
    {{ kept_apart() }}

),

sliced as (

    select
        measured.history_id,
        dimension_list.dimension_no,
        case dimension_list.dimension_no
            {%- for name in dimensions() %}
            when {{ loop.index }} then measured.{{ name }}_no
            {%- endfor %}
        end as slice_no,
        measured.metric_no,
        measured.label_no,
        measured.value_numeric

    from measured

    cross join dimension_list

    where measured.metric_no > 0

),

-- Most values occur many times: few rows are left to sort. Any call of the slice tells its texts
-- later.
counted as (

    select
        dimension_no,
        slice_no,
        metric_no,
        value_numeric,
        label_no,
        min(history_id) as history_id,
        count(*) as times,
        count(value_numeric) as value_times

    from sliced

    group by dimension_no, slice_no, metric_no, value_numeric, label_no

),

-- In floating point, which is exact for whole numbers.
ranked as (

    select
        *,
        sum(value_times * 1e0) over (
            partition by dimension_no, slice_no, metric_no
        ) as value_count,
        sum(value_times * 1e0) over (
            partition by dimension_no, slice_no, metric_no
            order by value_numeric
            rows between unbounded preceding and current row
        ) as last_rank

    from counted

),

slices as (

    select
        min(history_id) as history_id,
        dimension_no,
        metric_no,
        sum(times) as calls,
        sum(value_times) as value_count,
        min(value_numeric) as value_min,
        {{ percentile_of_counts('value_numeric', 0.5) }} as value_p50,
        {{ percentile_of_counts('value_numeric', 0.9) }} as value_p90,
        {{ percentile_of_counts('value_numeric', 0.95) }} as value_p95,
        max(value_numeric) as value_max,
        sum(times * value_numeric) as value_sum,
        {%- for label in labels %}
        sum(case when label_no = {{ loop.index }} then times else 0 end) as {{ label }}_count,
        {%- endfor %}
        sum(times * value_numeric * value_numeric) as value_sum_sq

    from ranked

    group by dimension_no, slice_no, metric_no

    {{ kept_apart() }}

)

select
    fct_call.call_date as stat_date,
    dimension_list.dimension,
    {{ dimension_value(dimensions()) }} as dimension_value,
    elt(slices.metric_no, {{ quoted_list(metrics) }}) as metric_code,
    elt(slices.metric_no, {{ quoted_list(metrics.values()) }}) as metric_group,
    slices.calls,
    slices.value_count,
    slices.value_sum / nullif(slices.value_count, 0) as value_avg,
    slices.value_min,
    slices.value_p50,
    slices.value_p90,
    slices.value_p95,
    slices.value_max,
    coalesce(slices.value_sum, 0) as value_sum,
    coalesce(slices.value_sum_sq, 0) as value_sum_sq,
    slices.true_count,
    slices.low_count,
    slices.medium_count,
    slices.high_count,
    concat('{', concat_ws(
        ',',
        {%- for label in labels %}
        concat('"{{ label }}":', nullif(slices.{{ label }}_count, 0)){{ ',' if not loop.last }}
        {%- endfor %}
    ), '}') as label_counts

from slices

inner join dimension_list
    on slices.dimension_no = dimension_list.dimension_no

inner join {{ ref('fct_call') }} as fct_call
    on slices.history_id = fct_call.history_id
