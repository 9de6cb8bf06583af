{#- One row a service group: the assumed chance that its callers need any other service. -#}

select
    service_group,
    1 - exp(sum(ln(greatest(1 - confidence, 0.000001)))) as share

from {{ ref('lm_service_affinity') }}

group by service_group
