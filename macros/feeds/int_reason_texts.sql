{% macro int_reason_texts_full_pass(start) %}
    {% do return([{'where': '1 = 1'}]) %}
{% endmacro %}

{% macro int_reason_texts_feeds() %}
    {% do return({}) %}
{% endmacro %}

{% macro int_reason_texts_changes(relation) %}
    {% do return([]) %}
{% endmacro %}
