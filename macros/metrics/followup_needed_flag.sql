{% macro followup_needed_flag() %}
    {% set applies = "followup_need is not null" %}
    {% do return({
        'group': 'risk',
        'gates': {'INTERNAL': none, 'NO_NUMBER': none},
        'kind': 'additive',
        'base': '0',
        'is_sorted': false,
        'reasons': [
            {'name': 'need', 'code_sql': "concat('NEED_', followup_need)", 'when': applies, 'points': '1'},
            {
                'name': 'denial',
                'code_sql': "concat('DENY_', followup_denied)",
                'when': applies ~ " and followup_denied is not null",
                'points': '-1',
            },
            {
                'name': 'closing',
                'code_sql': 'followup_closed',
                'when': applies ~ " and followup_denied is null and followup_closed is not null",
                'points': '-1',
            },
        ],
        'label': "case when {value} >= 1 then 'true' else 'false' end",
        'extras': [
            json_code_pair('need', 'followup_need'),
            "case when " ~ applies ~ " then " ~ json_number_pair('priority', 'followup_priority') ~ " end",
            "case when " ~ applies ~ " then "
                ~ json_code_pair('due_at', "date_format(followup_due_at, '%Y-%m-%d %H:%i')") ~ " end",
            "case when " ~ applies ~ " then "
                ~ json_flag_pair('overdue', 'is_followup_overdue = 1') ~ " end",
            "case when " ~ applies ~ " then " ~ json_number_pair('attempts', 'attempts_14d') ~ " end",
            "case when " ~ applies ~ " and followup_denied is null then "
                ~ json_code_pair('closed_by', 'followup_closed') ~ " end",
            "case when " ~ applies ~ " and followup_denied is null and followup_closed <> 'EXPIRED'
                then " ~ json_number_pair('minutes_to_close', 'followup_closed_after_sec / 60e0') ~ " end",
        ],
    }) %}
{% endmacro %}
