{% macro source_column_names(relation) %}
    {% set names = [] %}
    {% if execute %}
        {# A right to refer to a table shows all its columns: those count that may be read. #}
        {% for row in run_query("show full columns from " ~ relation).rows if 'select' in row[7] | lower %}
            {% do names.append(row[0] | lower) %}
        {% endfor %}
    {% endif %}
    {% do return(names) %}
{% endmacro %}


{% macro require_source_columns(relation, available, required) %}
    {% if execute %}
        {% set missing = [] %}
        {% for name in required %}
            {% if name not in available %}{% do missing.append(name) %}{% endif %}
        {% endfor %}
        {% if missing %}
            {{ exceptions.raise_compiler_error(
                relation ~ " lacks the required column(s) " ~ missing | join(", ")
                ~ ". Add them to the table, or point the vars source_schema, call_history_identifier and"
                ~ " call_scores_identifier at the right one; `lm doctor` lists what is needed."
            ) }}
        {% endif %}
    {% endif %}
{% endmacro %}


{% macro optional_column(available, name) %}
    {%- if not execute or name in available -%} {{ name }} {%- else -%} null {%- endif -%}
{% endmacro %}
