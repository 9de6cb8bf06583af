-- Which calls of the last 30 days have no value of a metric, and why? The gate is the reason: most
-- are meant to be (a spam call has no chance of a booking), others are data to mend: no review, no
-- wait, no checklist. share is of all calls.
select
    metric_values.metric_code,
    metric_values.status,
    metric_values.gate,
    coalesce(own_texts.sentence_ru, shared_texts.sentence_ru) as reason_ru,
    metric_values.calls,
    round(metric_values.calls / metric_values.all_calls, 3) as share

from (
    select
        lm_value.metric_code,
        json_unquote(json_extract(lm_value.value_json, '$.status')) as status,
        json_unquote(json_extract(lm_value.value_json, '$.gate')) as gate,
        count(*) as calls,
        sum(count(*)) over (partition by lm_value.metric_code) as all_calls
    from {{ ref('fct_call') }} as calls
    inner join {{ ref('lm_value') }} as lm_value
        on calls.history_id = lm_value.history_id
    where lm_value.metric_group <> 'aux'
        and calls.call_date > date_sub(
            (select max(newest.call_date) from {{ ref('fct_call') }} as newest), interval 30 day
        )
    group by lm_value.metric_code, status, gate
) as metric_values

left join {{ ref('lm_reason_dictionary') }} as own_texts
    on metric_values.gate = own_texts.reason_code
    and metric_values.metric_code = own_texts.metric_code

left join {{ ref('lm_reason_dictionary') }} as shared_texts
    on metric_values.gate = shared_texts.reason_code
    and shared_texts.metric_code = '*'

where metric_values.status not in ('ok', 'partial')

order by metric_values.metric_code asc, metric_values.calls desc
