{% macro rule_metrics() %}
    {% do return({
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
    }) %}
{% endmacro %}


{% macro three_levels(family) -%}
    case
        when {value} < params.{{ family }}_medium_from then 'low'
        when {value} < params.{{ family }}_high_from then 'medium'
        else 'high'
    end
{%- endmacro %}


{% macro kept_apart() -%}
    limit 9223372036854775807
{%- endmacro %}


{# A metric's rows of lm_value, as one statement whose steps can be looked at one by one:
   points (the gate, and what each reason gives, by its name), totalled, valued (the value, the clamp, each reason
   as JSON), the reasons by their size, and the row. #}
{% macro metric_rows(code) %}
{%- set metric = rule_metrics()[code] -%}
{%- set reasons = named_reasons(metric) -%}
{%- set is_sorted = metric.kind != 'factors' and metric.is_sorted | default(true) -%}
with

-- {{ code }}: the gate that keeps the call out, and the points of each reason that holds.
points as (
    select
        inputs.history_id,
        {{ metric_gate(metric) }} as gate,
        {% if metric.kind == 'factors' -%}
        {{ metric.scale | default('1', true) }} as scale
        {%- else -%}
        cast({{ metric.base }} as decimal(16, 4)) as base
        {%- endif -%}
        {%- if metric.cap %},
        {{ metric.cap.limit }} as cap_limit
        {%- endif -%}
        {%- if metric.missing %},
        {{ missing_json(metric) }} as missing
        {%- endif -%}
        {%- for reason in metric.reasons %},
        {{ reason_columns(reason) }}
        {%- endfor %}
    from {{ ref('int_metric_inputs') }} as inputs
    inner join {{ ref('int_rule_params') }} as params on inputs.calc_profile = params.profile_code
    {%- for alias, family in (metric.families or {}).items() %}
    {{ join_param(alias, family[0], family[1], 'inputs.calc_profile') }}
    {%- endfor %}
    where {{ in_batch() }} {{ kept_apart() }}
),

totalled as (
    select
        points.*,
        {{ metric_total(metric) }} as total
    from points
),
{% if metric.cap %}
capped as (
    select
        totalled.*,
        case when coalesce({{ blaming_reasons(metric) }}) is null and total > cap_limit
            then cast(cap_limit - total as decimal(16, 4)) end as {{ metric.cap.code | lower }}
    from totalled
),
{% endif %}
valued as (
    select
        {{ 'capped' if metric.cap else 'totalled' }}.*,
        cast(case when gate is null then {{ metric_value(metric) }} end as decimal(10, 4)) as value
        {%- if metric.clamp %},
        {{ clamp_points(metric) }} as clamp
        {%- endif %}
    from {{ 'capped' if metric.cap else 'totalled' }} {{ kept_apart() }}
)
{%- if is_sorted -%}
,

reasons as (
    select
        history_id, place,
        {{ by_place(reasons, 'code') }} as code,
        {{ by_place(reasons, 'points') }} as points,
        cast({{ by_place(reasons, 'value') }} as decimal(16, 4)) as value,
        cast({{ by_place(reasons, 'ref') }} as decimal(16, 4)) as ref
    from valued
    cross join ({{ numbers_to(reasons | length) }}) as places
    where gate is null
),

-- The largest first; of equal ones the first that is listed.
ranked as (
    select
        reasons.*,
        row_number() over (partition by history_id order by abs(points) desc, place) as size_rank
    from reasons
    where points is not null
),

-- Five are told, the others as one.
told as (
    select
        history_id,
        group_concat(case when size_rank <= 5 then concat(
            {{ reason_json("code", "points", "value", "ref") }}
        ) end order by size_rank separator ',') as texts,
        sum(case when size_rank > 5 then points end) as other_points
    from ranked
    group by history_id
)
{%- endif %}

select
    valued.history_id, inputs.call_score_id,
    cast('{{ code }}' as char(64)) as metric_code, cast('{{ metric.group }}' as char(32)) as metric_group,
    valued.value as value_numeric,
    cast(case when valued.gate is null then
        {{ metric.label | replace('{value}', 'valued.value') }}
    end as char(255)) as value_label,
    case
        when valued.gate = 'NO_DATA' then '{"v":1,"status":"no_data"}'
        when valued.gate is not null then concat('{"v":1,"status":"gated","gate":"', valued.gate, '"}')
        else concat('{', concat_ws(',',
            {{ json_head(metric) }},
            concat('"reasons":[', concat_ws(',',
                {{ told_reasons(reasons, is_sorted) }}
            ), ']')
            {%- for part in json_tail(metric) %},
            {{ part }}
            {%- endfor %}
        ), '}')
    end as value_json,
    cast('{{ var("lm_version") }}' as char(32)) as lm_version,
    {% if metric.method -%}
    cast(case when valued.gate is not null then 'rule'
        else {{ metric.method }} end as char(32)) as calc_method,
    {%- else -%}
    cast('rule' as char(32)) as calc_method,
    {%- endif %}
    cast('{{ var("calc_source") }}' as char(64)) as calc_source
from valued
inner join {{ ref('int_metric_inputs') }} as inputs on valued.history_id = inputs.history_id
inner join {{ ref('int_rule_params') }} as params on inputs.calc_profile = params.profile_code
{%- if is_sorted %}
left join told on valued.history_id = told.history_id
{%- endif %}
{%- endmacro %}


{% macro rows_as(name, statement) -%}
    select * from (
    {{ statement }}
    ) as {{ name }}
{%- endmacro %}


{% macro aux_rows(code, label, document) %}
select
    inputs.history_id,
    inputs.call_score_id,
    cast('{{ code }}' as char(64)) as metric_code,
    cast('aux' as char(32)) as metric_group,
    cast(null as decimal(10, 4)) as value_numeric,
    cast({{ label }} as char(255)) as value_label,
    {{ document }} as value_json,
    cast('{{ var("lm_version") }}' as char(32)) as lm_version,
    cast('rule' as char(32)) as calc_method,
    cast('{{ var("calc_source") }}' as char(64)) as calc_source
from {{ ref('int_metric_inputs') }} as inputs
inner join {{ ref('int_rule_params') }} as params on inputs.calc_profile = params.profile_code
where {{ in_batch() }}
{%- endmacro %}


{% macro named_reasons(metric) %}
    {% set reasons = [] %}
    {% for reason in metric.reasons %}
        {% do reasons.append(dict(reason, name=reason.name or reason.code | lower)) %}
    {% endfor %}
    {% if metric.cap %}{% do reasons.append({'code': metric.cap.code, 'name': metric.cap.code | lower}) %}{% endif %}
    {% if metric.clamp %}{% do reasons.append({'code': 'CLAMP', 'name': 'clamp'}) %}{% endif %}
    {% do return(reasons) %}
{% endmacro %}


{% macro metric_gate(metric) -%}
    {%- if metric.no_data -%}
    coalesce({{ first_gate(metric.gates) }}, case when {{ metric.no_data }} then 'NO_DATA' end)
    {%- else -%}
    {{ first_gate(metric.gates) }}
    {%- endif -%}
{%- endmacro %}


{% macro reason_columns(reason) -%}
    {%- set name = reason.name or reason.code | lower -%}
    {%- set points = 'cast(' ~ reason.points ~ ' as decimal(16, 4))' -%}
    {%- if reason.when -%}
        {%- set break = '\n            ' if (reason.when ~ points) | length > 110 else ' ' -%}
        {%- set points = 'case when ' ~ reason.when ~ break ~ 'then ' ~ points ~ ' end' -%}
    {%- endif -%}
    {{ points }} as {{ name }}
    {%- if reason.code_sql %},
        {{ reason.code_sql }} as {{ name }}_code
    {%- endif -%}
    {%- if reason.value %},
        {{ reason.value }} as {{ name }}_value
        {%- if reason.ref %}, {{ reason.ref }} as {{ name }}_ref{% endif -%}
    {%- elif reason.ref %},
        {{ reason.ref }} as {{ name }}_ref
    {%- endif -%}
{%- endmacro %}


{% macro metric_total(metric) -%}
    {%- set none_of_it = '1' if metric.kind == 'factors' else '0' -%}
    {%- set terms = [] -%}
    {%- for reason in metric.reasons -%}
        {%- do terms.append('coalesce(' ~ (reason.name or reason.code | lower) ~ ', ' ~ none_of_it ~ ')') -%}
    {%- endfor -%}
    {%- if metric.kind == 'factors' -%}
    {{ terms | join('\n        * 1e0 * ') }}
    {%- else -%}
    base
        {%- for line in terms | batch(4) %}
        + {{ line | join(' + ') }}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}


{% macro blaming_reasons(metric) -%}
    {%- set names = [] -%}
    {%- for reason in metric.reasons if reason.blames -%}
        {%- do names.append(reason.name or reason.code | lower) -%}
    {%- endfor -%}
    {{ names | join(', ') }}
{%- endmacro %}


{% macro capped_total(metric) -%}
    {{ 'total + coalesce(' ~ metric.cap.code | lower ~ ', 0)' if metric.cap else 'total' }}
{%- endmacro %}


{% macro metric_value(metric) -%}
    {%- if metric.link == 'saturation' -%}
    100 * (1 - exp(-total / scale))
    {%- elif metric.link == 'ratio' -%}
    100 * total / (total + scale)
    {%- elif metric.clamp -%}
    least(100, greatest(0, {{ capped_total(metric) }}))
    {%- else -%}
    {{ capped_total(metric) }}
    {%- endif -%}
{%- endmacro %}


{% macro clamp_points(metric) -%}
    {%- set total = capped_total(metric) -%}
    cast(case
            when {{ total }} > 100 then 100 - ({{ total }})
            when {{ total }} < 0 then 0 - ({{ total }})
        end as decimal(16, 4))
{%- endmacro %}


{% macro numbers_to(last) -%}
    select 1 as place{% for number in range(2, last + 1) %}
        {{- '\n        ' if number % 6 == 1 else ' ' }}union all select {{ number }}{% endfor %}
{%- endmacro %}


{% macro by_place(reasons, part) -%}
    {%- set cases = [] -%}
    {%- for reason in reasons -%}
        {%- set name = reason.name -%}
        {%- if part == 'points' -%}
            {%- do cases.append('when ' ~ loop.index ~ ' then ' ~ name) -%}
        {%- elif part == 'code' and not reason.code_sql -%}
            {%- do cases.append('when ' ~ loop.index ~ " then '" ~ reason.code ~ "'") -%}
        {%- elif part == 'code' or reason[part] -%}
            {%- do cases.append('when ' ~ loop.index ~ ' then ' ~ name ~ '_' ~ part) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if not cases -%}
    null
    {%- elif cases | join(' ') | length <= 120 -%}
    case place {{ cases | join(' ') }} end
    {%- else -%}
    case place
            {%- for line in cases | batch(4) %}
            {{ line | join(' ') }}
            {%- endfor %}
        end
    {%- endif -%}
{%- endmacro %}


{% macro reason_json(code, points, value, ref) -%}
    '{"code":"', {{ code }}, '","points":', {{ json_decimal(points) }}
    {%- if value %},
            coalesce(concat(',"value":', {{ json_decimal(value) }}), '')
    {%- endif %}
    {%- if ref %},
            coalesce(concat(',"ref":', {{ json_decimal(ref) }}), '')
    {%- endif %}, '}'
{%- endmacro %}


{% macro told_reasons(reasons, is_sorted) -%}
    {%- if is_sorted -%}
    told.texts,
                concat('{"code":"OTHER","points":', {{ json_decimal('told.other_points') }}, '}')
    {%- else -%}
        {%- for reason in reasons -%}
            {%- set name = 'valued.' ~ reason.name -%}
            concat(
            {{ reason_json(
                name ~ '_code' if reason.code_sql else "'" ~ reason.code ~ "'", name,
                'cast(' ~ name ~ '_value as decimal(16, 4))' if reason.value else none,
                'cast(' ~ name ~ '_ref as decimal(16, 4))' if reason.ref else none,
            ) }})
            {{- ',
                ' if not loop.last }}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}


{% macro missing_json(metric) -%}
    {%- set codes = [] -%}
    {%- for code, condition in (metric.missing or {}).items() -%}
        {%- do codes.append("case when " ~ condition ~ " then '\"" ~ code ~ "\"' end") -%}
    {%- endfor -%}
    {{ "nullif(concat_ws(',',\n            " ~ codes | join(',\n            ') ~ "), '')" }}
{%- endmacro %}


{% macro json_head(metric) -%}
    {%- if metric.missing -%}
    if(valued.missing is null, '"v":1,"status":"ok"', '"v":1,"status":"partial"'),
    {%- else -%}
    '"v":1,"status":"ok"',
    {%- endif %}
            {% if metric.kind == 'factors' -%}
            '"kind":"factors"', {{ json_number_pair('product', 'valued.total') }},
            '"link":"{{ metric.link }}"'
            {%- if metric.scale %},
            {{ json_number_pair('scale', 'valued.scale') }}
            {%- endif -%}
            {%- else -%}
            '"kind":"{{ metric.kind }}"', concat('"base":', {{ json_decimal('valued.base') }})
            {%- endif -%}
{%- endmacro %}


{% macro json_tail(metric) %}
    {% set parts = [] %}
    {% if metric.ref_n %}
        {% do parts.append("concat('\"ref\":{\"as_of\":\"', inputs.week_start_date, '\",\"n\":', "
            ~ metric.ref_n ~ ", '}')") %}
    {% endif %}
    {% if metric.missing %}
        {% do parts.append("concat('\"missing\":[', valued.missing, ']')") %}
    {% endif %}
    {% for extra in metric.extras or [] %}
        {% do parts.append(extra | replace('{total}', 'valued.total')) %}
    {% endfor %}
    {% do return(parts) %}
{% endmacro %}
