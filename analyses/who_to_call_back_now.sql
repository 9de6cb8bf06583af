-- Who must be called back now? From top to bottom: priority 1 first, then what is nearest to its
-- due moment. attempts are calls to the client since then that nobody answered. A call leaves the
-- list by itself when somebody talks to the client, the client books or rings again, or the case
-- is too old. The client's number stands in call_history under history_id, and nowhere else.
select
    history_id,
    priority,
    due_at,
    is_overdue,
    call_started_at,
    operator_name,
    service_name,
    attempts,
    round(loss_rub) as loss_rub,
    reasons_ru,
    action_ru

from {{ ref('vw_lm_action_list') }}

where list_code = 'callback'

order by sort_key, due_at, history_id

limit 50
