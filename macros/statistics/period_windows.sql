{% macro period_windows() -%}
    select
        lengths.period_days,
        date_sub(last_days.last_day, interval lengths.period_days - 1 day) as period_start,
        last_days.last_day as period_end,
        date_sub(last_days.last_day, interval 2 * lengths.period_days - 1 day) as previous_start

    from (
        {%- for days in period_lengths() %}
        select {{ days }} as period_days
        {{- ' union all' if not loop.last }}
        {%- endfor %}
    ) as lengths

    cross join (select {{ last_day() }} as last_day) as last_days

    where {{ in_batch() }}
{%- endmacro %}


{% macro interval_kpis() %}
    {% set found = {} %}
    {% for code, kpi in kpis().items() if kpi.kind in ('share', 'mean') %}
        {% do found.update({code: kpi}) %}
    {% endfor %}
    {% do return(found) %}
{% endmacro %}


{% macro interval_kpi_sums() -%}
    {%- for code, kpi in interval_kpis().items() %}
    {%- set matured = ' and ' ~ is_matured('daily.stat_date', kpi.matured_days) if kpi.matured_days else '' %}
    {%- for window, test in {'': '>=', 'previous_': '<'}.items() %}
    {%- for column, part in {
        'value_count': kpi.denominator, 'value_sum': kpi.numerator, 'value_sum_sq': kpi.squares
    }.items() if part -%}
    sum(
        case
            when daily.stat_date {{ test }} periods.period_start{{ matured }} then {{ kpi_part(part, sums=false) }}
            else 0
        end
    ) as {{ code }}_{{ window }}{{ column }},
    {% endfor %}
    {%- endfor %}
    {%- endfor %}
{%- endmacro %}


{% macro interval_kpi_sum(column) -%}
    case kpi_list.metric_code
        {%- for code, kpi in interval_kpis().items() if kpi.squares or not column.endswith('_sq') %}
        when '{{ code }}' then fact_sums.{{ code }}_{{ column }}
        {%- endfor %}
    end
{%- endmacro %}


{% macro period_dimension_value(dimensions) -%}
    case dimension_list.dimension
        {%- for name, expression in dimensions.items() if name != 'all' %}
        when '{{ name }}' then fct_call.{{ expression }}
        {%- endfor %}
        else 'all'
    end
{%- endmacro %}
