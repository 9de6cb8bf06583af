-- Which services are asked for and not booked? The last 30 days, dearest losses first.
-- lost_value_rub is an expectation (ticket, chance of a booking, chance that the client does not
-- come back), not an invoice; without prices in lm_services it only ranks. A service of under 30
-- wanting_calls says little by its conversion_rate.
select
    dimension_value as service_name,
    sum(wanting_calls) as wanting_calls,
    sum(bookings) as bookings,
    round(sum(bookings) / nullif(sum(wanting_calls), 0), 3) as conversion_rate,
    sum(lost_calls) as lost_calls,
    round(sum(lost_value_rub)) as lost_value_rub

from {{ ref('vw_lm_kpi_daily') }}

where dimension = 'service'
    and stat_date > date_sub(
        (select max(newest.stat_date) from {{ ref('vw_lm_kpi_daily') }} as newest),
        interval 30 day
    )

group by dimension_value

having sum(wanting_calls) > 0

order by lost_value_rub desc, lost_calls desc, service_name asc
