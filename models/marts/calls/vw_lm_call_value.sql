{%- set visits = var('visits_identifier') -%}

with

{%- if visits %}

-- What was really paid, by call; a visit of no known call is left out.
paid as (

    select
        history_id,
        sum(visit_sum) as visit_value,
        count(*) as visits

    from {{ source('visits', 'visits') }}

    where visit_sum >= 0

    group by history_id

),
{%- endif %}

valued as (

    select
        calls.history_id,
        calls.call_started_at,
        calls.call_date,
        calls.direction,
        calls.operator_name,
        calls.source_channel,
        calls.service_name,
        calls.service_group,
        calls.is_answered,
        calls.is_booked,
        calls.service_ticket,
        calls.booked_value,
        calls.booked_value_basis,
        cast(json_extract(conversion.value_json, '$.expected_rub') * 1e0 as decimal(12, 2))
            as expected_value,
        conversion.value_numeric / 100 as later_share,
        cast(json_extract(losses.value_json, '$.loss_rub') * 1e0 as decimal(12, 2)) as lost_value

    from {{ ref('fct_call') }} as calls

    {{ join_value('conversion', 'conversion_score') }}

    {{ join_value('losses', 'lost_opportunity_score') }}

)

select
    valued.history_id,
    valued.call_started_at,
    valued.call_date,
    valued.direction,
    valued.operator_name,
    valued.source_channel,
    valued.service_name,
    valued.service_group,
    valued.is_booked,
    valued.booked_value,
    valued.booked_value_basis,
    valued.expected_value,
    case when valued.expected_value is not null then valued.later_share end as expected_share,
    cast(case
        when valued.expected_value is null then null
        when valued.service_ticket is null then 'median'
        else 'service'
    end as char(16)) as expected_value_basis,
    valued.lost_value,
    cast(case
        when valued.lost_value is null or valued.lost_value = 0 then null
        when prices.has_prices = 0 then 'none'
        when valued.is_answered = 0 then 'mean'
        when valued.service_ticket is null then 'median'
        else 'service'
    end as char(16)) as lost_value_basis,
    {%- if visits %}
    cast(paid.visit_value as decimal(12, 2)) as visit_value,
    coalesce(paid.visits, 0) as visits
    {%- else %}
    cast(null as decimal(12, 2)) as visit_value,
    cast(null as signed) as visits
    {%- endif %}

from valued

cross join {{ ref('int_median_ticket') }} as prices
{%- if visits %}

left join paid
    on valued.history_id = paid.history_id
{%- endif %}
