{# The three aux metrics: labels and inputs, no numbers. #}

{# What computes the metrics: the macros as they come out, and the files of the models around them. #}
{% macro rules_hash() %}
    {% if not execute %}{% do return('') %}{% endif %}
    {% set parts = [tojson(rule_metrics())] %}
    {% for name in [
        'int_week_facts', 'int_known_facts', 'lm_reference', 'int_review_batches', 'int_metric_inputs', 'lm_value',
    ] %}
        {% set node = graph.nodes.get('model.operabot_lm.' ~ name) %}
        {% if node %}{% do parts.append(node.raw_code) %}{% endif %}
    {% endfor %}
    {% do return(local_md5(parts | join(' '))) %}
{% endmacro %}


{% macro seeds_hash() %}
    {% if not execute %}{% do return('') %}{% endif %}
    {% set parts = [] %}
    {% set seen = [] %}
    {% set queue = ['model.operabot_lm.lm_value'] %}
    {% for _ in range(1000) %}
        {% if not queue %}{% break %}{% endif %}
        {% set id = queue.pop() %}
        {% if id not in seen and id in graph.nodes %}
            {% do seen.append(id) %}
            {% set node = graph.nodes[id] %}
            {% if node.resource_type == 'seed' and node.config.meta.get('is_rule', true) %}
                {% do parts.append(node.name ~ ' ' ~ node.checksum.checksum) %}
            {% endif %}
            {% do queue.extend(node.depends_on.nodes or []) %}
        {% endif %}
    {% endfor %}
    {% do return(local_md5(parts | sort | join(' '))) %}
{% endmacro %}


{# dbt run-operation print_metric --args '{metric: CODE, call: HISTORY_ID}': the statement of one metric for one
   call, to be run and changed by hand. Its last `select` may read any of the steps. #}
{% macro print_metric(metric, call) %}
    {% if metric not in rule_metrics() %}
        {{ exceptions.raise_compiler_error(
            "There is no rule metric '" ~ metric ~ "'. These are: " ~ rule_metrics().keys() | join(', ') ~ "."
        ) }}
    {% endif %}
    {{ print(metric_rows(metric) | replace(in_batch(), 'history_id = ' ~ call | int) ~ ';') }}
{% endmacro %}


{% macro print_version() %}
    {{ print(var('lm_version') ~ ',' ~ rules_hash() ~ ',' ~ seeds_hash() ~ ','
        ~ modules.datetime.date.today() ~ ',what has changed') }}
{% endmacro %}


{% macro lm_version_json() -%}
    '{"v":1,"status":"ok","rules_hash":"{{ rules_hash() }}","seeds_hash":"{{ seeds_hash() }}"}'
{%- endmacro %}

{% macro calc_profile_json() -%}
    {{ json_object([
        "'\"v\":1,\"status\":\"ok\"'",
        json_code_pair('rule', 'profile_rule'),
        json_number_pair('sla_sec', 'params.sla_sec'),
        json_number_pair('half_life_sec', 'params.half_life_sec'),
        json_number_pair('callback_sla_min', 'params.callback_sla_min'),
        json_number_pair('callback_due_hour', 'params.callback_due_hour'),
    ]) }}
{%- endmacro %}

{% macro feature_pack_json() -%}
    {%- set parts = ["'\"v\":1,\"status\":\"ok\",\"schema\":1'"] -%}
    {%- for name in ['direction', 'outcome', 'call_category', 'service_group', 'service_recurrence'] -%}
        {%- do parts.append(json_code_pair(name, name)) -%}
    {%- endfor -%}
    {%- do parts.append(json_code_pair('refusal', 'refusal_code')) -%}
    {%- do parts.append(json_code_pair('profile', 'calc_profile')) -%}
    {%- for name in [
        'call_hour', 'call_weekday', 'talk_sec', 'await_sec', 'total_sec', 'call_score_raw', 'checklist_items',
        'calls_2d', 'calls_7d', 'calls_30d', 'unanswered_7d', 'bookings_365d', 'cancellations_180d',
        'days_since_last_call',
    ] -%}
        {%- set pair = json_number_pair if name in ['call_score_raw', 'days_since_last_call'] else json_integer_pair -%}
        {%- do parts.append(pair(name, name)) -%}
    {%- endfor -%}
    {%- do parts.append(json_number_pair('score', 'score')) -%}
    {%- do parts.append(json_number_pair('coverage', 'checklist_coverage')) -%}
    {%- for name in [
        'is_answered', 'is_reviewed', 'is_target', 'is_booked', 'wants_booking', 'is_service_call',
        'is_frequent_number', 'has_type_conflict', 'has_target_conflict', 'has_outcome_conflict',
        'has_direction_conflict', 'has_start_conflict',
    ] -%}
        {%- do parts.append(json_integer_pair(name, name)) -%}
    {%- endfor -%}
    {{ json_object(parts) }}
{%- endmacro %}
