{% macro int_week_facts_full_pass(start) %}
    {% do return(date_batches('week_start_date', date_values(
        "select distinct week_start_date from " ~ ref('fct_call') ~ " where week_start_date is not null"
        ~ (" and week_start_date > '" ~ start ~ "'" if start else "") ~ " order by 1"
    ))) %}
{% endmacro %}


{% macro int_week_facts_feeds() %}
    {% do return({'fct_call': newest_change(ref('fct_call'))}) %}
{% endmacro %}


{% macro int_week_facts_changes(relation) %}
    {% set calls = ref('fct_call') %}
    {% set newest = newest_change(calls) %}
    {% set unseen = "change_id > " ~ watermark('int_week_facts', 'fct_call').position %}
    {% set batches = date_batches('week_start_date', date_values(
        "select week_start_date from " ~ calls ~ " where " ~ unseen ~ " and week_start_date is not null"
        ~ " union select previous_week_start_date from " ~ calls
        ~ " where " ~ unseen ~ " and previous_week_start_date is not null order by 1"
    )) %}
    {% if batches %}
        {% do batches[-1].update({'feed': 'fct_call', 'position': newest}) %}
    {% endif %}
    {% do return(batches) %}
{% endmacro %}
