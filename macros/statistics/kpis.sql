{% macro kpis() %}
    {% do return({
        'calls': {'kind': 'count', 'numerator': 'calls'},
        'calls_offered': {'kind': 'count', 'numerator': 'incoming_calls'},
        'calls_answered': {'kind': 'count', 'numerator': 'incoming_answered'},
        'calls_abandoned': {'kind': 'count', 'numerator': 'incoming_abandoned'},
        'short_abandons': {'kind': 'count', 'numerator': 'short_abandons'},
        'abandonment_rate': {
            'kind': 'share',
            'numerator': 'incoming_abandoned',
            'denominator': 'incoming_calls',
        },
        'service_level': {'kind': 'share', 'numerator': 'answered_in_sla', 'denominator': 'sla_calls'},
        'asa_sec': {
            'kind': 'mean',
            'numerator': 'answer_wait_sec',
            'denominator': 'answer_wait_calls',
            'squares': 'answer_wait_sec_sq',
        },
        'abandon_wait_avg_sec': {
            'kind': 'ratio',
            'numerator': 'abandon_wait_sec',
            'denominator': 'abandon_wait_calls',
        },
        'max_wait_sec': {'kind': 'max', 'numerator': 'max_wait_sec'},
        'out_of_hours_share': {
            'kind': 'share',
            'numerator': 'out_of_hours_calls',
            'denominator': 'incoming_calls',
        },
        'missed_calls': {'kind': 'count', 'numerator': 'missed_calls'},
        'callback_rate': {
            'kind': 'share',
            'numerator': 'missed_called_back',
            'denominator': 'missed_calls',
            'matured_days': 1,
        },
        'missed_reached_rate': {
            'kind': 'share',
            'numerator': 'missed_reached',
            'denominator': 'missed_calls',
            'matured_days': 1,
        },
        'callback_avg_min': {
            'kind': 'ratio',
            'numerator': 'callback_min',
            'denominator': 'missed_called_back',
            'matured_days': 1,
        },
        'outgoing_calls': {'kind': 'count', 'numerator': 'outgoing_calls'},
        'outgoing_answer_rate': {
            'kind': 'share',
            'numerator': 'outgoing_answered',
            'denominator': 'outgoing_calls',
        },
        'att_sec': {
            'kind': 'mean',
            'numerator': 'talk_sec',
            'denominator': 'talk_calls',
            'squares': 'talk_sec_sq',
        },
        'aht_sec': {
            'kind': 'mean',
            'numerator': 'handle_sec',
            'denominator': 'handle_calls',
            'squares': 'handle_sec_sq',
        },
        'work_hours': {'kind': 'count', 'numerator': 'work_sec', 'scale': 3600},
        'operators': {'kind': 'max', 'numerator': 'operators'},
        'calls_per_operator_hour': {
            'kind': 'ratio',
            'numerator': 'talk_calls',
            'denominator': 'operator_hours',
        },
        'line_use': {
            'kind': 'ratio',
            'numerator': 'talk_sec',
            'denominator': 'operator_hours',
            'scale': 3600,
        },
        'reviewed_share': {'kind': 'share', 'numerator': 'reviewed_talks', 'denominator': 'talk_calls'},
        'review_lag_avg_days': {
            'kind': 'ratio',
            'numerator': 'review_lag_days',
            'denominator': 'reviewed_calls',
        },
        'target_calls': {'kind': 'count', 'numerator': 'target_calls'},
        'target_share': {'kind': 'share', 'numerator': 'target_calls', 'denominator': 'reviewed_calls'},
        'wanting_calls': {'kind': 'count', 'numerator': 'wanting_calls'},
        'bookings': {'kind': 'count', 'numerator': 'bookings'},
        'conversion_rate': {'kind': 'share', 'numerator': 'bookings', 'denominator': 'wanting_calls'},
        'target_conversion_rate': {
            'kind': 'share',
            'numerator': 'new_bookings',
            'denominator': 'target_new_calls',
        },
        'booked_value_rub': {'kind': 'count', 'numerator': 'booked_value'},
        'booking_ticket_avg_rub': {
            'kind': 'ratio',
            'numerator': 'booked_value',
            'denominator': 'bookings',
        },
        'expected_value_rub': {'kind': 'count', 'numerator': 'expected_rub'},
        'lost_calls': {'kind': 'count', 'numerator': 'lost_calls'},
        'lost_value_rub': {'kind': 'count', 'numerator': 'loss_rub'},
        'cancellations': {'kind': 'count', 'numerator': 'cancellations'},
        'reschedules': {'kind': 'count', 'numerator': 'reschedules'},
        'cancellation_share': {
            'kind': 'share',
            'numerator': 'cancellations',
            'denominator': 'cancellations + reschedules',
        },
        'complaints': {'kind': 'count', 'numerator': 'complaints'},
        'complaint_rate': {'kind': 'share', 'numerator': 'complaints', 'denominator': 'reviewed_calls'},
        'fcr_proxy': {
            'kind': 'share',
            'numerator': 'repeat_base_calls - repeat_calls',
            'denominator': 'repeat_base_calls',
            'matured_days': 7,
        },
        'qa_score_avg': {
            'kind': 'mean',
            'numerator': 'qa_score',
            'denominator': 'qa_calls',
            'squares': 'qa_score_sq',
        },
        'checklist_coverage_avg': {
            'kind': 'mean',
            'numerator': 'checklist_coverage',
            'denominator': 'coverage_calls',
            'squares': 'checklist_coverage_sq',
        },
        'followups_open': {'kind': 'count', 'numerator': 'followups_open'},
        'followups_overdue': {'kind': 'count', 'numerator': 'followups_overdue'},
        'followups_closed': {'kind': 'count', 'numerator': 'followups_closed'},
    }) %}
{% endmacro %}


{% macro kpi_part(expression, sums=true) -%}
    {%- if not sums -%}
        ({{ expression }})
    {%- else -%}
        {%- set parts = [] -%}
        {%- for word in expression.split(' ') -%}
            {%- do parts.append(word if word in ['+', '-'] else 'sum(' ~ word ~ ')') -%}
        {%- endfor -%}
        ({{ parts | join(' ') }})
    {%- endif -%}
{%- endmacro %}


{% macro kpi_value(kpi, sums=true) -%}
    {%- set numerator = kpi_part(kpi.numerator, sums) -%}
    {%- if kpi.kind == 'max' -%}
        {{ 'max(' ~ kpi.numerator ~ ')' if sums else kpi.numerator }}
    {%- elif kpi.kind == 'count' -%}
        {{ numerator }}{{ ' / ' ~ kpi.scale ~ 'e0' if kpi.scale }}
    {%- else -%}
        {{ numerator }} * 1e0 / nullif({{ kpi_part(kpi.denominator, sums) }}{{ ' * ' ~ kpi.scale if kpi.scale }}, 0)
    {%- endif -%}
{%- endmacro %}
