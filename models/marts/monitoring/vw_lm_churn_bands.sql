with

bands as (

    select
        churn.value_label as band,
        field(churn.value_label, 'low', 'medium', 'high') as band_rank,
        count(*) as calls,
        avg(case
            when calls.next_call_at <= timestampadd(day, 90, calls.call_started_at) then 0
            else 1
        end) as no_return_90d

    from {{ ref('fct_call') }} as calls

    {{ join_value('churn', 'churn_risk_level') }}

    where calls.call_date >= cast(date_sub({{ as_of() }}, interval 455 day) as date)
        and calls.call_started_at < date_sub({{ as_of() }}, interval 90 day)
        and calls.caller_key is not null
        and calls.is_frequent_number = 0
        and churn.value_label in ('low', 'medium', 'high')

    group by churn.value_label

    -- A share of fewer says little.
    having count(*) >= 100

),

compared as (

    select
        *,
        max(no_return_90d) over (
            order by band_rank rows between unbounded preceding and 1 preceding
        ) as lower_band_share

    from bands

)

select
    cast(band as char(8)) as band,
    band_rank,
    calls,
    no_return_90d,
    case when no_return_90d <= lower_band_share then 1 else 0 end as is_out_of_order

from compared
