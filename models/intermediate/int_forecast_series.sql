select
    stat_date,
    dimension,
    dimension_value,
    reviewed_calls,
    calls,
    incoming_answered as answered,
    bookings,
    booked_value,
    lost_calls as lost,
    loss_rub as lost_value,
    risky_calls as risky,
    talk_sec / 60e0 as talk_minutes,
    bookings * 1e0 / nullif(wanting_calls, 0) as conversion_rate,
    wanting_calls as conversion_rate_base,
    answered_in_sla * 1e0 / nullif(sla_calls, 0) as service_level,
    sla_calls as service_level_base,
    qa_score * 1e0 / nullif(qa_calls, 0) as quality,
    qa_calls as quality_base

from {{ ref('lm_daily_facts') }}
