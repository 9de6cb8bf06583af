{% macro cross_sell_potential() %}
    {% set suggestions = [] %}
    {% for rank in [1, 2, 3] %}
        {% do suggestions.append(json_object([
            json_code_pair('group', 'suggest_' ~ rank ~ '_group'),
            json_number_pair('confidence', 'suggest_' ~ rank ~ '_confidence'),
            json_number_pair('lift', 'suggest_' ~ rank ~ '_lift'),
            json_number_pair('n', 'suggest_' ~ rank ~ '_n'),
        ])) %}
    {% endfor %}
    {% do return({
        'group': 'conversion',
        'gates': {
            'INTERNAL': none,
            'NO_REVIEW': none,
            'EXCLUDED_CATEGORY': none,
            'NOT_TARGET': none,
            'ALREADY_COMPLAINT': none,
            'NO_SERVICE': none,
        },
        'kind': 'factors',
        'link': 'identity',
        'families': {'category_factors': ['category_factor', 'call_category']},
        'reasons': [
            {'code': 'SERVICE_AFFINITY', 'points': '100 * cross_sell_share', 'value': 'cross_sell_n'},
            {
                'code': 'CATEGORY_FACTOR',
                'points': 'coalesce(category_factors.value, params.category_factor_other)',
                'value': 'coalesce(category_factors.value, params.category_factor_other)',
            },
        ],
        'missing': {'caller_history': "is_frequent_number = 1"},
        'label': three_levels('cross_sell'),
        'extras': ["concat('\"suggest\":[', concat_ws(',',
                case when suggest_1_group is not null then " ~ suggestions[0] ~ " end,
                case when suggest_2_group is not null then " ~ suggestions[1] ~ " end,
                case when suggest_3_group is not null then " ~ suggestions[2] ~ " end), ']')"],
        'ref_n': 'cross_sell_n',
        'method': "'empirical_bayes'",
    }) %}
{% endmacro %}
