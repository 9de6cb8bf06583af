-- A share counts part of its base: 0 <= numerator <= denominator, for every KPI of that kind.
with

shares as (

    {%- for code, kpi in kpis().items() if kpi.kind == 'share' %}
    select
        '{{ code }}' as kpi_code,
        stat_date,
        dimension,
        dimension_value,
        {{ kpi_part(kpi.numerator, sums=false) }} as numerator,
        {{ kpi_part(kpi.denominator, sums=false) }} as denominator
    from {{ ref('lm_daily_facts') }}
    {{- ' union all' if not loop.last }}
    {%- endfor %}

)

select *

from shares

where numerator < 0
    or numerator > denominator
