{% macro lm_daily_stats_full_pass(start) %}
    {% do return(day_batches('stat_date', start)) %}
{% endmacro %}


{% macro lm_daily_stats_feeds() %}
    {% do return(newest_value_change()) %}
{% endmacro %}


{% macro lm_daily_stats_changes(relation) %}
    {% do return(changed_day_batches('lm_daily_stats', 'stat_date')) %}
{% endmacro %}
