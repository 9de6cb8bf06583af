{% macro normalized_call_score() %}
    {% do return({
        'group': 'quality',
        'gates': {
            'INTERNAL': none,
            'NO_REVIEW': none,
            'EXCLUDED_CATEGORY': none,
            'BAD_VALUE': "call_score_raw is null or call_score_raw < 0 or call_score_raw > params.score_max",
            'NOT_SCORED': none,
        },
        'kind': 'additive',
        'base': 'call_score_raw * score_factor',
        'reasons': [
            {
                'code': 'SCALE',
                'points': '0',
                'value': 'score_factor',
            },
            {'code': 'SCALE_GUESS', 'when': "is_scale_guess = 1", 'points': '0'},
            {'code': 'CALIBRATION', 'when': "score_offset <> 0", 'points': 'score_offset'},
            {
                'code': 'BATCH_BIAS',
                'when': "score_bias <> 0",
                'points': '-score_bias',
                'value': 'review_batch_n',
            },
        ],
        'clamp': true,
        'label': three_levels('score'),
        'extras': [json_number_pair('raw', 'call_score_raw')],
    }) %}
{% endmacro %}
