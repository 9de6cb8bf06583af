-- Who books more than colleagues would with the same calls? expected_bookings is what the other
-- operators' results on like calls give. Compare shrunk_uplift_per_100: bookings gained or lost in
-- 100 calls, with luck taken off. The difference is beyond chance only where booking_uplift_low
-- and _high lie on one side of 0; plain conversion_rate is shown to see how far the mix of calls
-- misleads. No rank: too few calls to tell.
select
    operator_rank,
    operator_name,
    wanting_calls,
    bookings,
    round(expected_bookings, 1) as expected_bookings,
    round(conversion_rate, 3) as conversion_rate,
    round(booking_uplift_low, 1) as booking_uplift_low,
    round(booking_uplift_high, 1) as booking_uplift_high,
    round(shrunk_uplift_per_100, 1) as shrunk_uplift_per_100,
    status

from {{ ref('vw_lm_operator_scorecard') }}

where period_days = 30 and operator_name <> 'unknown'

order by coalesce(operator_rank, 999), operator_name
