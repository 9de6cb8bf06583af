{# dbt empties a seed with TRUNCATE, which commits at once: a run beside it would read no rules.
   DELETE and the new rows are one transaction. #}
{% macro mysql__reset_csv_table(model, full_refresh, old_relation, agate_table) %}
    {% if full_refresh %}
        {% do adapter.drop_relation(old_relation) %}
        {% do return(create_csv_table(model, agate_table)) %}
    {% endif %}
    {% do adapter.add_query("delete from " ~ old_relation) %}
    {% do return("delete from " ~ old_relation) %}
{% endmacro %}

{% macro mariadb__reset_csv_table(model, full_refresh, old_relation, agate_table) %}
    {% do return(mysql__reset_csv_table(model, full_refresh, old_relation, agate_table)) %}
{% endmacro %}
