{% macro int_rule_params_full_pass(start) %}
    {% do return([{'where': '1 = 1'}]) %}
{% endmacro %}

{% macro int_rule_params_feeds() %}
    {% do return({}) %}
{% endmacro %}

{% macro int_rule_params_changes(relation) %}
    {% do return([]) %}
{% endmacro %}
