{# What the statistics are told apart by: name of the dimension and its value, as text, over the columns of a call. #}
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


{# A row a dimension, to put beside each call. #}
{% macro dimension_rows(dimensions) -%}
    {%- for name in dimensions -%}
    select cast('{{ name }}' as char(16)) as dimension
    {{- '\n\n    union all\n\n    ' if not loop.last }}
    {%- endfor %}
{%- endmacro %}


{# The call's value of the row's dimension. #}
{% macro dimension_value(dimensions) -%}
    case dimension_list.dimension
        {%- for name, expression in dimensions.items() %}
        when '{{ name }}' then {{ expression }}
        {%- endfor %}
    end
{%- endmacro %}
