{% macro queue_impact_index() %}
    {% set call_type -%}
        case
            when direction = 'in' and is_answered = 1 then params.queue_weight_answered
            when direction = 'in' then params.queue_weight_missed
            when direction = 'out' then params.queue_weight_outgoing
            when direction = 'internal' then params.queue_weight_internal
            else params.queue_weight_unknown
        end
    {%- endset %}
    {% set length -%}
        (coalesce(total_sec, talk_sec) + case when is_answered = 1 then params.wrapup_sec else 0 end)
    {%- endset %}
    {% do return({
        'group': 'operational',
        'gates': {'BAD_VALUE': "coalesce(total_sec, talk_sec) is null"},
        'kind': 'factors',
        'link': 'saturation',
        'scale': 'params.queue_scale_sec',
        'reasons': [
            {'code': 'LENGTH', 'points': length},
            {'code': 'BUSY_HOUR', 'points': 'load_factor', 'value': 'load_factor'},
            {'code': 'CALL_TYPE', 'points': call_type, 'value': call_type},
        ],
        'missing': {'duration': "total_sec is null"},
        'label': three_levels('queue'),
        'extras': [
            json_number_pair('load_sec', call_type ~ ' * ' ~ length),
            json_number_pair(
                'work_sec', "case when is_answered = 1 then talk_sec + params.wrapup_sec else 0 end"
            ),
        ],
        'ref_n': 'load_n',
    }) %}
{% endmacro %}
