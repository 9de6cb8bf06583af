{% macro lm_period_stats_full_pass(start) %}
    {% do return(period_batches(start)) %}
{% endmacro %}


{% macro lm_period_stats_feeds() %}
    {% do return(period_feeds()) %}
{% endmacro %}


{% macro lm_period_stats_changes(relation) %}
    {% do return(changed_period_batches('lm_period_stats', relation)) %}
{% endmacro %}
