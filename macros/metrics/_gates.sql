{% macro gate_conditions() %}
    {% do return({
        'INTERNAL': "direction = 'internal'",
        'NOT_INCOMING': "direction <> 'in'",
        'NOT_ANSWERED': "is_answered = 0",
        'SHORT_ABANDON': "is_short_abandon = 1",
        'SHORT_TALK': "talk_sec < params.dialogue_min_talk_sec",
        'NO_REVIEW': "is_reviewed = 0",
        'EXCLUDED_CATEGORY': "is_excluded_category = 1",
        'NOT_TARGET': "is_target = 0",
        'SERVICE_CALL': "is_service_call = 1",
        'ALREADY_BOOKED': "is_booked = 1",
        'ALREADY_COMPLAINT': "call_category = 'complaint'",
        'OBJECTIVE_REFUSAL': "is_objective_refusal = 1",
        'NO_WAIT': "await_sec is null",
        'BAD_VALUE': none,
        'NOT_SCORED': "call_score_raw = 0 and is_target = 0",
        'NO_CHECKLIST': "checklist_items is null",
        'NO_SERVICE': "service_group = 'unknown'",
        'FREQUENT_NUMBER': "is_frequent_number = 1",
        'NO_NUMBER': "caller_key is null",
        'IMMATURE': none,
    }) %}
{% endmacro %}


{% macro first_gate(gates) -%}
    {%- set conditions = gate_conditions() -%}
    case
            {%- for code in conditions if code in gates %}
            when {{ gates[code] if gates is mapping and gates[code] else conditions[code] }} then '{{ code }}'
            {%- endfor %}
        end
{%- endmacro %}
