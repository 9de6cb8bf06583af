{%- set fields = quality_fields() %}
{%- set flags = {'contradiction': quality_contradictions(), 'refused': quality_refusals()} %}

with

checklists as (

    select distinct checklist from {{ ref('lm_checklist') }}

),

-- One pass over the calls; a condition on the day reaches the index of fct_call.
counted as (

    select
        calls.call_date as stat_date,
        {%- for name, field in fields.items() %}
        sum({{ one_if(field.base) }}) as {{ name }}_calls,
        {%- set filled = '(' ~ field.filled ~ (' or ' ~ field.unknown if field.unknown) ~ ')' %}
        sum({{ one_if(field.base ~ ' and ' ~ filled) }}) as {{ name }}_filled,
        {%- if field.unknown %}
        sum({{ one_if(field.base ~ ' and (' ~ field.unknown ~ ')') }}) as {{ name }}_unknown,
        {%- endif %}
        {%- endfor %}
        {%- for kind, checks in flags.items() %}
        {%- for name, check in checks.items() %}
        sum({{ one_if(check.base) }}) as {{ kind }}_{{ name }}_compared,
        sum({{ one_if(check.base ~ ' and ' ~ check.found) }}) as {{ kind }}_{{ name }}_flagged,
        {%- endfor %}
        {%- endfor %}
        sum(calls.is_reviewed) as reviewed_calls,
        sum({{ one_if('calls.review_count > 1') }}) as repeated_calls

    from {{ ref('fct_call') }} as calls

    left join checklists
        on calls.checklist = checklists.checklist

    group by calls.call_date

),

check_list as (

    {%- for name in fields %}
    select
        cast('field' as char(16)) as check_kind,
        cast('{{ name }}' as char(32)) as field
    union all
    {%- endfor %}
    {%- for kind, checks in flags.items() %}
    {%- for name in checks %}
    select '{{ kind }}', '{{ name }}'
    union all
    {%- endfor %}
    {%- endfor %}
    select 'repeated', 'review'

),

from_calls as (

    select
        counted.stat_date,
        check_list.check_kind,
        check_list.field,
        case
            {%- for name in fields %}
            when {{ is_check('field', name) }} then counted.{{ name }}_calls
            {%- endfor %}
            {%- for kind, checks in flags.items() %}
            {%- for name in checks %}
            when {{ is_check(kind, name) }} then counted.{{ kind }}_{{ name }}_compared
            {%- endfor %}
            {%- endfor %}
            else counted.reviewed_calls
        end as calls,
        case
            {%- for name in fields %}
            when {{ is_check('field', name) }} then counted.{{ name }}_filled
            {%- endfor %}
        end as filled,
        case
            {%- for name, field in fields.items() if field.unknown %}
            when {{ is_check('field', name) }} then counted.{{ name }}_unknown
            {%- endfor %}
        end as unknown,
        case
            {%- for kind, checks in flags.items() %}
            {%- for name in checks %}
            when {{ is_check(kind, name) }} then counted.{{ kind }}_{{ name }}_flagged
            {%- endfor %}
            {%- endfor %}
            when {{ is_check('repeated', 'review') }} then counted.repeated_calls
        end as flagged

    from counted

    cross join check_list

),

review_lags as (

    select
        call_date,
        timestampdiff(second, call_started_at, reviewed_at) / 86400e0 as lag_days,
        count(*) over (partition by call_date) as value_count,
        row_number() over (
            partition by call_date
            order by timestampdiff(second, call_started_at, reviewed_at)
        ) as value_rank

    from {{ ref('fct_call') }}

    where is_reviewed = 1 and call_date is not null

),

-- The index of history_id answers which reviews have no call; only those are then read.
orphans as (

    select
        reviews.call_score_id

    from {{ ref('stg_review_keys') }} as reviews

    left join {{ ref('stg_call_history') }} as calls
        on reviews.history_id = calls.history_id

    where calls.history_id is null

    {{ kept_apart() }}

)

select
    stat_date,
    check_kind,
    field,
    calls,
    filled,
    filled - unknown as mapped,
    unknown,
    filled / nullif(calls, 0) as filled_share,
    (filled - unknown) / nullif(calls, 0) as mapped_share,
    flagged,
    flagged / nullif(calls, 0) as flagged_share,
    cast(null as decimal(16, 6)) as value_avg,
    cast(null as decimal(16, 6)) as value_p90

from from_calls

union all

select
    call_date,
    'lag',
    'review',
    count(*),
    null,
    null,
    null,
    null,
    null,
    null,
    null,
    avg(lag_days),
    {{ percentile('lag_days', 0.9) }}

from review_lags

group by call_date

union all

select
    cast(coalesce(reviews.start_local, reviews.reviewed_at) as date),
    'orphan',
    'review',
    null,
    null,
    null,
    null,
    null,
    null,
    count(*),
    null,
    null,
    null

from orphans

inner join {{ ref('stg_review_keys') }} as reviews
    on orphans.call_score_id = reviews.call_score_id

group by cast(coalesce(reviews.start_local, reviews.reviewed_at) as date)
