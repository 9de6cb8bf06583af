{% macro int_review_batches_full_pass(start) %}
    {% do return(date_batches('review_date', date_values(
        "select distinct review_date from " ~ ref('fct_call') ~ " where review_date is not null"
        ~ (" and review_date > '" ~ start ~ "'" if start else "") ~ " order by 1"
    ))) %}
{% endmacro %}


{% macro int_review_batches_feeds() %}
    {% do return({'fct_call': newest_change(ref('fct_call'))}) %}
{% endmacro %}


{% macro int_review_batches_changes(relation) %}
    {% set calls = ref('fct_call') %}
    {% set newest = newest_change(calls) %}
    {% set unseen = "change_id > " ~ watermark('int_review_batches', 'fct_call').position %}
    {% set batches = date_batches('review_date', date_values(
        "select review_date from " ~ calls ~ " where " ~ unseen ~ " and review_date is not null"
        ~ " union select previous_review_date from " ~ calls
        ~ " where " ~ unseen ~ " and previous_review_date is not null order by 1"
    )) %}
    {% if batches %}
        {% do batches[-1].update({'feed': 'fct_call', 'position': newest}) %}
    {% endif %}
    {% do return(batches) %}
{% endmacro %}
