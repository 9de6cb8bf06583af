-- Which advertising brings bookings, and not just calls? The last 30 days with calls.
-- conversion_rate is of the callers who wanted to book; bookings_per_100_calls also counts those
-- who rang for something else. 'unknown' is large where the phone system does not tell the dialled
-- number's source: compare the sources among themselves, and shares of under 30 wanting_calls not
-- at all.
select
    dimension_value as source_channel,
    sum(calls_offered) as calls_offered,
    sum(target_calls) as target_calls,
    sum(wanting_calls) as wanting_calls,
    sum(bookings) as bookings,
    round(sum(bookings) / nullif(sum(wanting_calls), 0), 3) as conversion_rate,
    round(100 * sum(bookings) / nullif(sum(calls), 0), 1) as bookings_per_100_calls,
    round(sum(lost_value_rub)) as lost_value_rub

from {{ ref('vw_lm_kpi_daily') }}

where dimension = 'source'
    and stat_date > date_sub(
        (select max(newest.stat_date) from {{ ref('vw_lm_kpi_daily') }} as newest),
        interval 30 day
    )

group by dimension_value

order by bookings desc
