{# Sentences of value_json, over a row of lm_value and the texts joined to it: one macro for every view
   that tells reasons. Plain expressions and joins only, so that MySQL merges the view into the query
   that reads it and a filter reaches the keys of lm_value. #}

{% macro reason_places() %}
    {% do return(range(0, 6)) %}
{% endmacro %}


{% macro json_text(path) -%}
    json_unquote(json_extract(lm_value.value_json, '$.{{ path }}'))
{%- endmacro %}


{% macro gate_code() -%}
    coalesce(
        {{ json_text('gate') }}, case {{ json_text('status') }} when 'no_data' then 'NO_DATA' end
    )
{%- endmacro %}


{% macro reason_code(place) -%}
    {%- set code = json_text('reasons[' ~ place ~ '].code') -%}
    {%- if place == 0 -%}
        coalesce({{ code }}, case when lm_value.value_numeric is not null then 'NO_REASON' end)
    {%- else -%}
        {{ code }}
    {%- endif -%}
{%- endmacro %}


{% macro join_reason_texts() -%}
    {%- for place in reason_places() %}
    left join {{ ref('int_reason_texts') }} as reason_{{ place }}
        on lm_value.metric_code = reason_{{ place }}.metric_code
        and {{ reason_code(place) }} = reason_{{ place }}.reason_code
    {{- '\n\n' if not loop.last }}
    {%- endfor %}
{%- endmacro %}


{% macro reason_number(place, name, factor=1) -%}
    cast({{ factor ~ ' * ' if factor != 1 -}}
        json_extract(lm_value.value_json, '$.reasons[{{ place }}].{{ name }}') as decimal(16, 1))
{%- endmacro %}


{% macro number_text_in(language, number) -%}
    {%- set text = "trim(trailing '.0' from cast(" ~ number ~ " as char(24)))" -%}
    {{ "replace(" ~ text ~ ", '.', ',')" if language == 'ru' else text }}
{%- endmacro %}


{% macro sentence(place, language) -%}
    {%- set ns = namespace(text="coalesce(reason_" ~ place ~ ".sentence_" ~ language ~ ", "
        ~ reason_code(place) ~ ")") -%}
    {%- for mark, name, factor in [
        ('value', 'value', 1), ('value%', 'value', 100), ('ref', 'ref', 1),
        ('points', 'points', 1), ('points%', 'points', 100),
    ] -%}
        {%- set number = number_text_in(language, reason_number(place, name, factor)) -%}
        {%- set ns.text = "replace(" ~ ns.text ~ ", '{" ~ mark ~ "}', coalesce(" ~ number ~ ", '?'))" -%}
    {%- endfor -%}
    {%- set value = number_text_in(language, reason_number(place, 'value')) -%}
    {%- set ns.text = "replace(" ~ ns.text ~ ", '{told}', coalesce(concat(': ', " ~ value ~ "), ''))" -%}
    {%- for mark, factor, unit in [
        ('signed', 1, ''), ('signed%', 100, ' п.п.' if language == 'ru' else ' pp'),
    ] -%}
        {%- set ns.text = "replace(" ~ ns.text ~ ", '{" ~ mark ~ "}', " ~ points_text(place, language, factor, unit) ~ ")" -%}
    {%- endfor -%}
    {{ ns.text }}
{%- endmacro %}


{% macro points_text(place, language, factor, unit) -%}
    {%- set points = reason_number(place, 'points', factor) -%}
    case
        -- As older versions wrote them: log-odds, which tell a reader nothing.
        when {{ json_text('kind') }} = 'logit' then ''
        when {{ points }} > 0 then concat(' (+', {{ number_text_in(language, points) }}, '{{ unit }})')
        when {{ points }} < 0 then concat(' (', {{ number_text_in(language, points) }}, '{{ unit }})')
        else ''
    end
{%- endmacro %}


{% macro sentences(language) -%}
    nullif(concat(concat_ws('. '
        {%- for place in reason_places() %},
        {{ sentence(place, language) }}
        {%- endfor %}
    ), '.'), '.')
{%- endmacro %}


{% macro first_action(language) -%}
    {%- for place in reason_places() -%}
        reason_{{ place }}.action_{{ language }}{{ ', ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}


{% macro factor_metrics() -%}
    {%- for name, metric in rule_metrics().items() if metric.kind == 'factors' -%}
        {{ ', ' if not loop.first }}'{{ name }}'
    {%- endfor -%}
{%- endmacro %}
