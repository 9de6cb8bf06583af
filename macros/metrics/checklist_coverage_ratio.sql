{% macro checklist_coverage_ratio() %}
    {% do return({
        'group': 'quality',
        'gates': {
            'INTERNAL': none,
            'NO_REVIEW': none,
            'EXCLUDED_CATEGORY': none,
            'NOT_TARGET': none,
            'BAD_VALUE': "checklist_items < 0",
            'NO_CHECKLIST': none,
        },
        'kind': 'additive',
        'base': '100',
        'is_sorted': false,
        'reasons': [
            {
                'code': 'ITEMS_NOT_MET',
                'when': "checklist_items < checklist_length",
                'points': "checklist_coverage - 100",
                'value': 'checklist_items',
                'ref': 'checklist_length',
            },
            {'code': 'CHECKLIST_UNKNOWN', 'when': "is_checklist_known = 0", 'points': '0'},
            {
                'code': 'OVER_MAX',
                'when': "checklist_items > checklist_length",
                'points': '0',
                'value': 'checklist_items',
                'ref': 'checklist_length',
            },
        ],
        'missing': {'checklist': "is_checklist_known = 0"},
        'label': three_levels('checklist'),
        'ref_n': "case when is_checklist_known = 0 then checklist_n end",
        'extras': [
            json_number_pair('lo', 'checklist_coverage_lo'),
            json_number_pair('hi', 'checklist_coverage_hi'),
        ],
    }) %}
{% endmacro %}
