{# How well the talk used the line, by its share of line time, its length for the outcome, and the outcome. #}
{% macro talk_time_efficiency() %}
    {% set classes = ['record', 'info', 'cancelled', 'lead', 'non_target'] %}
    {% set outcome_value = param_of('outcome_value', 'talk_class', classes) %}
    {% set short_penalty = param_of('short_penalty', 'talk_class', classes, 'params.short_penalty_all') %}
    {% set long_penalty = param_of('long_penalty', 'talk_class', classes, 'params.long_penalty_all') %}
    {# Weights are shared out over the parts that are known. #}
    {% set scale -%}
        100 / (
            params.length_weight
            + case when total_sec > 0 then params.line_share_weight else 0 end
            + case when talk_class = 'all' then 0 else params.outcome_weight end
        )
    {%- endset %}
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
        'reasons': [
            {
                'code': 'LINE_SHARE',
                'when': "total_sec > 0",
                'points': scale ~ " * params.line_share_weight * talk_sec / total_sec",
                'value': 'talk_sec / (total_sec * 1e0)',
            },
            {
                'code_sql': "case
                    when abs(talk_z) <= 1 then 'LENGTH_TYPICAL'
                    when talk_z < 0 then 'TOO_SHORT'
                    else 'TOO_LONG'
                end",
                'points': scale ~ " * params.length_weight * (1 - case when talk_z < 0 then "
                    ~ short_penalty ~ " else " ~ long_penalty ~ " end * " ~ misfit ~ ")",
                'value': 'talk_sec',
                'ref': 'talk_m',
            },
            {
                'code': 'OUTCOME_VALUE',
                'when': "talk_class <> 'all'",
                'points': scale ~ " * params.outcome_weight * " ~ outcome_value,
                'value': outcome_value,
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
