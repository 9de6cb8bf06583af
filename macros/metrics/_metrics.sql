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
    limit 18446744073709551615
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


{# Step 5: the place of each reason by the size of its points, ties in the order of the metric. #}
{% macro rank_columns(metric) -%}
    {%- set slots = reason_slots(metric) -%}
    {%- for slot in slots -%}
        {%- set slot_number = loop.index -%}
        {%- set larger = [] -%}
        {%- for other in slots if other != slot -%}
            {%- set sign = '>=' if slots.index(other) < slot_number - 1 else '>' -%}
            {%- do larger.append('coalesce(abs(' ~ other ~ ') ' ~ sign ~ ' abs(' ~ slot ~ '), 0)') -%}
        {%- endfor -%}
        case when {{ slot }} is not null then 1 {{ '+ ' if larger }}{{ larger | join(' + ') }} end as {{ slot }}_rank
        {{- ',\n        ' if not loop.last -}}
    {%- endfor -%}
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


{# The reasons of a metric: factors as they multiply; points by size, five of them, the rest as OTHER. #}
{% macro reasons_json(metric) -%}
    {%- set slots = reason_slots(metric) -%}
    {%- set texts = [] -%}
    {%- for slot in slots -%}
        {%- if loop.index <= metric.reasons | length -%}
            {%- do texts.append(reason_json(metric.reasons[loop.index0], slot)) -%}
        {%- elif slot.endswith('_cap') -%}
            {%- do texts.append(reason_json({'code': metric.cap.code}, slot)) -%}
        {%- else -%}
            {%- do texts.append(reason_json({'code': 'CLAMP'}, slot)) -%}
        {%- endif -%}
    {%- endfor -%}
    concat('"reasons":[', concat_ws(','
    {%- if metric.kind == 'factors' -%}
        {%- for slot in slots %},
        case when {{ slot }} is not null then {{ texts[loop.index0] }} end
        {%- endfor -%}
    {%- else -%}
        {%- for place in range(1, [5, slots | length] | min + 1) %},
        case {{ place }}
            {%- for slot in slots %}
            when {{ slot }}_rank then {{ texts[loop.index0] }}
            {%- endfor %}
        end
        {%- endfor -%}
        {%- if slots | length > 5 %},
        case
            when 6 in ({{ slots | join('_rank, ') }}_rank)
                then concat('{"code":"OTHER","points":', {{ json_number(other_points(slots)) }}, '}')
        end
        {%- endif -%}
    {%- endif -%}
    ), ']')
{%- endmacro %}


{% macro other_points(slots) -%}
    {%- for slot in slots -%}
        case when {{ slot }}_rank > 5 then {{ slot }} else 0 end{{ ' + ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}


{# value_json of a metric. #}
{% macro value_json(metric) -%}
    {%- set prefix = metric.prefix -%}
    {%- set missing = [] -%}
    {%- for code, condition in (metric.missing or {}).items() -%}
        {%- do missing.append("case when " ~ condition ~ " then '\"" ~ code ~ "\"' end") -%}
    {%- endfor -%}
    {%- set missing_json = "nullif(concat_ws(',', " ~ missing | join(', ') ~ "), '')" if missing else 'null' -%}
    {%- set parts = [
        "'\"v\":1'",
        "concat('\"status\":\"', case when " ~ missing_json ~ " is null then 'ok' else 'partial' end, '\"')",
        "'\"kind\":\"" ~ metric.kind ~ "\"'",
    ] -%}
    {%- if metric.kind == 'factors' -%}
        {%- do parts.append(json_number_pair('product', prefix ~ '_total')) -%}
        {%- do parts.append("'\"link\":\"" ~ metric.link ~ "\"'") -%}
        {%- if metric.scale -%}{%- do parts.append(json_number_pair('scale', prefix ~ '_scale')) -%}{%- endif -%}
    {%- else -%}
        {%- do parts.append(json_number_pair('base', prefix ~ '_base')) -%}
    {%- endif -%}
    {%- do parts.append(reasons_json(metric)) -%}
    {%- if metric.ref_n -%}
        {%- do parts.append(
            "concat('\"ref\":{\"as_of\":\"', week_start_date, '\",\"n\":', " ~ json_number(metric.ref_n) ~ ", '}')"
        ) -%}
    {%- endif -%}
    {%- if missing -%}
        {%- do parts.append("concat('\"missing\":[', " ~ missing_json ~ ", ']')") -%}
    {%- endif -%}
    {%- do parts.extend(metric.extras or []) -%}
    case
        when {{ prefix }}_gate = 'NO_DATA' then '{"v":1,"status":"no_data"}'
        when {{ prefix }}_gate is not null
            then concat('{"v":1,"status":"gated","gate":"', {{ prefix }}_gate, '"}')
        else {{ json_object(parts) | replace('{total}', prefix ~ '_total') }}
    end
{%- endmacro %}
