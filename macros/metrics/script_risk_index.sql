{% macro script_risk_index() %}
    {% set sole = " * case when checklist_coverage is null or score is null then 2 else 1 end" %}
    {% do return({
        'group': 'quality',
        'gates': {
            'INTERNAL': none,
            'NOT_ANSWERED': none,
            'SHORT_TALK': none,
            'NO_REVIEW': none,
            'EXCLUDED_CATEGORY': none,
            'NOT_TARGET': none,
        },
        'no_data': "checklist_coverage is null and score is null",
        'kind': 'additive',
        'base': '0',
        'families': {'category_points': ['script_category', 'call_category']},
        'reasons': [
            {
                'code': 'CHECKLIST_GAP',
                'when': "checklist_coverage is not null",
                'points': "params.script_gap_weight * (100 - checklist_coverage)" ~ sole,
                'value': 'checklist_coverage',
            },
            {
                'code': 'SCORE_GAP',
                'when': "score is not null",
                'points': "params.script_gap_weight * (100 - score)" ~ sole,
                'value': 'score',
            },
            {
                'name': 'category',
                'code_sql': "concat('CATEGORY_', upper(call_category))",
                'when': 'category_points.value is not null',
                'points': 'category_points.value',
            },
            {
                'code': 'OUTGOING',
                'when': "direction = 'out'",
                'points': "case when call_category = 'reminder'
                    then params.script_outgoing_reminder else params.script_outgoing end",
            },
            {
                'code': 'TYPE_CONFLICT',
                'when': "has_type_conflict = 1",
                'points': 'params.script_type_conflict',
            },
            {
                'code': 'TALK_TOO_SHORT',
                'when': "category_talk_z < params.short_talk_z",
                'points': 'params.script_talk_short',
                'value': 'talk_sec',
            },
            {
                'code': 'TALK_TOO_LONG',
                'when': "category_talk_z > params.long_talk_z",
                'points': 'params.script_talk_long',
                'value': 'talk_sec',
            },
            {
                'code': 'REASON_NOT_ASKED',
                'when': "(call_category = 'lead' or outcome = 'lead_no_record')
                    and is_booked = 0 and refusal_code is null",
                'points': 'params.script_reason_not_asked',
            },
            {
                'code': 'SERVICE_NOT_ASKED',
                'when': "service_group = 'unknown'",
                'points': 'params.script_service_not_asked',
            },
            {
                'code': 'LONG_WAIT',
                'when': "direction = 'in' and await_sec > params.script_wait_slas * params.sla_sec",
                'points': 'params.script_long_wait',
                'value': 'await_sec',
                'ref': 'params.sla_sec',
            },
        ],
        'clamp': true,
        'missing': {
            'checklist': "checklist_coverage is null",
            'score': "score is null",
        },
        'label': three_levels('script'),
        'ref_n': 'category_talk_n',
    }) %}
{% endmacro %}
