{% macro churn_risk_level() %}
    {% set has_history = "caller_key is not null and is_frequent_number = 0" %}
    {% do return({
        'group': 'risk',
        'gates': {
            'INTERNAL': none,
            'NO_REVIEW': none,
            'EXCLUDED_CATEGORY': none,
            'NOT_TARGET': "is_target = 0 and call_category <> 'complaint'",
        },
        'kind': 'additive',
        'base': 'params.churn_base',
        'families': {
            'outcome_points': ['churn_outcome', 'outcome'],
            'category_points': ['churn_category', 'call_category'],
            'refusal_points': ['churn_refusal', "coalesce(refusal_code, 'MISSING')"],
            'service_points': ['churn_service', 'service_recurrence'],
        },
        'reasons': [
            {
                'name': 'outcome',
                'code_sql': "concat('OUTCOME_', upper(outcome))",
                'when': 'outcome_points.value is not null',
                'points': 'outcome_points.value',
            },
            {
                'name': 'category',
                'code_sql': "concat('CATEGORY_', upper(call_category))",
                'when': 'category_points.value is not null',
                'points': 'category_points.value',
            },
            {
                'name': 'refusal',
                'code_sql': "concat('REFUSAL_', coalesce(refusal_code, 'MISSING'))",
                'when': "is_booked = 0 and (refusal_code is not null or wants_booking = 1)",
                'points': 'coalesce(refusal_points.value, params.churn_refusal_other_reason)',
            },
            {
                'name': 'service',
                'code_sql': "concat('SERVICE_', upper(service_recurrence))",
                'when': 'service_points.value is not null',
                'points': 'service_points.value',
            },
            {
                'code': 'CANCELLED_BEFORE',
                'when': has_history ~ " and cancellations_180d > 0",
                'points': "least(params.churn_cancelled_before_max,"
                    ~ " params.churn_cancelled_before * cancellations_180d)",
                'value': 'cancellations_180d',
            },
            {
                'code': 'UNANSWERED_BEFORE',
                'when': has_history ~ " and unanswered_7d > 0",
                'points': "least(params.churn_unanswered_before_max, params.churn_unanswered_before * unanswered_7d)",
                'value': 'unanswered_7d',
            },
            {
                'code': 'LOYAL',
                'when': has_history ~ " and bookings_180d >= params.churn_loyal_bookings",
                'points': 'params.churn_loyal',
                'value': 'bookings_180d',
            },
        ],
        'clamp': true,
        'missing': {'caller_history': "not (" ~ has_history ~ ")"},
        'label': "case
            when {value} >= params.churn_high_from then 'high'
            when {value} >= params.churn_medium_from then 'medium'
            else 'low'
        end",
    }) %}
{% endmacro %}
