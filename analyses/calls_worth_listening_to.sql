-- Which talks should a supervisor hear? The last 14 days, the riskiest by the script, with the
-- reasons in words. The index knows marks, checklist and lengths, not what was said: it chooses
-- what to hear, and is no verdict.
select
    explained.history_id,
    explained.call_started_at,
    calls.operator_name,
    calls.talk_sec,
    round(explained.value_numeric) as script_risk_index,
    explained.reasons_ru

from {{ ref('fct_call') }} as calls

inner join {{ ref('vw_lm_call_explained') }} as explained
    on calls.history_id = explained.history_id
    and explained.metric_code = 'script_risk_index'

where explained.value_label = 'high'
    and calls.call_date > date_sub(
        (select max(newest.call_date) from {{ ref('fct_call') }} as newest), interval 14 day
    )

order by explained.value_numeric desc, explained.history_id asc

limit 20
