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
    {# Of a table that is there even `if not exists` asks for a lock that another run's reading refuses. #}
    {% if load_relation(relation) is not none %}{% do return('') %}{% endif %}
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
    {% do lines.extend(keys_within_partitions(config.get('keys', []), partition_column())) %}
    {# In the same statement as the table: of two first runs one would find the other's keys half made. Where a long
       transaction has a source, the table is made without, and the keys follow: see change_foreign_key. #}
    {% set keys = [] %}
    {% if wants_foreign_keys() %}
        {% for name, foreign_key in config.get('foreign_keys', {}).items() %}
            {% do keys.append("constraint " ~ name ~ " " ~ foreign_key_clause(foreign_key)) %}
        {% endfor %}
    {% endif %}
    {% set refused = patiently(table_statement(relation, lines + keys), 1) if keys else 1205 %}
    {% if refused == 1205 %}
        {% do run_query(table_statement(relation, lines)) %}
    {% elif refused %}
        {% do run_query(table_statement(relation, lines + keys)) %}
    {% endif %}
{% endmacro %}


{% macro table_statement(relation, lines) %}
    {% do return(
        "create table if not exists " ~ relation ~ " (\n    " ~ lines | join(",\n    ")
        ~ "\n) engine = InnoDB default charset = utf8mb4 collate = utf8mb4_bin comment = "
        ~ comment_literal(model.description, 500)
        ~ (partition_clause(partition_column()) if partition_column() else "")
    ) %}
{% endmacro %}


{% macro partitions_wanted() %}
    {% set number = var('lm_partitions') | string %}
    {% if not number.isdigit() %}
        {{ exceptions.raise_compiler_error(
            "The var lm_partitions is '" ~ number ~ "': write the number of partitions, 0 for tables without."
        ) }}
    {% endif %}
    {% do return(number | int) %}
{% endmacro %}


{% macro partition_column() %}
    {% do return(config.get('partitioned_by') if partitions_wanted() else none) %}
{% endmacro %}


{% macro partition_clause(column) -%}
    {{ ' ' }}partition by hash ({{ column }}) partitions {{ partitions_wanted() }}
{%- endmacro %}


{% macro keys_within_partitions(keys, column) %}
    {% set lines = [] %}
    {% for key in keys %}
        {% set is_unique = key.startswith('primary key') or key.startswith('unique key') %}
        {% if column and is_unique and column not in key.split('(')[1].rstrip(')').split(', ') %}
            {% set key = key[:-1] ~ ', ' ~ column ~ ')' %}
        {% endif %}
        {% do lines.append(key) %}
    {% endfor %}
    {% do return(lines) %}
{% endmacro %}


{% macro stored_partitions(relation) %}
    {% do return(first_value(
        "select count(*) from information_schema.partitions where table_schema = '" ~ relation.schema
        ~ "' and table_name = '" ~ relation.identifier ~ "' and partition_name is not null"
    ) | int) %}
{% endmacro %}


{% macro check_partitions(relation) %}
    {% set stored = stored_partitions(relation) if config.get('partitioned_by') else 0 %}
    {% set wanted = partitions_wanted() if config.get('partitioned_by') else 0 %}
    {% if stored != wanted %}
        {{ exceptions.raise_compiler_error(
            relation.identifier ~ " has " ~ (stored or 'no') ~ " partitions, and lm_partitions is " ~ wanted
            ~ ". While no run is at work, move its rows once, with the same var: dbt run-operation partition_tables"
            ~ " --vars '{lm_partitions: " ~ wanted ~ "}'. Or set lm_partitions to " ~ stored ~ "."
        ) }}
    {% endif %}
{% endmacro %}


{# dbt run-operation partition_tables --vars '{lm_partitions: 16}': gives the stored tables their partitions, or
   takes them away (0). Rows keep their ids; each table is copied by the server, once or twice. #}
{% macro partition_tables() %}
    {% set wanted = partitions_wanted() %}
    {% for node in graph.nodes.values() if node.config.partitioned_by %}
        {% set table = load_relation(ref(node.name)) %}
        {% if table is not none and stored_partitions(table) != wanted %}
            {% if not wanted and is_embedded_engine() %}
                {{ exceptions.raise_compiler_error(
                    "This engine cannot take the partitions of a table away: keep lm_partitions."
                ) }}
            {% endif %}
            {{ log("Moving the rows of " ~ table.identifier ~ " to " ~ (wanted or 'no') ~ " partitions", info=true) }}
            {% for name in stored_foreign_keys(table) if wanted %}
                {% do run_query("alter table " ~ table ~ " drop foreign key " ~ name) %}
            {% endfor %}
            {% if not wanted %}
                {% do run_query("alter table " ~ table ~ " remove partitioning") %}
            {% endif %}
            {% set column = node.config.partitioned_by if wanted else none %}
            {% set primary_key = keys_within_partitions(node.config['keys'], node.config.partitioned_by)[0] %}
            {% if primary_key != node.config['keys'][0] and not (wanted and stored_partitions(table)) %}
                {% do run_query(
                    "alter table " ~ table ~ " drop primary key, add "
                    ~ keys_within_partitions(node.config['keys'], column)[0]
                ) %}
            {% endif %}
            {% if wanted %}
                {% do run_query("alter table " ~ table ~ partition_clause(column)) %}
            {% endif %}
        {% endif %}
    {% endfor %}
{% endmacro %}


{% macro follow_columns(relation) %}
    {% set wanted = column_types().keys() | list + bookkeeping_columns().keys() | list %}
    {% set present = [] %}
    {% set foreign_texts = [] %}
    {% for row in run_query("show full columns from " ~ relation).rows %}
        {% set name, data_type, collation, nullable, key, default = row[0] | lower, row[1], row[2], row[3], row[4], row[5] %}
        {% do present.append(name) %}
        {% if collation and collation not in ('utf8mb4_bin', 'binary') %}{% do foreign_texts.append(name) %}{% endif %}
        {% if name == 'call_score_id' and without_width(data_type) != without_width(review_id_type()) %}
            {% do run_query("alter table " ~ relation ~ " modify column " ~ column_definition(name, column_types()[name])) %}
        {% endif %}
        {% if name not in wanted and nullable == 'NO' and key != 'PRI' and default is none %}
            {% do run_query("alter table " ~ relation ~ " modify column `" ~ name ~ "` " ~ data_type ~ " null") %}
        {% endif %}
    {% endfor %}
    {# A table made by hand has its server's collation, and texts of two collations do not compare. #}
    {% if foreign_texts %}
        {{ log(relation.identifier ~ ": its texts get the collation utf8mb4_bin, once", info=true) }}
        {% do run_query("alter table " ~ relation ~ " convert to character set utf8mb4 collate utf8mb4_bin") %}
    {% endif %}
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


{% macro without_width(data_type) %}
    {% do return(modules.re.sub('\\(.*?\\)', '', data_type | lower)) %}
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


{# MySQL and MariaDB allow no foreign keys of partitioned tables. #}
{% macro wants_foreign_keys() %}
    {% do return(not partition_column() and var('lm_foreign_keys') | string | lower in ('true', '1', 'yes')) %}
{% endmacro %}


{% macro stored_foreign_keys(relation) %}
    {% do return(run_query(
        "select lower(constraint_name) from information_schema.table_constraints"
        ~ " where constraint_type = 'FOREIGN KEY' and table_schema = '" ~ relation.schema
        ~ "' and table_name = '" ~ relation.identifier ~ "'"
    ).columns[0].values()) %}
{% endmacro %}


{% macro sync_foreign_keys(relation) %}
    {% set existing = stored_foreign_keys(relation) %}
    {% set wanted = wants_foreign_keys() %}
    {% for name, foreign_key in config.get('foreign_keys', {}).items() %}
        {% if wanted and name not in existing %}
            {% do change_foreign_key(
                relation, name, "add constraint " ~ name ~ " " ~ foreign_key_clause(foreign_key), true
            ) %}
        {% elif not wanted and name in existing %}
            {% do change_foreign_key(relation, name, "drop foreign key " ~ name, false) %}
        {% endif %}
    {% endfor %}
{% endmacro %}


{% macro change_foreign_key(relation, name, change, is_added) %}
    {% set alter = "alter table " ~ relation ~ " " ~ change %}
    {% set refused = patiently(alter, 3) %}
    {# Another run may have done it meanwhile. #}
    {% if refused and (name in stored_foreign_keys(relation)) != is_added %}
        {% if refused == 1205 %}
            {% do exceptions.warn(
                name ~ " is not " ~ ("added" if is_added else "dropped") ~ ": a long transaction has the source table. The"
                ~ " values are written all the same, and the next run tries again."
            ) %}
        {% else %}
            {% do run_query(alter) %}
        {% endif %}
    {% endif %}
{% endmacro %}


{# A key's making or dropping waits for every transaction that has touched the source, and all who come to the source
   meanwhile wait behind it. So it waits a second at most, on MariaDB not at all, and is tried again. Stored rows are
   not checked (foreign_key_checks), which would take the source for as long; they come from the source anyway. #}
{% macro patiently(statement, tries) %}
    {% if is_embedded_engine() %}
        {% do run_query(statement) %}
        {% do return(0) %}
    {% endif %}
    {% set pause = 0.25 if is_mariadb() else 4 %}
    {% set ns = namespace(refused=1205) %}
    {% do run_query("set session lock_wait_timeout = " ~ (0 if is_mariadb() else 1)) %}
    {% for _ in range(tries * (8 if is_mariadb() else 1)) if ns.refused == 1205 %}
        {% if not loop.first %}
            {% do run_query("select sleep(" ~ pause ~ ")") %}
        {% endif %}
        {% set ns.refused = adapter.refusal_of(statement) %}
    {% endfor %}
    {% do run_query("set session lock_wait_timeout = default") %}
    {% do return(ns.refused) %}
{% endmacro %}


{% macro foreign_key_clause(foreign_key) -%}
    {%- set column, source_name, source_column = foreign_key -%}
    foreign key ({{ column }}) references {{ source('operabot', source_name) }} ({{ source_column }})
{%- endmacro %}
