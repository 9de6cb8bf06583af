{% macro complaint_risk_flag() %}
    {% set is_complaint = "call_category = 'complaint'" %}
    {% set reasons = [
        {'code': 'COMPLAINT', 'when': is_complaint, 'points': 'params.complaint_category', 'blames': true},
        {
            'code': 'CANCELLED_BY_OPERATOR',
            'when': "outcome = 'cancelled_by_operator'",
            'points': 'params.complaint_cancelled_by_operator',
            'blames': true,
        },
        {
            'code': 'PROMISE_NOT_KEPT',
            'when': 'is_promise_broken = 1',
            'points': 'params.complaint_promise_not_kept',
            'ref': 'params.complaint_promise_hours',
            'blames': true,
        },
        {
            'code': 'REPEAT_CALL',
            'when': "direction = 'in' and is_frequent_number = 0 and is_booked = 0 and bookings_72h = 0
                and calls_in_72h >= params.complaint_repeat_calls",
            'points': "least(params.complaint_repeat_max, params.complaint_repeat
                + params.complaint_repeat_step * (calls_in_72h - params.complaint_repeat_calls))",
            'value': 'calls_in_72h + 1',
            'ref': 'params.complaint_repeat_calls + 1',
        },
        {
            'code': 'DROPPED',
            'when': 'is_dropped = 1',
            'points': 'params.complaint_dropped',
            'blames': true,
        },
        {
            'code': 'LOW_SCORE',
            'when': "score < params.complaint_low_score_below
                and talk_sec >= params.complaint_low_score_talk_sec",
            'points': 'params.complaint_low_score',
            'value': 'score',
            'ref': 'params.complaint_low_score_below',
            'blames': true,
        },
        {
            'name': 'refusal',
            'code_sql': "concat('REFUSAL_', refusal_code)",
            'when': 'is_booked = 0 and refusal_points.value is not null',
            'points': 'refusal_points.value',
        },
        {
            'code': 'LONG_WAIT',
            'when': "direction = 'in' and await_sec > params.complaint_wait_slas * params.sla_sec",
            'points': 'params.complaint_long_wait',
            'value': 'await_sec',
            'ref': 'params.sla_sec',
            'blames': true,
        },
        {
            'code': 'TALK_TOO_LONG',
            'when': "is_booked = 0 and category_talk_z > params.long_talk_z",
            'points': 'params.complaint_talk_long',
            'value': 'talk_sec',
        },
    ] %}
    {% do return({
        'group': 'risk',
        'gates': {
            'INTERNAL': is_complaint ~ " is not true and direction = 'internal'",
            'NOT_ANSWERED': is_complaint ~ " is not true and is_answered = 0",
            'SHORT_TALK': is_complaint ~ " is not true and talk_sec < params.dialogue_min_talk_sec",
            'NO_REVIEW': none,
            'EXCLUDED_CATEGORY': none,
            'OBJECTIVE_REFUSAL': is_complaint ~ " is not true and is_objective_refusal = 1",
            'BAD_VALUE': is_complaint ~ " is not true and direction = 'unknown'",
        },
        'kind': 'additive',
        'base': '0',
        'families': {'refusal_points': ['complaint_refusal', 'refusal_code']},
        'reasons': reasons,
        'cap': {'code': 'NO_CLINIC_TRIGGER', 'limit': 'params.complaint_no_blame_cap'},
        'clamp': true,
        'ref_n': 'category_talk_n',
        'label': "case when {value} >= params.complaint_flag_from then 'true' else 'false' end",
    }) %}
{% endmacro %}
