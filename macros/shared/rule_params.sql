{# A number of lm_rule_params that no profile changes, for models that come before the profile is known. #}
{% macro rule_param(name) -%}
    (
        select rule_params.value * 1e0
        from {{ ref('lm_rule_params') }} as rule_params
        where rule_params.param = '{{ name }}' and rule_params.calc_profile = 'default_v1'
    )
{%- endmacro %}
