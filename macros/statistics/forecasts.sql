{% macro forecast_targets() %}
    {% do return({
        'calls': {'ru': 'звонков', 'en': 'calls', 'reviewed': false},
        'bookings': {'ru': 'записей', 'en': 'bookings', 'reviewed': true},
        'booked_value': {'ru': 'рублей записано', 'en': 'roubles booked', 'reviewed': true},
        'lost': {'ru': 'потерянных обращений', 'en': 'lost calls', 'reviewed': true},
        'risky': {'ru': 'рискованных звонков', 'en': 'risky calls', 'reviewed': true},
        'talk_minutes': {'ru': 'минут разговора', 'en': 'minutes of talk', 'reviewed': false},
        'conversion_rate': {'ru': '% конверсии', 'en': '% conversion', 'reviewed': true},
        'quality': {'ru': 'баллов качества', 'en': 'points of quality', 'reviewed': true},
    }) %}
{% endmacro %}


{# Without an actual of their own: the column of int_forecast_series by the target's name. #}
{% macro scenario_targets() %}
    {% do return({
        'calls': {'reviewed': false},
        'answered': {'reviewed': false},
        'bookings': {'reviewed': true},
        'lost': {'reviewed': true},
        'lost_value': {'reviewed': true},
        'risky': {'reviewed': true},
        'talk_hours': {'reviewed': false, 'actual': 'talk_minutes / 60'},
        'service_level': {'reviewed': false, 'base': 'service_level_base'},
        'conversion_rate': {'reviewed': true, 'base': 'conversion_rate_base'},
    }) %}
{% endmacro %}


{% macro scenario_figures() %}
    {% set figures = [] %}
    {% for value, name in [
        ('baseline', 'baseline'), ('scenario_value', 'scenario'), ('difference', 'difference')
    ] %}
        {% do figures.append(value) %}
        {% for end in ['lo95', 'lo80', 'hi80', 'hi95'] %}
            {% do figures.append(name ~ '_' ~ end) %}
        {% endfor %}
    {% endfor %}
    {% do return(figures) %}
{% endmacro %}


{% macro newest_forecast_run() -%}
    select *
    from {{ source('forecasts', 'lm_forecast_run') }}
    where id = (select max(id) from {{ source('forecasts', 'lm_forecast_run') }})
{%- endmacro %}


{% macro reviewed_targets(targets) -%}
    {%- for name, target in targets.items() if target.reviewed -%}
        {{ ', ' if not loop.first }}'{{ name }}'
    {%- endfor -%}
{%- endmacro %}


{% macro forecast_actual(alias) -%}
    case due.target
        {%- for name in forecast_targets() %}
        when '{{ name }}' then {{ alias ~ '.' ~ name if name in ['conversion_rate', 'quality']
            else 'coalesce(' ~ alias ~ '.' ~ name ~ ', 0) * 1e0' }}
        {%- endfor %}
    end
{%- endmacro %}


{% macro forecast_figure(language, value) -%}
    {%- set number -%}
        cast(case when target = 'conversion_rate' then 100 * {{ value }} else {{ value }} end as decimal(16, 1))
    {%- endset -%}
    {{ number_text_in(language, number) }}
{%- endmacro %}


{% macro forecast_alert(language) -%}
    {%- set words = {
        'en': ['Expected in the next ', ' days: ', 'less', 'more', ' than in any of the last ', ' such spans: '],
        'ru': [
            'Ожидается за ближайшие ', ' дней: ', 'меньше', 'больше', ', чем за любой из последних ',
            ' таких периодов: ',
        ],
    }[language] -%}
    concat(
        '{{ words[0] }}', days, '{{ words[1] }}', {{ forecast_figure(language, 'yhat') }}, ' ',
        case target
            {%- for name, texts in forecast_targets().items() %}
            when '{{ name }}' then '{{ texts[language] }}'
            {%- endfor %}
        end,
        ' (', {{ forecast_figure(language, 'yhat_lo80') }}, '–', {{ forecast_figure(language, 'yhat_hi80') }}, '), ',
        case side when 'below' then '{{ words[2] }}' else '{{ words[3] }}' end,
        '{{ words[4] }}', usual_spans, '{{ words[5] }}',
        {{ forecast_figure(language, 'usual_low') }}, '–', {{ forecast_figure(language, 'usual_high') }}, '.'
    )
{%- endmacro %}
