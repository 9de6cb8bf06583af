{% macro is_remembered(alias) -%}
    not exists (
        select 1 from {{ run_table('lm_forgotten_call') }} as forgotten
        where forgotten.history_id = {{ alias }}.history_id
    )
{%- endmacro %}
