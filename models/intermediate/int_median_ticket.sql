{#- The median ticket of the service groups: what a service of unknown price counts as. One row. -#}

with

service_groups as (

    select
        service_group,
        avg(avg_ticket) as ticket

    from {{ ref('lm_services') }}

    where avg_ticket is not null

    group by service_group

),

ranked as (

    select
        ticket,
        row_number() over (order by ticket, service_group) as ticket_rank,
        count(*) over () as group_count

    from service_groups

)

-- Without any price a loss is counted in calls.
select
    coalesce(avg(ticket), 1) * 1e0 as ticket,
    case when count(*) = 0 then 0 else 1 end as has_prices

from ranked

where ticket_rank in (floor((group_count + 1) / 2), floor((group_count + 2) / 2))
