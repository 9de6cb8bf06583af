-- Every call of the source, answered or not, reviewed or not, has a row for each rule and aux
-- metric. Calls that came in after the run began are the next run's.
with

metric_rows as (

    select
        lm_value.history_id,
        count(*) as row_count

    from {{ ref('lm_value') }} as lm_value

    -- Rows of metrics that nobody knows may stand beside ours.
    inner join {{ ref('lm_metric_dictionary') }} as dictionary
        on lm_value.metric_code = dictionary.metric_code

    where dictionary.metric_group <> 'forecast'

    group by lm_value.history_id

)

select
    calls.history_id,
    metric_rows.row_count

from {{ ref('stg_call_history') }} as calls

left join metric_rows
    on calls.history_id = metric_rows.history_id

where calls.history_id <= (select max(known.history_id) from {{ ref('int_calls') }} as known)
    and coalesce(metric_rows.row_count, 0) <> {{ rule_metrics() | length + 3 }}
