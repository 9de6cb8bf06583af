with

runs as (

    {{ newest_forecast_run() }}

),

totals as (

    select
        runs.made_at,
        runs.first_day,
        totals.*

    from runs

    inner join {{ source('forecasts', 'lm_forecast_total') }} as totals
        on runs.run_id = totals.run_id

    where totals.days in (7, 14)

)

select
    days,
    first_day as period_start,
    date_add(first_day, interval days - 1 day) as period_end,
    dimension,
    dimension_value,
    {%- for target in forecast_targets() %}
    max(case when target = '{{ target }}' then yhat end) as {{ target }},
    {%- for bound in ['lo80', 'hi80', 'lo95', 'hi95'] %}
    max(case when target = '{{ target }}' then yhat_{{ bound }} end) as {{ target }}_{{ bound }},
    {%- endfor %}
    max(case when target = '{{ target }}' then previous_value end) as {{ target }}_before,
    max(case when target = '{{ target }}' then yhat - previous_value end) as {{ target }}_change,
    {%- endfor %}
    run_id,
    made_at

from totals

group by run_id, made_at, first_day, days, dimension, dimension_value
