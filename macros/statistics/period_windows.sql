{# The periods to the last day, those of the batch: their first and last days, and the first of the equal window before. #}
{% macro period_windows() %}
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
{% endmacro %}
