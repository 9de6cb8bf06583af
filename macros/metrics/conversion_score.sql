{% macro conversion_score() %}
    {% do return({
        'group': 'conversion',
        'gates': {
            'INTERNAL': none,
            'NO_REVIEW': none,
            'EXCLUDED_CATEGORY': none,
            'NOT_TARGET': none,
            'SERVICE_CALL': none,
        },
        'kind': 'lookup',
        'base': '0',
        'reasons': [
            {
                'code': 'OUTCOME',
                'points': "case when is_booked = 1 then 100 else 100 * late_outcome_share end",
            },
            {
                'code': 'CATEGORY',
                'when': "is_booked = 0",
                'points': "100 * (late_category_share - late_outcome_share)",
            },
            {
                'code': 'SERVICE',
                'when': "is_booked = 0",
                'points': "100 * (late_share - late_category_share)",
            },
        ],
        'missing': {
            'caller_history': "is_booked = 0 and (is_frequent_number = 1 or caller_key is null)",
        },
        'label': "case
            when is_booked = 1 then 'booked'
            when {value} >= params.conversion_likely_from then 'likely'
            when {value} >= params.conversion_possible_from then 'possible'
            else 'unlikely'
        end",
        'extras': [
            json_flag_pair('wants_booking', 'wants_booking = 1'),
            json_flag_pair('last_of_client', 'is_last_of_caller = 1'),
            "case when is_booking_open = 1 then "
                ~ json_number_pair('expected_rub', 'round(late_share * booking_ticket, 2)') ~ " end",
        ],
        'ref_n': "case when is_booked = 0 then late_n end",
        'method': "case when is_booked = 1 then 'rule' else 'empirical_bayes' end",
    }) %}
{% endmacro %}
