select
    stat_date,
    dimension,
    dimension_value,
    {%- for code, kpi in kpis().items() %}
    {%- if kpi.matured_days %}
    case
        when {{ is_matured('stat_date', kpi.matured_days) }} then {{ kpi_value(kpi, sums=false) }}
    end as {{ code }},
    {%- else %}
    {{ kpi_value(kpi, sums=false) }} as {{ code }},
    {%- endif %}
    {%- endfor %}
    sla_calls,
    talk_calls,
    operator_hours,
    reviewed_calls,
    target_new_calls,
    repeat_base_calls,
    repeat_calls,
    qa_calls,
    coverage_calls,
    callers

from {{ ref('lm_daily_facts') }}

where dimension <> 'refusal'
