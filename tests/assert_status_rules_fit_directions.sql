-- A rule for an unknown code, or whose good side is not the dictionary's, would colour nothing or
-- the wrong way; two rules would double rows.
select
    rules.metric_code,
    rules.period_days

from {{ ref('lm_status_rules') }} as rules

left join {{ ref('lm_metric_dictionary') }} as metrics
    on rules.metric_code = metrics.metric_code

left join {{ ref('lm_kpi_dictionary') }} as kpis
    on rules.metric_code = kpis.kpi_code

where coalesce(metrics.direction, kpis.direction, 'neutral') = 'neutral'
    or (
        coalesce(metrics.direction, kpis.direction) = 'higher_better'
        and rules.green_from <= rules.red_from
    )
    or (
        coalesce(metrics.direction, kpis.direction) = 'lower_better'
        and rules.green_from >= rules.red_from
    )

union all

select
    metric_code,
    period_days

from {{ ref('lm_status_rules') }}

group by metric_code, period_days

having count(*) > 1
