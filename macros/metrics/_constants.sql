{% macro join_constant(alias, code, key) -%}
    left join {{ ref('lm_reference') }} as {{ alias }}
        on {{ alias }}.constant_code = '{{ code }}'
        and {{ alias }}.constant_key = {{ key }}
        and {{ alias }}.as_of_date = calls.week_start_date
{%- endmacro %}


{% macro next_workday(date, hour) -%}
    (
        select timestampadd(hour, {{ hour }}, cast(min(date_add({{ date }}, interval days.n day)) as datetime))
        from (
            {%- for n in range(1, 21) %}
            select {{ n }} as n{{ ' union all' if not loop.last }}
            {%- endfor %}
        ) as days
        left join {{ ref('lm_holidays') }} as off_days
            on off_days.calendar_date = date_add({{ date }}, interval days.n day)
        where coalesce(
            off_days.day_kind,
            case when weekday(date_add({{ date }}, interval days.n day)) >= 5 then 'weekend' else 'workday' end
        ) = 'workday'
    )
{%- endmacro %}
