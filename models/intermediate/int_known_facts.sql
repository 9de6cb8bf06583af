{{ config(
    materialized='incremental',
    feed={
        'kind': 'by_new_date', 'column': 'as_of_date', 'of': 'int_week_facts', 'date': 'week_start_date',
        'until_now': true,
    },
    unique_key=['as_of_date', 'fact', 'key_1', 'key_2', 'key_3'],
    changes_in_full_pass=false,
    keys=['primary key (as_of_date, fact, key_1, key_2, key_3)'],
    replaces_batches=true,
    counts_changes=false,
) }}

with

params as (

    select * from {{ ref('int_rule_params') }}
    where profile_code = 'default_v1'

),

weeks as (

    select as_of_date
    from (
        select distinct week_start_date as as_of_date from {{ ref('int_week_facts') }}
    ) as known_weeks
    where {{ in_batch() }}

    {{ kept_apart() }}

),

-- What was known on that Monday, weeks old. The longest look goes two windows back.
dated_facts as (

    select
        weeks.as_of_date,
        datediff(weeks.as_of_date, facts.week_start_date) / 7 as age_weeks,
        facts.fact,
        facts.key_1,
        facts.key_2,
        facts.key_3,
        facts.n,
        facts.hits,
        facts.sum_1,
        facts.sum_2

    from weeks

    cross join params

    inner join {{ ref('int_week_facts') }} as facts
        on weeks.as_of_date > facts.week_start_date
        and facts.week_start_date >= date_sub(
            weeks.as_of_date,
            interval cast(7 * params.window_weeks + params.cross_sell_days + 7 as signed) day
        )
        and weeks.as_of_date > facts.known_week

    {{ kept_apart() }}

),

delay_counts as (

    select
        dated_facts.as_of_date,
        cast(dated_facts.key_1 as signed) as days,
        sum(dated_facts.n) as n

    from dated_facts

    cross join params

    where dated_facts.fact = 'review_delay' and dated_facts.age_weeks <= params.window_weeks

    group by dated_facts.as_of_date, dated_facts.key_1

),

delays_up_to as (

    select
        as_of_date,
        days,
        sum(n) over (
            partition by as_of_date order by days
            rows between unbounded preceding and current row
        ) as n_up_to,
        sum(n) over (partition by as_of_date) as n

    from delay_counts

),

-- The smallest number of days within which nine of ten reviews are made.
delays as (

    select
        as_of_date,
        max(n) as n,
        min(case when n_up_to >= 0.9 * n then days end) as days

    from delays_up_to

    group by as_of_date

),

review_lags as (

    select
        weeks.as_of_date,
        coalesce(delays.n, 0) as n,
        case
            when coalesce(delays.n, 0) < 20 then params.default_review_lag_days
            else least(params.max_review_lag_days, delays.days)
        end as lag_days

    from weeks

    cross join params

    left join delays
        on weeks.as_of_date = delays.as_of_date

    {{ kept_apart() }}

),

-- Facts inside their windows. An outcome that takes days to show counts only from weeks old enough,
-- the time that reviews take included.
facts as (

    select
        dated_facts.as_of_date,
        dated_facts.fact,
        dated_facts.key_1,
        dated_facts.key_2,
        dated_facts.key_3,
        sum(dated_facts.n) as n,
        sum(dated_facts.hits) as hits,
        sum(dated_facts.sum_1) * 1e0 as sum_1,
        sum(dated_facts.sum_2) * 1e0 as sum_2

    from dated_facts

    cross join params

    inner join review_lags
        on dated_facts.as_of_date = review_lags.as_of_date

    where
        case dated_facts.fact
            when 'hour_load' then dated_facts.age_weeks <= params.load_weeks
            when 'late_booking'
                then dated_facts.age_weeks <= params.window_weeks
                and 7 * (dated_facts.age_weeks - 1)
                >= params.late_booking_days + review_lags.lag_days
            when 'call_again'
                then dated_facts.age_weeks <= params.window_weeks
                and 7 * (dated_facts.age_weeks - 1) >= params.contact_hours / 24
            when 'cross_sell' then 7 * (dated_facts.age_weeks - 1) >= params.cross_sell_days
            else dated_facts.age_weeks <= params.window_weeks
        end

    group by
        dated_facts.as_of_date, dated_facts.fact,
        dated_facts.key_1, dated_facts.key_2, dated_facts.key_3

    union all

    select as_of_date, 'review_lag', '', '', '', n, 0, lag_days, 0
    from review_lags

    union all

    -- Weeks that had calls: a single call of a wild date makes no history.
    select
        dated_facts.as_of_date, 'history_weeks', '', '', '', 0, 0,
        count(distinct dated_facts.age_weeks), 0
    from dated_facts
    cross join params
    where dated_facts.fact = 'hour_load' and dated_facts.age_weeks <= params.load_weeks
    group by dated_facts.as_of_date

)

select
    as_of_date,
    cast(fact as char(32)) as fact,
    key_1,
    key_2,
    key_3,
    n,
    hits,
    coalesce(sum_1, 0) as sum_1,
    coalesce(sum_2, 0) as sum_2

from facts
