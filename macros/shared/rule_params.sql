{# A number of lm_rule_params that no profile changes, for models that come before the profile is known. #}
{% macro rule_param(name) -%}
    (
        select rule_params.value * 1e0
        from {{ ref('lm_rule_params') }} as rule_params
        where rule_params.param = '{{ name }}' and rule_params.calc_profile = 'default_v1'
    )
{%- endmacro %}


{# Columns of int_rule_params: the parameters that lm_rule_params has. Empty before the seed is loaded. #}
{% macro rule_param_columns() %}
    {% set columns = {} %}
    {% if execute and load_relation(ref('lm_rule_params')) is not none %}
        {% for name in run_query(
            "select distinct param from " ~ ref('lm_rule_params') ~ " order by param"
        ).columns[0].values() %}
            {% do columns.update({name: 'double null'}) %}
        {% endfor %}
    {% endif %}
    {% do return(columns) %}
{% endmacro %}
