{{ config(
    materialized='incremental',
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

with

dimension_list as (
    {{ dimension_rows(dimensions()) }}

),

calls as (

    select
        dated_calls.history_id,
        dated_calls.stat_date,
        dimension_list.dimension,
        {{ dimension_value(dimensions()) }} as dimension_value

    from (
        select
            *,
            call_date as stat_date
        from {{ ref('fct_call') }}
    ) as dated_calls

    cross join dimension_list

    where {{ in_batch() }}

),

-- A number stands for the slice: what is sorted below is narrow.
sliced as (

    select
        *,
        dense_rank() over (order by stat_date, dimension, dimension_value) as slice_no

    from calls

    {{ kept_apart() }}

),

measured as (

    select
        sliced.*,
        lm_value.metric_group,
        lm_value.metric_code,
        lm_value.value_numeric,
        lm_value.value_label,
        crc32(lm_value.metric_code) as metric_no

    from sliced

    inner join {{ ref('lm_value') }} as lm_value
        on sliced.history_id = lm_value.history_id

    where lm_value.metric_group <> 'aux'

),

ranked as (

    select
        *,
        count(value_numeric) over (partition by slice_no, metric_no) as value_count,
        row_number() over (
            partition by slice_no, metric_no
            order by value_numeric is null, value_numeric
        ) as value_rank

    from measured

)

select
    min(stat_date) as stat_date,
    min(dimension) as dimension,
    min(dimension_value) as dimension_value,
    min(metric_code) as metric_code,
    min(metric_group) as metric_group,
    count(*) as calls,
    max(value_count) as value_count,
    avg(value_numeric) as value_avg,
    min(value_numeric) as value_min,
    {{ percentile('value_numeric', 0.5) }} as value_p50,
    {{ percentile('value_numeric', 0.9) }} as value_p90,
    {{ percentile('value_numeric', 0.95) }} as value_p95,
    max(value_numeric) as value_max,
    coalesce(sum(value_numeric), 0) as value_sum,
    coalesce(sum(value_numeric * value_numeric), 0) as value_sum_sq,
    {%- for label in ['true', 'low', 'medium', 'high'] %}
    sum(case when value_label = '{{ label }}' then 1 else 0 end) as {{ label }}_count,
    {%- endfor %}
    concat('{', concat_ws(
        ',',
        {%- for label in labels %}
        {%- set counted = "sum(case when value_label = '" ~ label ~ "' then 1 else 0 end)" %}
        concat('"{{ label }}":', nullif({{ counted }}, 0)){{ ',' if not loop.last }}
        {%- endfor %}
    ), '}') as label_counts

from ranked

group by slice_no, metric_no
