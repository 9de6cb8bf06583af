{% macro lost_opportunity_score() %}
    {% set is_missed = "(direction = 'in' and is_answered = 0)" %}
    {% set is_loss = "(is_answered = 1 and is_booked = 0
                and (wants_booking = 1 or is_service_call = 1))" %}
    {% set is_open_missed = "(" ~ is_missed ~ " and is_contacted = 0)" %}
    {% do return({
        'group': 'conversion',
        'gates': {
            'INTERNAL': none,
            'NOT_ANSWERED': "direction <> 'in' and is_answered = 0",
            'SHORT_ABANDON': none,
            'NO_REVIEW': "is_answered = 1 and is_reviewed = 0",
            'EXCLUDED_CATEGORY': "is_answered = 1 and is_excluded_category = 1",
            'NOT_TARGET': "is_answered = 1 and is_target = 0",
            'SERVICE_CALL':
                "is_answered = 1 and is_service_call = 1 and params.lost_include_cancellations = 0",
            'OBJECTIVE_REFUSAL': "is_answered = 1 and is_objective_refusal = 1",
            'FREQUENT_NUMBER': "is_answered = 0 and is_frequent_number = 1",
            'IMMATURE': "is_answered = 0 and is_contacted = 0 and is_contact_open = 1",
        },
        'kind': 'factors',
        'link': 'ratio',
        'scale': 'loss_scale',
        'reasons': [
            {'code': 'BOOKED', 'when': "is_answered = 1 and is_booked = 1", 'points': '0'},
            {
                'code': 'NO_BOOKING_INTENT',
                'when': "is_answered = 1 and is_booked = 0 and wants_booking = 0 and is_service_call = 0",
                'points': '0',
            },
            {'code': 'CONTACTED_LATER', 'when': is_missed ~ " and is_contacted = 1", 'points': '0'},
            {'code': 'TICKET', 'when': is_loss ~ " or " ~ is_open_missed, 'points': 'loss_ticket'},
            {'code': 'CHANCE', 'when': is_loss ~ " or " ~ is_open_missed, 'points': 'loss_chance'},
            {'code': 'LATE_RETURN', 'when': is_loss ~ " or " ~ is_open_missed, 'points': 'loss_no_return'},
            {
                'name': 'refusal',
                'code_sql': "coalesce(concat('REFUSAL_', refusal_code), 'REASON_MISSING')",
                'when': is_loss,
                'points': 'loss_avoidable',
                'value': 'loss_avoidable',
            },
            {'code': 'MISSED_NO_CONTACT', 'when': is_open_missed, 'points': '1'},
        ],
        'missing': {
            'service': is_loss ~ " and has_service_ticket = 0 and has_prices = 1",
            'ticket': "(" ~ is_loss ~ " or " ~ is_open_missed ~ ") and has_prices = 0",
            'outcome': is_open_missed,
        },
        'label': three_levels('lost'),
        'extras': [json_number_pair('loss_rub', 'round({total}, 2)')],
        'ref_n': "case when " ~ is_loss ~ " or " ~ is_open_missed ~ " then booking_n end",
        'method': "case when " ~ is_loss ~ " or " ~ is_open_missed ~ "
            then 'empirical_bayes' else 'rule' end",
    }) %}
{% endmacro %}
