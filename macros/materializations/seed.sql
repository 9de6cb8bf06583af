{# dbt empties a seed with TRUNCATE, which commits at once: a run beside it would read no rules.
   DELETE and the new rows are one transaction. Two runs at once take turns by the lock row: without it, both
   delete first and then deadlock. #}
{% macro operabot_mysql__reset_csv_table(model, full_refresh, old_relation, agate_table) %}
    {% do check_seed_columns(model, agate_table) %}
    {% if full_refresh %}
        {% do adapter.drop_relation(old_relation) %}
        {% do return(create_csv_table(model, agate_table)) %}
    {% endif %}
    {% do make_lock_row() %}
    {% do add_seed_columns(model, old_relation, agate_table) %}
    {% do hold_lock(model.name) %}
    {% do adapter.add_query("delete from " ~ old_relation) %}
    {% do return("delete from " ~ old_relation) %}
{% endmacro %}

{% macro operabot_mysql__create_csv_table(model, agate_table) %}
    {% do check_seed_columns(model, agate_table) %}
    {% set types = model['config'].get('column_types', {}) %}
    {% set columns = [] %}
    {% for name in agate_table.column_names %}
        {% set type = types.get(name, adapter.convert_type(agate_table, loop.index0)) %}
        {% do columns.append(adapter.quote_seed_column(name, none) ~ " " ~ type) %}
    {% endfor %}
    {% set sql = "create table if not exists " ~ this.render() ~ " (" ~ columns | join(", ")
        ~ ") engine = InnoDB default charset = utf8mb4 collate = utf8mb4_bin" %}
    {% do make_lock_row() %}
    {% call statement('_') %}{{ sql }}{% endcall %}
    {# A run beside this one may have made and filled it meanwhile. #}
    {% do hold_lock(model.name) %}
    {% do adapter.add_query("delete from " ~ this.render()) %}
    {% do return(sql) %}
{% endmacro %}


{% macro check_seed_columns(model, agate_table) %}
    {% set missing = model['config'].get('column_types', {}).keys() | reject('in', agate_table.column_names) | list %}
    {% if missing %}
        {{ exceptions.raise_compiler_error(
            model.original_file_path ~ " lacks the columns " ~ missing | join(', ') ~ ". Add them to its first line and"
            ~ " a value to every other; what they mean stands under " ~ model.name ~ " in seeds/_seeds.yml."
        ) }}
    {% endif %}
{% endmacro %}


{% macro add_seed_columns(model, relation, agate_table) %}
    {% set types = model['config'].get('column_types', {}) %}
    {% set present = run_query("show columns from " ~ relation).columns[0].values() %}
    {% for name in agate_table.column_names if name not in present %}
        {% do run_query(
            "alter table " ~ relation ~ " add column " ~ adapter.quote_seed_column(name, none) ~ " "
            ~ types.get(name, adapter.convert_type(agate_table, loop.index0))
        ) %}
    {% endfor %}
{% endmacro %}
