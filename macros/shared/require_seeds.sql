{% macro require_seeds() %}
    {% if execute and flags.WHICH in ('run', 'test') %}
        {% set stored = run_query(
            "select lower(table_name) from information_schema.tables where table_schema = '" ~ target.schema ~ "'"
        ).columns[0].values() %}
        {% set missing = [] %}
        {% for node in graph.nodes.values() if node.resource_type == 'seed' and node.alias not in stored %}
            {% do missing.append(node.alias) %}
        {% endfor %}
        {% if missing %}
            {{ exceptions.raise_compiler_error(
                "The schema " ~ target.schema ~ " has no seed tables yet (" ~ missing | sort | join(", ")
                ~ "): run `dbt seed` first, or `dbt build`, which does both."
            ) }}
        {% endif %}
    {% endif %}
{% endmacro %}
