{% macro rule_param(name) -%}
    (
        select rule_params.value * 1e0
        from {{ ref('lm_rule_params') }} as rule_params
        where rule_params.param = '{{ name }}' and rule_params.calc_profile = 'default_v1'
    )
{%- endmacro %}


{% macro join_param(alias, family, key, profile='calls.calc_profile') -%}
    left join {{ ref('int_profile_params') }} as {{ alias }}
        on {{ alias }}.profile_code = {{ profile }}
        and {{ alias }}.param = lower(concat('{{ family }}_', {{ key }}))
{%- endmacro %}


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
