{% macro caller_key(digits) -%}
    left(sha2(concat({{ caller_outer_pad() }}, unhex(sha2(concat({{ caller_inner_pad() }}, {{ digits }}), 256))), 256), 32)
{%- endmacro %}


{% macro caller_inner_pad() -%}
    @lm_caller_inner_pad
{%- endmacro %}


{% macro caller_outer_pad() -%}
    @lm_caller_outer_pad
{%- endmacro %}


{% macro set_caller_salt() %}
    {% set known = watermark('int_calls', 'caller_salt').fingerprint %}
    {% set fingerprint = adapter.set_caller_salt(known) %}
    {% if fingerprint != known %}
        {% if only_call() %}
            {{ exceptions.raise_compiler_error(
                "LM_CALLER_SALT is not the one that the keys of callers were made with: `lm run` first."
            ) }}
        {% endif %}
        {# Until int_calls has been through, its keys are the old ones: `lm forget` waits for that. #}
        {% do run_query(
            "update " ~ run_table('lm_watermark')
            ~ " set cursor_key = '' where model_name = 'int_calls' and feed = 'full_pass'"
        ) %}
        {% if known is none %}
            {# Of two first runs at once, one draws the salt and both take it. #}
            {% do run_query(
                "insert ignore into " ~ run_table('lm_watermark')
                ~ " (model_name, feed, fingerprint) values ('int_calls', 'caller_salt', '" ~ fingerprint ~ "')"
            ) %}
            {% do run_query("commit") %}
            {% set drawn = watermark('int_calls', 'caller_salt').fingerprint %}
            {% if drawn != fingerprint %}
                {% do adapter.forget_caller_salt(fingerprint) %}
                {% set fingerprint = adapter.set_caller_salt(drawn) %}
            {% endif %}
        {% else %}
            {% do set_watermark('int_calls', 'caller_salt', fingerprint=fingerprint) %}
            {% do run_query("commit") %}
            {% do adapter.forget_caller_salt(known) %}
        {% endif %}
    {% endif %}
    {% do return(fingerprint) %}
{% endmacro %}
