select
    stat_date,
    dimension,
    dimension_value,
    reviewed_calls,
    calls,
    bookings,
    booked_value,
    lost_calls as lost,
    risky_calls as risky,
    talk_sec / 60e0 as talk_minutes,
    bookings * 1e0 / nullif(wanting_calls, 0) as conversion_rate,
    wanting_calls as conversion_rate_base,
    qa_score * 1e0 / nullif(qa_calls, 0) as quality,
    qa_calls as quality_base

from {{ ref('lm_daily_facts') }}
