{% macro caller_salt() -%}
    @lm_caller_salt
{%- endmacro %}


{% macro set_caller_salt() %}
    {% set salt = env_var('LM_CALLER_SALT', '') %}
    {% if salt %}
        {% do adapter.add_query("set @lm_caller_salt = %s", auto_begin=False, bindings=[salt]) %}
    {% else %}
        {% do run_query("set @lm_caller_salt = (select max(salt) from " ~ run_table('lm_caller_salt') ~ ")") %}
    {% endif %}
    {% set fingerprint = run_query("select left(sha2(concat('fingerprint', @lm_caller_salt), 256), 16)") %}
    {% do return(fingerprint.columns[0].values()[0]) %}
{% endmacro %}
