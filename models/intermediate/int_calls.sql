{{ config(
    materialized='incremental',
    feed={'kind': 'int_calls'},
    unique_key=['history_id'],
    keys=[
        'primary key (history_id)',
        'key idx_int_calls_contact_start (contact_key, start_epoch)',
        'key idx_int_calls_change (change_id)',
        'key idx_int_calls_entered (entered_at)',
        'key idx_int_calls_name (operator_name_key, has_known_operator)',
    ],
    needs_caller_salt=true,
    hash_joins=true,
    changes_in_full_pass=false,
    counts_read='call_history',
    parent='stg_call_history',
    follows_names=true,
) }}

with

calls as (

    select * from {{ ref('stg_call_history') }}
    where {{ in_batch() }}

),

parties as (

    select * from {{ ref('stg_call_parties') }}
    where {{ in_batch() }}

),

reviews as (

    select
        *,
        -- A call may be reviewed again weeks later: the newest review counts,
        -- and the id decides between two of the same second.
        row_number() over (
            partition by history_id
            order by reviewed_at desc, call_score_id desc
        ) as review_rank,
        count(*) over (partition by history_id) as review_count

    from {{ ref('stg_call_scores') }}
    where {{ in_batch() }}

),

-- What the label maps tell of a class: the same in all of its lines (assert_classes_agree).
outcomes as (

    select
        outcome,
        max(talk_class) as talk_class,
        max(is_service_call) as is_service_call,
        max(wants_booking) as wants_booking

    from {{ ref('call_outcomes') }}

    group by outcome

),

categories as (

    select
        call_category,
        max(is_excluded) as is_excluded,
        max(talk_class) as talk_class,
        max(is_service_call) as is_service_call,
        max(wants_booking) as wants_booking

    from {{ ref('call_categories') }}

    group by call_category

),

refusals as (

    select
        refusal_code,
        max(is_objective) as is_objective

    from {{ ref('refusal_reasons') }}

    group by refusal_code

),

-- One row a call, its own facts beside its latest review; the review fills what the call lacks.
joined as (

    select
        calls.history_id,
        reviews.call_score_id,
        coalesce(reviews.review_count, 0) as review_count,
        coalesce(calls.start_local, reviews.start_local) as call_started_at,
        coalesce(calls.source_created_at, calls.start_local, reviews.start_local) as entered_at,
        coalesce(calls.direction, reviews.direction, 'unknown') as direction,
        case when calls.direction <> reviews.direction then 1 else 0 end as has_direction_conflict,
        calls.has_start_conflict,
        {%- if var('timezone') %}
        case when calls.start_local is null then 0 else calls.second_pass_sec end as second_pass_sec,
        {%- endif %}
        calls.await_sec,
        coalesce(calls.talk_sec, reviews.talk_sec) as talk_sec,
        calls.duration_sec,
        calls.pbx_status,
        calls.answered_user_id,
        calls.answered_extension,
        coalesce(calls.source_channel, reviews.source_channel, 'unknown') as source_channel,
        parties.caller_digits,
        parties.called_digits,
        coalesce(parties.caller_info, review_parties.caller_info) as caller_info,
        coalesce(parties.called_info, review_parties.called_info) as called_info,
        calls.is_answered_by_number,
        greatest(
            coalesce(parties.caller_is_private, 0), coalesce(review_parties.caller_is_private, 0)
        ) as caller_is_private,
        greatest(
            coalesce(parties.called_is_private, 0), coalesce(review_parties.called_is_private, 0)
        ) as called_is_private,
        calls.refused_fields,
        reviews.refused_fields as refused_review_fields,
        reviews.reviewed_at,
        coalesce(reviews.outcome, 'none') as outcome,
        coalesce(reviews.call_category, 'none') as call_category,
        coalesce(reviews.is_target, 0) as is_target,
        reviews.call_score_raw,
        reviews.refusal_code,
        reviews.checklist,
        reviews.checklist_items,
        reviews.call_type,
        reviews.service_id,
        -- One name a service, by stg_call_scores.
        coalesce(reviews.service_name, 'unknown') as service_name,
        coalesce(reviews.service_group, 'unknown') as service_group,
        reviews.service_ticket,
        coalesce(reviews.service_recurrence, 'unknown') as service_recurrence,
        reviews.unknown_labels

    from calls

    inner join parties
        on calls.history_id = parties.history_id

    left join reviews
        on calls.history_id = reviews.history_id
        and reviews.review_rank = 1

    left join {{ ref('stg_review_parties') }} as review_parties
        on reviews.call_score_id = review_parties.call_score_id

),

classed as (

    select
        joined.*,
        case when joined.talk_sec > 0 then 1 else 0 end as is_answered,
        case when joined.call_score_id is null then 0 else 1 end as is_reviewed,
        case joined.direction
            when 'in' then joined.caller_digits
            when 'out' then joined.called_digits
        end as outside_digits,
        -- The other side's name may be a patient's: it is not carried on.
        case joined.direction
            when 'in' then joined.called_info
            when 'out' then joined.caller_info
        end as operator_label,
        case joined.direction
            when 'in' then greatest(joined.is_answered_by_number, joined.called_is_private)
            when 'out' then greatest(joined.is_answered_by_number, joined.caller_is_private)
            else 0
        end as is_operator_private,
        case
            when joined.is_target = 1
                and (
                    joined.outcome = 'record'
                    or (joined.outcome = 'none' and joined.call_category = 'booking')
                ) then 1
            else 0
        end as is_booked,
        coalesce(categories.is_excluded, 0) as is_excluded_category,
        -- The outcome tells more of a talk than the category.
        coalesce(outcomes.talk_class, categories.talk_class, 'all') as talk_class,
        greatest(
            coalesce(outcomes.is_service_call, 0), coalesce(categories.is_service_call, 0)
        ) as is_service_call,
        coalesce(refusals.is_objective, 0) as is_objective_refusal,
        case
            when joined.is_target = 1
                and (outcomes.wants_booking = 1 or categories.wants_booking = 1) then 1
            else 0
        end as wants_booking

    from joined

    left join outcomes
        on joined.outcome = outcomes.outcome

    left join categories
        on joined.call_category = categories.call_category

    left join refusals
        on joined.refusal_code = refusals.refusal_code

),

keyed as (

    select
        classed.*,
        {{ name_key(label_text('classed.operator_label', 128)) }} as operator_name_key,
        case
            when length(classed.outside_digits) >= {{ var('lm_min_number_digits') }}
                then {{ keyed_hash('classed.outside_digits') }}
        end as caller_key

    from classed

),

-- A name that may be a caller's goes no further than this.
named as (

    select
        keyed.*,
        coalesce(names.is_operator, 0) as has_known_operator,
        case when names.is_operator = 1 then keyed.operator_label end as known_operator

    from keyed

    left join {{ ref('int_operators') }} as names
        on keyed.operator_name_key = names.name_key

)

select
    history_id,
    call_score_id,
    review_count,
    coalesce(caller_key, concat('#', history_id)) as contact_key,
    caller_key,
    call_started_at,
    {{ contact_epoch('call_started_at', 'second_pass_sec') }} as start_epoch,
    cast(call_started_at as date) as call_date,
    hour(call_started_at) as call_hour,
    weekday(call_started_at) + 1 as call_weekday,
    {{ week_start('cast(call_started_at as date)') }} as week_start_date,
    entered_at,
    direction,
    is_answered,
    await_sec,
    talk_sec,
    duration_sec,
    case
        when duration_sec > 0 and duration_sec >= coalesce(talk_sec, 0) then duration_sec
        else await_sec + coalesce(talk_sec, 0)
    end as total_sec,
    case
        when direction = 'in' and is_answered = 0 and await_sec < {{ var('lm_short_abandon_sec') }}
            then 1
        else 0
    end as is_short_abandon,
    pbx_status,
    coalesce(
        answered_user_id, answered_extension, {{ label_text('known_operator', 128) }}, 'unknown'
    ) as operator_key,
    case
        when known_operator is null then 'unknown'
        else {{ person_name('known_operator') }}
    end as operator_name,
    operator_name_key,
    has_known_operator,
    case
        when known_operator is null
            and (is_operator_private = 1 or operator_label is not null) then 1
        else 0
    end as has_refused_operator,
    source_channel,
    service_id,
    service_name,
    service_group,
    service_ticket,
    service_recurrence,
    is_reviewed,
    reviewed_at,
    cast(reviewed_at as date) as review_date,
    call_category,
    outcome,
    is_target,
    call_score_raw,
    refusal_code,
    checklist,
    checklist_items,
    call_type,
    is_booked,
    wants_booking,
    talk_class,
    is_service_call,
    is_excluded_category,
    is_objective_refusal,
    case
        when direction in ('in', 'out') and is_answered = 1 and is_reviewed = 1
            and is_excluded_category = 0
            and talk_sec >= {{ rule_param('dialogue_min_talk_sec') }} then 1
        else 0
    end as is_valid_dialogue,
    case
        when (call_type = 'missed' and is_answered = 1)
            or (call_type = 'accepted' and is_answered = 0) then 1
        else 0
    end as has_type_conflict,
    case
        when is_target = 0
            and (outcome = 'record' or (outcome = 'none' and call_category = 'booking')) then 1
        else 0
    end as has_target_conflict,
    case
        when outcome = 'record' and call_category not in ('booking', 'undefined', 'other', 'none')
            then 1
        when outcome not in ('record', 'other', 'none') and call_category = 'booking' then 1
        else 0
    end as has_outcome_conflict,
    has_direction_conflict,
    has_start_conflict,
    unknown_labels,
    nullif(concat_ws(',', refused_fields, refused_review_fields), '') as refused_fields

from named
