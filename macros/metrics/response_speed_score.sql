{% macro response_speed_score() %}
    {% do return({
        'group': 'operational',
        'gates': {
            'INTERNAL': none,
            'NOT_INCOMING': none,
            'SHORT_ABANDON': none,
            'NO_WAIT': "is_answered = 1 and await_sec is null",
            'BAD_VALUE': "await_sec > params.max_wait_sec",
        },
        'kind': 'additive',
        'base': '100',
        'is_sorted': false,
        'reasons': [
            {
                'code': 'MISSED_CALL',
                'when': "is_answered = 0",
                'points': '-100',
            },
            {
                'code': 'WAIT_OVER_SLA',
                'when': "is_answered = 1 and await_sec > params.sla_sec",
                'points': "100 * pow(2, -(await_sec - params.sla_sec) / params.half_life_sec) - 100",
                'value': 'await_sec',
                'ref': 'params.sla_sec',
            },
            {
                'code': 'OUT_OF_HOURS',
                'when': "profile_rule = 'night'",
                'points': '0',
            },
        ],
        'missing': {'await_sec': "await_sec is null"},
        'label': "case
            when is_answered = 0 then 'missed'
            when await_sec > params.sla_sec then 'late'
            else 'within_sla'
        end",
    }) %}
{% endmacro %}
