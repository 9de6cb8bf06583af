{# dbt builds a view under another name and renames it, which two runs at once trip over.
   MySQL replaces a view in one step. #}
{% materialization view, adapter='operabot_mysql' %}
    {% do return(replace_view()) %}
{% endmaterialization %}


{% macro replace_view() %}
    {% set relation = this.incorporate(type='view') %}
    {% set old_relation = load_relation(this) %}
    {% if old_relation is not none and old_relation.type != 'view' %}
        {% do adapter.drop_relation(old_relation) %}
    {% endif %}
    {{ run_hooks(pre_hooks) }}
    {% call statement('main') %}
        create or replace view {{ relation }} as
        {{ sql }}
    {% endcall %}
    {{ run_hooks(post_hooks) }}
    {% do return({'relations': [relation]}) %}
{% endmacro %}
