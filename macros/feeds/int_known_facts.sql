{% macro mondays_that_have_come() -%}
    (
        select distinct week_start_date from {{ ref('int_week_facts') }}
        where week_start_date <= cast({{ as_of() }} as date)
    )
{%- endmacro %}


{% macro int_known_facts_full_pass(start) %}
    {% do return(date_batches('as_of_date', date_values(
        "select week_start_date from " ~ mondays_that_have_come() ~ " as weeks"
        ~ (" where week_start_date > '" ~ start ~ "'" if start else "") ~ " order by 1"
    ))) %}
{% endmacro %}


{% macro int_known_facts_feeds() %}
    {% do return({}) %}
{% endmacro %}


{% macro int_known_facts_changes(relation) %}
    {% do return(date_batches('as_of_date', date_values(
        "select weeks.week_start_date from " ~ mondays_that_have_come() ~ " as weeks left join " ~ relation
        ~ " as known on weeks.week_start_date = known.as_of_date and known.fact = 'review_lag'"
        ~ " where known.as_of_date is null order by 1"
    ))) %}
{% endmacro %}
