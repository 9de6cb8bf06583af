{% macro lm_reference_full_pass(start) %}
    {% do return(date_batches('as_of_date', date_values(
        "select distinct as_of_date from " ~ ref('int_known_facts')
        ~ (" where as_of_date > '" ~ start ~ "'" if start else "") ~ " order by 1"
    ))) %}
{% endmacro %}


{% macro lm_reference_feeds() %}
    {% do return({}) %}
{% endmacro %}


{% macro lm_reference_changes(relation) %}
    {% do return(date_batches('as_of_date', date_values(
        "select facts.as_of_date from " ~ ref('int_known_facts') ~ " as facts left join " ~ relation
        ~ " as known on facts.as_of_date = known.as_of_date and known.constant_code = 'review_lag'"
        ~ " where facts.fact = 'review_lag' and known.as_of_date is null order by 1"
    ))) %}
{% endmacro %}
