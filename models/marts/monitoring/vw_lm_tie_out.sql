{%- set tables = {
    'source': ['calls', 'talks', 'bookings'],
    'fct': ['calls', 'talks', 'bookings'],
    'facts': ['calls', 'talks', 'bookings'],
    'stats': ['calls'],
} %}
{%- set review_moment = "coalesce(reviews.reviewed_at, cast('1000-01-01' as datetime))" %}
{%- set is_talk = "direction in ('in', 'out') and talk_sec > 0" %}

with

-- What the last run could know: calls and reviews that came later are the next run's.
known as (

    select
        (select max(history_id) from {{ ref('int_calls') }}) as newest_call,
        (select max(call_score_id) from {{ ref('lm_value') }}) as newest_review

),

-- The latest review, found and read otherwise than the marts do it: that is the point.
latest_moments as (

    select
        reviews.history_id,
        max({{ review_moment }}) as review_moment

    from {{ ref('stg_review_keys') }} as reviews

    inner join known
        on reviews.call_score_id <= known.newest_review

    group by reviews.history_id

    {{ kept_apart() }}

),

latest_reviews as (

    select
        reviews.history_id,
        max(reviews.call_score_id) as call_score_id

    from latest_moments

    inner join {{ ref('stg_review_keys') }} as reviews
        on latest_moments.history_id = reviews.history_id
        and latest_moments.review_moment = {{ review_moment }}

    inner join known
        on reviews.call_score_id <= known.newest_review

    group by reviews.history_id

    {{ kept_apart() }}

),

-- Labels are read only where they matter: cleaning them is the dear part.
labelled as (

    select
        cast(coalesce(calls.start_local, reviews.start_local) as date) as stat_date,
        calls.direction,
        case when calls.direction is null then reviews.direction_label end as direction_label,
        coalesce(calls.talk_sec, reviews.talk_sec) as talk_sec,
        coalesce(reviews.is_target, 0) as is_target,
        case when reviews.is_target = 1 then reviews.outcome_label end as outcome_label,
        case
            when reviews.is_target = 1 and reviews.outcome_label is null
                then reviews.category_label
        end as category_label,
        reviews.number_category,
        case when calls.history_id > known.newest_call then 1 else 0 end as is_newer

    from {{ ref('stg_call_history') }} as calls

    cross join known

    left join latest_reviews
        on calls.history_id = latest_reviews.history_id

    left join {{ ref('stg_review_keys') }} as reviews
        on latest_reviews.call_score_id = reviews.call_score_id

    {{ kept_apart() }}

),

source_calls as (

    select
        labelled.stat_date,
        coalesce(labelled.direction, directions.direction) as direction,
        labelled.talk_sec,
        case
            when labelled.is_target = 0 then 0
            when outcomes.outcome = 'record' then 1
            when labelled.outcome_label is null
                and coalesce(categories.call_category, numbered.call_category) = 'booking' then 1
            else 0
        end as is_booked,
        labelled.is_newer

    from labelled

    left join {{ ref('call_outcomes') }} as outcomes
        on labelled.outcome_label = outcomes.label

    left join {{ ref('call_categories') }} as categories
        on labelled.category_label = categories.label

    left join {{ ref('call_categories') }} as numbered
        on labelled.number_category = numbered.number_category

    left join {{ ref('call_directions') }} as directions
        on labelled.direction_label = directions.label

),

-- Each expression has its name in every part: the server makes one of a nameless one's text, and
-- takes it back from a dump only up to 64 characters.
table_names as (

    select 'facts' as table_name

    union all

    select 'stats'

),

counted as (

    select
        stat_date,
        'source' as table_name,
        sum(1 - is_newer) as calls,
        sum({{ one_if('is_newer = 0 and ' ~ is_talk) }}) as talks,
        sum((1 - is_newer) * is_booked) as bookings,
        sum(is_newer) as newer_calls

    from source_calls

    group by stat_date

    union all

    select
        call_date as stat_date,
        'fct' as table_name,
        count(*) as calls,
        sum({{ one_if(is_talk) }}) as talks,
        sum(is_booked) as bookings,
        0 as newer_calls

    from {{ ref('fct_call') }}

    group by call_date

    union all

    select
        stat_date,
        'facts' as table_name,
        calls,
        talk_calls as talks,
        bookings,
        0 as newer_calls

    from {{ ref('lm_daily_facts') }}

    where dimension = 'all'

    union all

    -- Calls in quarantine are left out on purpose.
    select
        quarantined.call_date as stat_date,
        table_names.table_name,
        count(*) as calls,
        sum({{ one_if(is_talk) }}) as talks,
        sum(quarantined.is_booked) as bookings,
        0 as newer_calls

    from {{ ref('fct_call') }} as quarantined

    cross join table_names

    where exists (
            select 1 from {{ source('row_tests', 'lm_quarantine') }} as quarantine
            where quarantined.history_id = quarantine.history_id
        )

    group by quarantined.call_date, table_names.table_name

    union all

    -- Every rule metric has a row for each call: the poorest one tells what is missing.
    select
        stat_date,
        'stats' as table_name,
        min(calls) as calls,
        null as talks,
        null as bookings,
        0 as newer_calls

    from {{ ref('lm_daily_stats') }}

    where dimension = 'all' and metric_group <> 'forecast'

    group by stat_date

),

side_by_side as (

    select
        stat_date,
        {%- for table_name, measures in tables.items() %}
        {%- for measure in measures %}
        coalesce(
            sum(case when table_name = '{{ table_name }}' then {{ measure }} end), 0
        ) as {{ table_name }}_{{ measure }},
        {%- endfor %}
        {%- endfor %}
        sum(newer_calls) as newer_calls

    from counted

    group by stat_date

),

-- A call without a start belongs to no day: the statistics by day leave it out on purpose.
compared as (

    select
        stat_date,
        source_calls,
        fct_calls,
        case when stat_date is not null then facts_calls end as facts_calls,
        case when stat_date is not null then stats_calls end as stats_calls,
        source_talks,
        fct_talks,
        case when stat_date is not null then facts_talks end as facts_talks,
        source_bookings,
        fct_bookings,
        case when stat_date is not null then facts_bookings end as facts_bookings,
        newer_calls

    from side_by_side

)

select
    *,
    greatest(
        source_calls, fct_calls, coalesce(facts_calls, fct_calls), coalesce(stats_calls, fct_calls)
    ) - least(
        source_calls, fct_calls, coalesce(facts_calls, fct_calls), coalesce(stats_calls, fct_calls)
    ) as calls_difference,
    greatest(source_talks, fct_talks, coalesce(facts_talks, fct_talks))
    - least(source_talks, fct_talks, coalesce(facts_talks, fct_talks)) as talks_difference,
    greatest(source_bookings, fct_bookings, coalesce(facts_bookings, fct_bookings))
    - least(source_bookings, fct_bookings, coalesce(facts_bookings, fct_bookings))
        as bookings_difference

from compared
