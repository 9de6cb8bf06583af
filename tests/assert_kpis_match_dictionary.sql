-- The macro kpis() and lm_kpi_dictionary name the same KPIs.
with

computed as (

    {%- for code in kpis() %}
    select '{{ code }}' as kpi_code{{ ' union all' if not loop.last }}
    {%- endfor %}

)

select computed.kpi_code, 'is not in lm_kpi_dictionary' as problem
from computed
left join {{ ref('lm_kpi_dictionary') }} as dictionary
    on computed.kpi_code = dictionary.kpi_code
where dictionary.kpi_code is null

union all

select dictionary.kpi_code, 'is not in the macro kpis()' as problem
from {{ ref('lm_kpi_dictionary') }} as dictionary
left join computed
    on dictionary.kpi_code = computed.kpi_code
where computed.kpi_code is null
