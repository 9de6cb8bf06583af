{% macro talk_time_efficiency() %}
    {# Weights are shared out over the parts that are known. #}
    {% set scale = "100 / (params.length_weight"
        ~ " + case when total_sec > 0 then params.line_share_weight else 0 end"
        ~ " + case when talk_class = 'all' then 0 else params.outcome_weight end)" %}
    {# 1 within one spread of the usual length, then down by at most the penalty. #}
    {% set misfit = "(1 - exp(-pow(greatest(0, abs(talk_z) - 1), 2) / 2))" %}
    {% do return({
        'group': 'operational',
        'gates': {
            'INTERNAL': none,
            'NOT_ANSWERED': none,
            'SHORT_TALK': "talk_sec < params.min_talk_sec",
        },
        'kind': 'additive',
        'base': '0',
        'families': {
            'outcome_values': ['outcome_value', 'talk_class'],
            'short_penalties': ['short_penalty', 'talk_class'],
            'long_penalties': ['long_penalty', 'talk_class'],
        },
        'reasons': [
            {
                'code': 'LINE_SHARE',
                'when': "total_sec > 0",
                'points': scale ~ "
                * params.line_share_weight * talk_sec / total_sec",
                'value': 'talk_sec / nullif(total_sec * 1e0, 0)',
            },
            {
                'name': 'talk_length',
                'code_sql': "case when abs(talk_z) <= 1 then 'LENGTH_TYPICAL'"
                    ~ " when talk_z < 0 then 'TOO_SHORT' else 'TOO_LONG' end",
                'points': scale ~ "
                * params.length_weight
                * (1 - case when talk_z < 0 then short_penalties.value else long_penalties.value end
                * " ~ misfit ~ ")",
                'value': 'talk_sec',
                'ref': 'talk_m',
            },
            {
                'code': 'OUTCOME_VALUE',
                'when': "talk_class <> 'all'",
                'points': scale ~ "
                * params.outcome_weight * outcome_values.value",
                'value': 'outcome_values.value',
            },
        ],
        'missing': {
            'duration': "coalesce(total_sec, 0) = 0",
            'outcome': "talk_class = 'all'",
        },
        'label': "case
            when {value} < params.label_normal_from then 'low'
            when {value} <= params.label_high_above then 'normal'
            else 'high'
        end",
        'ref_n': 'talk_n',
    }) %}
{% endmacro %}
