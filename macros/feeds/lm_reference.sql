{% macro lm_reference_full_pass(start) %}
    {% do return(date_batches('week_start_date', date_values(
        "select distinct week_start_date from " ~ ref('fct_call') ~ " where week_start_date is not null"
        ~ (" and week_start_date > '" ~ start ~ "'" if start else "") ~ " order by 1"
    ))) %}
{% endmacro %}


{% macro lm_reference_feeds() %}
    {% do return({}) %}
{% endmacro %}


{# Weeks with calls that have no constants yet. Those that have keep them: they are frozen. #}
{% macro lm_reference_changes(relation) %}
    {% do return(date_batches('week_start_date', date_values(
        "select weeks.week_start_date from (select distinct week_start_date from "
        ~ ref('fct_call') ~ " where week_start_date is not null) as weeks left join " ~ relation
        ~ " as known on weeks.week_start_date = known.as_of_date and known.constant_code = 'review_lag'"
        ~ " where known.as_of_date is null order by 1"
    ))) %}
{% endmacro %}
