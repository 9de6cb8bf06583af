{# The secret in front of a number before it is hashed: a session variable, so that neither
   compiled SQL nor logs ever hold it. #}
{% macro caller_salt() -%}
    @lm_caller_salt
{%- endmacro %}


{# Sets the session's salt: LM_CALLER_SALT, else one drawn at random and kept in the target schema.
   Returns a fingerprint: with another salt every caller_key changes, so all calls are read again. #}
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
