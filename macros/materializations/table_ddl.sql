{% macro column_types() %}
    {% set types = {} %}
    {% for column in model.columns.values() %}
        {% if column.name == 'call_score_id' %}
            {% do types.update({column.name: review_id_type() ~ ' null'}) %}
        {% elif column.data_type %}
            {% do types.update({column.name: column.data_type}) %}
        {% endif %}
    {% endfor %}
    {% if config.get('more_columns') %}
        {% do types.update(context[config.get('more_columns')]()) %}
    {% endif %}
    {% if not types %}
        {{ exceptions.raise_compiler_error(
            "The incremental model " ~ model.name
            ~ " needs its columns with data_type in yml: its table is made from them."
        ) }}
    {% endif %}
    {% do return(types) %}
{% endmacro %}


{% macro review_id_type() %}
    {% for column in adapter.get_columns_in_relation(source('operabot', 'call_scores')) %}
        {% if column.name | lower == 'id' %}
            {% do return(column.dtype | lower) %}
        {% endif %}
    {% endfor %}
{% endmacro %}


{% macro column_definition(name, data_type) -%}
    {{ name }} {{ data_type }} comment {{ comment_literal((model.columns[name] or {}).description, 1000) }}
{%- endmacro %}


{% macro comment_literal(text, length) -%}
    {%- set line = text | default("", true) | string | replace("\n", " ") -%}
    '{{ (line | replace("\\", "\\\\") | replace("'", "''") | trim)[:length] }}'
{%- endmacro %}


{% macro bookkeeping_columns() %}
    {% set columns = {} %}
    {% if config.get('counts_changes', true) %}
        {% do columns.update({'change_id': 'bigint unsigned not null'}) %}
        {% if config.get('later_columns') %}
            {% do columns.update({'own_change_id': 'bigint unsigned null'}) %}
        {% endif %}
    {% endif %}
    {% for name in config.get('remembered_columns', []) %}
        {% do columns.update({'previous_' ~ name: column_types()[name] | replace(' not null', '') ~ ' null'}) %}
    {% endfor %}
    {% do return(columns) %}
{% endmacro %}


{% macro create_incremental_table(relation) %}
    {% set lines = [] %}
    {% for name, data_type in column_types().items() %}
        {% do lines.append(column_definition(name, data_type)) %}
    {% endfor %}
    {% for name, data_type in bookkeeping_columns().items() %}
        {% do lines.append(
            name ~ " " ~ data_type ~ " comment "
            ~ {
                'change_id': "'Number of the batch that last changed the row'",
                'own_change_id': "'The same of changes of more than what came later'",
            }.get(name, "'Value before the last change of the row'")
        ) %}
    {% endfor %}
    {% do lines.extend(config.get('keys', [])) %}
    {# In the same statement as the table: of two first runs one would find the other's keys half made. #}
    {% if var('lm_foreign_keys') | string | lower in ('true', '1', 'yes') %}
        {% for name, foreign_key in config.get('foreign_keys', {}).items() %}
            {% do lines.append("constraint " ~ name ~ " " ~ foreign_key_clause(foreign_key)) %}
        {% endfor %}
    {% endif %}
    {% do run_query(
        "create table if not exists " ~ relation ~ " (\n    " ~ lines | join(",\n    ")
        ~ "\n) engine = InnoDB default charset = utf8mb4 collate = utf8mb4_bin comment = "
        ~ comment_literal(model.description, 500)
    ) %}
{% endmacro %}


{% macro follow_columns(relation) %}
    {% set wanted = column_types().keys() | list + bookkeeping_columns().keys() | list %}
    {% set present = [] %}
    {% for row in run_query("show columns from " ~ relation).rows %}
        {% set name, data_type, nullable, key, default = row[0] | lower, row[1], row[2], row[3], row[4] %}
        {% do present.append(name) %}
        {% if name not in wanted and nullable == 'NO' and key != 'PRI' and default is none %}
            {% do run_query("alter table " ~ relation ~ " modify column `" ~ name ~ "` " ~ data_type ~ " null") %}
        {% endif %}
    {% endfor %}
    {% set added = [] %}
    {% for name, data_type in column_types().items() %}
        {% if name not in present %}
            {% do run_query("alter table " ~ relation ~ " add column " ~ column_definition(name, data_type)) %}
            {% do added.append(name) %}
        {% endif %}
    {% endfor %}
    {% for name, data_type in bookkeeping_columns().items() if name not in present %}
        {% do run_query("alter table " ~ relation ~ " add column " ~ name ~ " " ~ data_type) %}
    {% endfor %}
    {% do return(added | length > 0) %}
{% endmacro %}


{% macro follow_keys(relation) %}
    {% set present = [] %}
    {% for row in run_query("show index from " ~ relation).rows %}
        {% do present.append(row[2] | lower) %}
    {% endfor %}
    {% for key in config.get('keys', []) %}
        {% set words = key.split() %}
        {% if words[0] == 'key' and words[1] | lower not in present %}
            {% do run_query("alter table " ~ relation ~ " add " ~ key) %}
        {% endif %}
    {% endfor %}
{% endmacro %}


{% macro sync_foreign_keys(relation) %}
    {% set existing = run_query(
        "select lower(constraint_name) from information_schema.table_constraints"
        ~ " where constraint_type = 'FOREIGN KEY' and table_schema = '" ~ relation.schema
        ~ "' and table_name = '" ~ relation.identifier ~ "'"
    ).columns[0].values() %}
    {% set wanted = var('lm_foreign_keys') | string | lower in ('true', '1', 'yes') %}
    {% for name, foreign_key in config.get('foreign_keys', {}).items() %}
        {% if wanted and name not in existing %}
            {% do run_query(
                "alter table " ~ relation ~ " add constraint " ~ name ~ " " ~ foreign_key_clause(foreign_key)
            ) %}
        {% elif not wanted and name in existing %}
            {% do run_query("alter table " ~ relation ~ " drop foreign key " ~ name) %}
        {% endif %}
    {% endfor %}
{% endmacro %}


{% macro foreign_key_clause(foreign_key) -%}
    {%- set column, source_name, source_column = foreign_key -%}
    foreign key ({{ column }}) references {{ source('operabot', source_name) }} ({{ source_column }})
{%- endmacro %}
