-- Operators' bookings add up to those of all calls, and nobody is expected to book more than he
-- was asked.
select
    bookings.period_days,
    sum(bookings.wanting_calls) as wanting_calls

from {{ ref('lm_operator_bookings') }} as bookings

left join {{ ref('lm_period_stats') }} as stats
    on bookings.period_days = stats.period_days
    and stats.dimension = 'all'
    and stats.metric_code = 'conversion_rate'

group by bookings.period_days

having sum(bookings.wanting_calls) <> coalesce(max(stats.value_count), 0)
    or abs(sum(bookings.bookings) - max(stats.level) * max(stats.value_count)) > 0.001
    or max(case when bookings.expected_bookings > bookings.wanting_calls then 1 else 0 end) = 1
