-- Which clients may complain or leave, and what should be done first? The open cases of the risk
-- lists, the most urgent on top. reasons_ru and action_ru are sentences for the one who calls;
-- the English ones end in _en.
select
    list_name_ru,
    history_id,
    call_started_at,
    operator_name,
    service_name,
    value_numeric as risk,
    due_at,
    is_overdue,
    reasons_ru,
    action_ru

from {{ ref('vw_lm_action_list') }}

where metric_code in ('complaint_risk_flag', 'churn_risk_level')

order by sort_key, due_at, history_id

limit 50
