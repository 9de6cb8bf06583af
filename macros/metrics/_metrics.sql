{# The rule metrics, in the order of the dictionary. Each is a macro of its own that tells, as SQL over one
   row of inputs: group, gates, kind (additive, lookup: base and points add up; factors: points multiply),
   reasons {code or code_sql, when, points, value, ref}, label, and where it has them base, clamp, cap, link,
   scale, missing, extras, ref_n, method, no_data. A new metric is a macro, a name here and a dictionary row. #}
{% macro rule_metrics() %}
    {% set metrics = {
        'response_speed_score': response_speed_score(),
        'talk_time_efficiency': talk_time_efficiency(),
        'queue_impact_index': queue_impact_index(),
        'conversion_score': conversion_score(),
        'lost_opportunity_score': lost_opportunity_score(),
        'cross_sell_potential': cross_sell_potential(),
        'checklist_coverage_ratio': checklist_coverage_ratio(),
        'normalized_call_score': normalized_call_score(),
        'script_risk_index': script_risk_index(),
        'churn_risk_level': churn_risk_level(),
        'complaint_risk_flag': complaint_risk_flag(),
        'followup_needed_flag': followup_needed_flag(),
    } %}
    {% for metric in metrics.values() %}
        {% do metric.update({'prefix': 'm' ~ loop.index}) %}
    {% endfor %}
    {% do return(metrics) %}
{% endmacro %}


{# low, medium or high by the parameters <family>_medium_from and <family>_high_from. #}
{% macro three_levels(family) -%}
    case
        when {value} < params.{{ family }}_medium_from then 'low'
        when {value} < params.{{ family }}_high_from then 'medium'
        else 'high'
    end
{%- endmacro %}


{# Keeps a step of the query as a table of its own: without it the optimiser writes each step
   into the next, and every expression is computed many times over. #}
{% macro kept_apart() -%}
    limit 9223372036854775807
{%- endmacro %}


{# Names of a metric's points, those of the cap and the clamp included. #}
{% macro reason_slots(metric) %}
    {% set slots = [] %}
    {% for reason in metric.reasons %}
        {% do slots.append(metric.prefix ~ '_points_' ~ loop.index) %}
    {% endfor %}
    {% if metric.cap %}{% do slots.append(metric.prefix ~ '_cap') %}{% endif %}
    {% if metric.clamp %}{% do slots.append(metric.prefix ~ '_clamp') %}{% endif %}
    {% do return(slots) %}
{% endmacro %}


{# Step 1: gate, base and points of every reason that holds. #}
{% macro points_columns(metric) -%}
    {%- set prefix = metric.prefix -%}
    {%- set gate = first_gate(metric.gates) -%}
    {%- if metric.no_data -%}
        {%- set gate = "coalesce(" ~ gate ~ ", case when " ~ metric.no_data ~ " then 'NO_DATA' end)" -%}
    {%- endif -%}
    {{ gate }} as {{ prefix }}_gate
    {%- if metric.kind != 'factors' %},
    cast({{ metric.base }} as decimal(16, 4)) as {{ prefix }}_base
    {%- else %},
    {{ metric.scale | default('1', true) }} as {{ prefix }}_scale
    {%- endif -%}
    {%- for reason in metric.reasons %},
    cast(
        {%- if reason.when %} case when {{ reason.when }} then {{ reason.points }} end
        {%- else %} {{ reason.points }}
        {%- endif %} as decimal(16, 4)
    ) as {{ prefix }}_points_{{ loop.index }}
    {%- endfor -%}
{%- endmacro %}


{# Step 2: what the points come to, before the cap and the clamp. #}
{% macro total_columns(metric) -%}
    {%- set prefix = metric.prefix -%}
    {%- set terms = [] -%}
    {%- set blames = [] -%}
    {%- for reason in metric.reasons -%}
        {%- set points = prefix ~ '_points_' ~ loop.index -%}
        {%- do terms.append('coalesce(' ~ points ~ ', ' ~ ('1' if metric.kind == 'factors' else '0') ~ ')') -%}
        {%- if reason.blames -%}{%- do blames.append(points) -%}{%- endif -%}
    {%- endfor -%}
    {%- if metric.kind == 'factors' -%}
        {{ terms | join(' * 1e0 * ') }} as {{ prefix }}_total
    {%- else -%}
        {{ prefix }}_base + {{ terms | join(' + ') }} as {{ prefix }}_total
    {%- endif -%}
    {%- if metric.cap %},
    case when coalesce({{ blames | join(', ') }}) is null then 1 else 0 end as {{ prefix }}_is_capped
    {%- endif -%}
{%- endmacro %}


{# Step 3: the cap. #}
{% macro cap_columns(metric) -%}
    {%- set prefix = metric.prefix -%}
    cast(case
        when {{ prefix }}_is_capped = 1 and {{ prefix }}_total > {{ metric.cap.limit }}
            then {{ metric.cap.limit }} - {{ prefix }}_total
    end as decimal(16, 4)) as {{ prefix }}_cap
{%- endmacro %}


{# Step 4: the value; null where a gate holds. #}
{% macro value_columns(metric) -%}
    {%- set prefix = metric.prefix -%}
    {%- set total = prefix ~ '_total' ~ (' + coalesce(' ~ prefix ~ '_cap, 0)' if metric.cap else '') -%}
    {%- if metric.link == 'saturation' -%}
        {%- set value = '100 * (1 - exp(-' ~ total ~ ' / ' ~ prefix ~ '_scale))' -%}
    {%- elif metric.link == 'ratio' -%}
        {%- set value = '100 * ' ~ total ~ ' / (' ~ total ~ ' + ' ~ prefix ~ '_scale)' -%}
    {%- elif metric.clamp -%}
        {%- set value = 'least(100, greatest(0, ' ~ total ~ '))' -%}
    {%- else -%}
        {%- set value = total -%}
    {%- endif -%}
    cast(case when {{ prefix }}_gate is null then {{ value }} end as decimal(10, 4)) as {{ prefix }}_value
    {%- if metric.clamp %},
    cast(case
        when {{ total }} > 100 then 100 - ({{ total }})
        when {{ total }} < 0 then 0 - ({{ total }})
    end as decimal(16, 4)) as {{ prefix }}_clamp
    {%- endif -%}
{%- endmacro %}


{# One reason as JSON. #}
{% macro reason_json(reason, points) -%}
    {%- set parts = [
        json_code_pair('code', reason.code_sql if reason.code_sql else "'" ~ reason.code ~ "'"),
        json_number_pair('points', points),
    ] -%}
    {%- if reason.value -%}{%- do parts.append(json_number_pair('value', reason.value)) -%}{%- endif -%}
    {%- if reason.ref -%}{%- do parts.append(json_number_pair('ref', reason.ref)) -%}{%- endif -%}
    {{ json_object(parts) }}
{%- endmacro %}


{# A metric's slots with the JSON of each: its reasons, then the cap and the clamp. #}
{% macro slot_texts(metric) %}
    {% set texts = {} %}
    {% for slot in reason_slots(metric) %}
        {% if loop.index <= metric.reasons | length %}
            {% set reason = metric.reasons[loop.index0] %}
        {% else %}
            {% set reason = {'code': metric.cap.code if slot.endswith('_cap') else 'CLAMP'} %}
        {% endif %}
        {% do texts.update({slot: reason_json(reason, slot)}) %}
    {% endfor %}
    {% do return(texts) %}
{% endmacro %}


{# The most slots that a metric has. #}
{% macro slot_count(metrics) %}
    {% set counts = [] %}
    {% for metric in metrics.values() %}
        {% do counts.append(reason_slots(metric) | length) %}
    {% endfor %}
    {% do return(counts | max) %}
{% endmacro %}


{# Step 5, a row a metric: points and JSON of each slot, the metric's own slots put in common columns. #}
{% macro slot_columns(metrics) -%}
    {%- for number in range(1, slot_count(metrics) + 1) %}
        case metric_list.metric_code
            {%- for name, metric in metrics.items() if reason_slots(metric) | length >= number %}
            when '{{ name }}' then {{ reason_slots(metric)[number - 1] }}
            {%- endfor %}
        end as points_{{ number }},
        case metric_list.metric_code
            {%- for name, metric in metrics.items() if reason_slots(metric) | length >= number %}
            {%- set slot = reason_slots(metric)[number - 1] %}
            when '{{ name }}' then case when {{ slot }} is not null then {{ slot_texts(metric)[slot] }} end
            {%- endfor %}
        end as text_{{ number }}{{ ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}


{# Step 6: the place of each reason by the size of its points, ties and factors in the metric's order. #}
{% macro rank_columns(count) -%}
    {%- for number in range(1, count + 1) %}
        case
            when points_{{ number }} is not null then 1
            {%- for other in range(1, count + 1) if other != number %}
                {%- if other < number %}
                + case when is_sorted = 0 then points_{{ other }} is not null
                    else coalesce(abs(points_{{ other }}) >= abs(points_{{ number }}), 0) end
                {%- else %}
                + coalesce(is_sorted = 1 and abs(points_{{ other }}) > abs(points_{{ number }}), 0)
                {%- endif %}
            {%- endfor %}
        end as rank_{{ number }}{{ ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}


{# Step 7: five reasons in their order, the rest as OTHER. #}
{% macro reasons_json(count) -%}
    concat('"reasons":[', concat_ws(','
        {%- for place in range(1, 6) %},
        case {{ place }}
            {%- for number in range(1, count + 1) %}
            when rank_{{ number }} then text_{{ number }}
            {%- endfor %}
        end
        {%- endfor %},
        case
            when 6 in (rank_1{% for number in range(2, count + 1) %}, rank_{{ number }}{% endfor %})
                then concat('{"code":"OTHER","points":', {{ json_number(other_points(count)) }}, '}')
        end
    ), ']')
{%- endmacro %}


{% macro other_points(count) -%}
    {%- for number in range(1, count + 1) -%}
        case when rank_{{ number }} > 5 then points_{{ number }} else 0 end{{ ' + ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}


{# What was missing, as JSON values; null when nothing was. #}
{% macro missing_json(metric) -%}
    {%- set codes = [] -%}
    {%- for code, condition in (metric.missing or {}).items() -%}
        {%- do codes.append("case when " ~ condition ~ " then '\"" ~ code ~ "\"' end") -%}
    {%- endfor -%}
    {{ "nullif(concat_ws(',', " ~ codes | join(', ') ~ "), '')" if codes else 'null' }}
{%- endmacro %}


{# value_json in front of the reasons. #}
{% macro json_head(metric) -%}
    {%- set prefix = metric.prefix -%}
    {%- set parts = [
        "concat('\"v\":1,\"status\":\"', case when " ~ missing_json(metric)
            ~ " is null then 'ok' else 'partial' end, '\"')",
        "'\"kind\":\"" ~ metric.kind ~ "\"'",
    ] -%}
    {%- if metric.kind == 'factors' -%}
        {%- do parts.append(json_number_pair('product', prefix ~ '_total')) -%}
        {%- do parts.append("'\"link\":\"" ~ metric.link ~ "\"'") -%}
        {%- if metric.scale -%}{%- do parts.append(json_number_pair('scale', prefix ~ '_scale')) -%}{%- endif -%}
    {%- else -%}
        {%- do parts.append(json_number_pair('base', prefix ~ '_base')) -%}
    {%- endif -%}
    concat_ws(',', {{ parts | join(', ') }})
{%- endmacro %}


{# value_json behind the reasons; null when there is nothing. #}
{% macro json_tail(metric) -%}
    {%- set parts = [] -%}
    {%- if metric.ref_n -%}
        {%- do parts.append(
            "concat('\"ref\":{\"as_of\":\"', week_start_date, '\",\"n\":', " ~ json_number(metric.ref_n) ~ ", '}')"
        ) -%}
    {%- endif -%}
    {%- if metric.missing -%}
        {%- do parts.append("concat('\"missing\":[', " ~ missing_json(metric) ~ ", ']')") -%}
    {%- endif -%}
    {%- do parts.extend(metric.extras or []) -%}
    {%- set pairs = parts | join(', ') | replace('{total}', metric.prefix ~ '_total') -%}
    {{ "nullif(concat_ws(',', " ~ pairs ~ "), '')" if parts else 'null' }}
{%- endmacro %}
