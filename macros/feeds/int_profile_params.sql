{# Small enough to be made anew whenever its seeds change. #}
{% macro int_profile_params_full_pass(start) %}
    {% do return([{'where': '1 = 1'}]) %}
{% endmacro %}

{% macro int_profile_params_feeds() %}
    {% do return({}) %}
{% endmacro %}

{% macro int_profile_params_changes(relation) %}
    {% do return([]) %}
{% endmacro %}
