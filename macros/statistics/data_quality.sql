{% macro quality_fields() %}
    {% set talks = "calls.direction in ('in', 'out') and calls.is_answered = 1" %}
    {% set reviewed = 'calls.is_reviewed = 1' %}
    {% do return({
        'start': {'base': '1 = 1', 'filled': 'calls.call_started_at is not null'},
        'direction': {
            'base': '1 = 1',
            'filled': "calls.direction <> 'unknown'",
            'unknown': label_unknown(['context_type']),
        },
        'number': {
            'base': "calls.direction in ('in', 'out')",
            'filled': 'calls.caller_key is not null',
        },
        'wait': {'base': "calls.direction = 'in'", 'filled': 'calls.await_sec is not null'},
        'talk': {'base': '1 = 1', 'filled': 'calls.talk_sec is not null'},
        'duration': {'base': '1 = 1', 'filled': 'calls.duration_sec is not null'},
        'operator': {'base': talks, 'filled': "calls.operator_name <> 'unknown'"},
        'source': {'base': "calls.direction = 'in'", 'filled': "calls.source_channel <> 'unknown'"},
        'review': {'base': talks, 'filled': reviewed},
        'call_type': {
            'base': reviewed,
            'filled': 'calls.call_type is not null',
            'unknown': label_unknown(['call_type']),
        },
        'category': {
            'base': reviewed,
            'filled': "calls.call_category <> 'none'",
            'unknown': label_unknown(['call_category']),
        },
        'outcome': {
            'base': reviewed,
            'filled': "calls.outcome <> 'none'",
            'unknown': label_unknown(['outcome']),
        },
        'score': {'base': reviewed, 'filled': 'calls.call_score_raw is not null'},
        'service': {
            'base': 'calls.is_target = 1',
            'filled': "(calls.service_id is not null or calls.service_name <> 'unknown')",
            'unknown': label_unknown(['requested_service']),
        },
        'refusal': {
            'base': 'calls.wants_booking = 1 and calls.is_booked = 0',
            'filled': 'calls.refusal_code is not null',
            'unknown': label_unknown(['refusal_category_code', 'refusal_reason']),
        },
        'checklist': {
            'base': 'calls.is_valid_dialogue = 1',
            'filled': 'calls.checklist is not null',
            'unknown': 'calls.checklist is not null and checklists.checklist is null',
        },
        'checklist_items': {
            'base': 'calls.is_valid_dialogue = 1',
            'filled': 'calls.checklist_items is not null',
        },
    }) %}
{% endmacro %}


{% macro quality_contradictions() %}
    {% set reviewed = 'calls.is_reviewed = 1' %}
    {% do return({
        'call_type': {'base': reviewed, 'found': 'calls.has_type_conflict = 1'},
        'target': {'base': reviewed, 'found': 'calls.has_target_conflict = 1'},
        'outcome': {'base': reviewed, 'found': 'calls.has_outcome_conflict = 1'},
        'direction': {'base': reviewed, 'found': 'calls.has_direction_conflict = 1'},
        'start': {'base': '1 = 1', 'found': 'calls.has_start_conflict = 1'},
        'start_in_future': {'base': '1 = 1', 'found': 'calls.call_started_at > ' ~ as_of()},
        'review_before_call': {
            'base': reviewed,
            'found': 'calls.reviewed_at < calls.call_started_at',
        },
        'duration_below_talk': {
            'base': 'calls.duration_sec > 0',
            'found': 'calls.duration_sec < calls.talk_sec',
        },
    }) %}
{% endmacro %}


{# What staging leaves out: no label, number or time is like that. #}
{% macro quality_refusals() %}
    {% set reviewed = 'calls.is_reviewed = 1' %}
    {% set refusals = {'operator': {
        'base': "calls.direction in ('in', 'out')", 'found': 'calls.has_refused_operator = 1',
    }} %}
    {% for name, base in {
        'start': '1 = 1', 'wait': '1 = 1', 'talk': '1 = 1', 'duration': '1 = 1', 'source': '1 = 1',
        'review_date': reviewed, 'service': reviewed, 'checklist': reviewed, 'checklist_items': reviewed,
    }.items() %}
        {% do refusals.update({name: {
            'base': base, 'found': "find_in_set('" ~ name ~ "', calls.refused_fields) > 0",
        }}) %}
    {% endfor %}
    {% do return(refusals) %}
{% endmacro %}


{% macro label_unknown(names) -%}
    {%- set found = [] -%}
    {%- for name in names -%}
        {%- do found.append("find_in_set('" ~ name ~ "', calls.unknown_labels) > 0") -%}
    {%- endfor -%}
    {{ found | join(' or ') }}
{%- endmacro %}


{% macro one_if(condition) -%}
    case when {{ condition }} then 1 else 0 end
{%- endmacro %}


{% macro is_check(kind, name) -%}
    check_list.check_kind = '{{ kind }}' and check_list.field = '{{ name }}'
{%- endmacro %}
