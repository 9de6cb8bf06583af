{% macro dimensions() %}
    {% do return({
        'all': "'all'",
        'operator': 'operator_name',
        'source': 'source_channel',
        'service': 'service_name',
        'service_group': 'service_group',
        'direction': 'direction',
        'hour': "coalesce(lpad(call_hour, 2, '0'), 'unknown')",
    }) %}
{% endmacro %}


{% macro dimension_rows(dimensions) -%}
    {%- for name in dimensions -%}
    select cast('{{ name }}' as char(16)) as dimension
    {{- '\n\n    union all\n\n    ' if not loop.last }}
    {%- endfor %}
{%- endmacro %}


{% macro dimension_value(dimensions) -%}
    case dimension_list.dimension
        {%- for name, expression in dimensions.items() %}
        when '{{ name }}' then {{ expression }}
        {%- endfor %}
    end
{%- endmacro %}
