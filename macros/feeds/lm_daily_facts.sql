{% macro lm_daily_facts_full_pass(start) %}
    {% do return(day_batches('stat_date', start)) %}
{% endmacro %}


{% macro lm_daily_facts_feeds() %}
    {% do return(newest_value_change()) %}
{% endmacro %}


{% macro lm_daily_facts_changes(relation) %}
    {% do return(changed_day_batches('lm_daily_facts', 'stat_date')) %}
{% endmacro %}
