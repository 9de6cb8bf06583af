{# A number of lm_rule_params that no profile changes, for models that come before the profile is known. #}
{% macro rule_param(name) -%}
    (
        select rule_params.value * 1e0
        from {{ ref('lm_rule_params') }} as rule_params
        where rule_params.param = '{{ name }}' and rule_params.calc_profile = 'default_v1'
    )
{%- endmacro %}


{# Joins the parameter of a family, such as talk_m_record, that the value of a column chooses: alias.value.
   Null where there is none: a new code needs no SQL, only its line in lm_rule_params. #}
{% macro join_param(alias, family, key, profile='calls.calc_profile') -%}
    left join {{ ref('int_profile_params') }} as {{ alias }}
        on {{ alias }}.profile_code = {{ profile }}
        and {{ alias }}.param = lower(concat('{{ family }}_', {{ key }}))
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
