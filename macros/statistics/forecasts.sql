{# What `lm forecast` forecasts, in the order of vw_lm_outlook. Counts are shown with their change in shares. #}
{% macro forecast_targets() %}
    {% do return({
        'calls': {'ru': 'звонков', 'en': 'calls', 'reviewed': false},
        'bookings': {'ru': 'записей', 'en': 'bookings', 'reviewed': true},
        'lost': {'ru': 'потерянных обращений', 'en': 'lost calls', 'reviewed': true},
        'risky': {'ru': 'рискованных звонков', 'en': 'risky calls', 'reviewed': true},
        'talk_minutes': {'ru': 'минут разговора', 'en': 'minutes of talk', 'reviewed': false},
        'conversion_rate': {'ru': '% конверсии', 'en': '% conversion', 'reviewed': true},
        'quality': {'ru': 'баллов качества', 'en': 'points of quality', 'reviewed': true},
    }) %}
{% endmacro %}


{# The run that is shown. #}
{% macro newest_forecast_run() -%}
    select *
    from {{ source('forecasts', 'lm_forecast_run') }}
    where id = (select max(id) from {{ source('forecasts', 'lm_forecast_run') }})
{%- endmacro %}


{# A figure of a target as text: shares in per cent, none with more digits than it deserves. #}
{% macro forecast_figure(language, value) -%}
    {%- set number -%}
        cast(case when target = 'conversion_rate' then 100 * {{ value }} else {{ value }} end as decimal(16, 1))
    {%- endset -%}
    {{ number_text_in(language, number) }}
{%- endmacro %}
