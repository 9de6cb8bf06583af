{%- set source_table = source('operabot', 'call_scores') -%}
{%- set available = source_column_names(source_table) -%}
{%- set start = optional_column(available, 'call_date') -%}
{%- set talk = optional_column(available, 'talk_duration') -%}
{%- set items = optional_column(available, 'number_checklist') -%}
{%- set checklist = optional_column(available, 'category_checklist') -%}
{%- set service_id = optional_column(available, 'requested_service_id') -%}
{%- set service = optional_column(available, 'requested_service_name') -%}
{%- set source_channel = optional_column(available, 'utm_source_by_number') -%}
{{- require_source_columns(source_table, available, [
    'id', 'history_id', 'call_score', 'score_date', 'call_category', 'is_target', 'outcome',
]) -}}

with

outcomes as (

    select * from {{ ref('call_outcomes') }}

),

categories as (

    select * from {{ ref('call_categories') }}

),

call_types as (

    select * from {{ ref('call_types') }}

),

directions as (

    select * from {{ ref('call_directions') }}

),

refusal_reasons as (

    select * from {{ ref('refusal_reasons') }}

),

-- As labels, once a service and not once a review and service.
services as (

    select
        lm_services.*,
        {{ label_text('service_name') }} as service_label,
        {{ display_text('service_name') }} as shown_name,
        {{ label_text('doctor_speciality') }} as speciality_label,
        min(lm_services.service_id) over (partition by lm_services.doctor_speciality)
            as first_of_speciality

    from {{ ref('lm_services') }} as lm_services

    {{ kept_apart() }}

),

labelled as (

    select
        id as call_score_id,
        history_id,
        {{ plausible_time('score_date') }} as reviewed_at,
        {{ plausible_time(start) }} as start_local,
        {{ number_text('call_score') }} as call_score_raw,
        case when is_target >= 1 then 1 else 0 end as is_target,
        {{ plausible_seconds(talk) }} as talk_sec,
        {{ label_text('outcome', 64) }} as outcome_label,
        {{ label_text('call_category', 128) }} as category_label,
        {{ plausible_number(optional_column(available, 'number_category'), 1000) }}
            as number_category,
        {{ label_text(optional_column(available, 'call_type'), 64) }} as call_type_label,
        {{ label_text(optional_column(available, 'context_type'), 64) }} as direction_label,
        {{ label_text(optional_column(available, 'refusal_category_code'), 64) }}
            as refusal_code_label,
        {{ label_text(optional_column(available, 'refusal_reason')) }} as refusal_label,
        {{ without_private(checklist, label_text(checklist)) }} as checklist,
        -- No checklist is that long, and none has fewer items than none: -1 is a mistake.
        case
            when {{ items }} is not null then coalesce({{ plausible_number(items, 100) }}, -1)
        end as checklist_items,
        {#- Ten digits are a number of anybody's. #}
        {{ plausible_number(service_id, 999999999) }} as service_id,
        {{ without_private(service, display_text(service)) }} as service_name,
        {{ label_text(service) }} as service_label,
        {{ label_text(optional_column(available, 'requested_doctor_speciality')) }}
            as speciality_label,
        {{ without_private(source_channel, label_text(source_channel, 128), longest=128) }}
            as source_channel,
        {{ named_where({
            'start': start ~ ' is not null and ' ~ plausible_time(start) ~ ' is null',
            'review_date': plausible_time('score_date') ~ ' is null',
            'talk': talk ~ ' is not null and ' ~ plausible_seconds(talk) ~ ' is null',
            'source': is_private(source_channel, longest=128),
            'service': is_private(service)
                ~ ' or ' ~ service_id ~ ' is not null and ' ~ plausible_number(service_id, 999999999) ~ ' is null',
            'checklist': is_private(checklist),
            'checklist_items': items ~ ' is not null and ' ~ plausible_number(items, 100) ~ ' is null',
        }) }} as refused_fields

    -- No `select *`: the account need not be allowed to read transcripts.
    from {{ source_table }}

)

select
    labelled.call_score_id,
    labelled.history_id,
    labelled.reviewed_at,
    labelled.start_local,
    labelled.call_score_raw,
    labelled.is_target,
    labelled.talk_sec,
    case
        when labelled.outcome_label is null then 'none'
        else coalesce(outcomes.outcome, 'other')
    end as outcome,
    coalesce(
        categories.call_category,
        numbered.call_category,
        case when labelled.category_label is null then 'none' else 'other' end
    ) as call_category,
    call_types.call_type,
    directions.direction,
    -- A reason was given, only not one of ours: that is another reason, not a missing one.
    coalesce(
        refusal_codes.refusal_code,
        refusal_texts.refusal_code,
        case
            when labelled.refusal_code_label is not null or labelled.refusal_label is not null
                then 'OTHER_REASON'
        end
    ) as refusal_code,
    labelled.checklist,
    labelled.checklist_items,
    labelled.service_id,
    -- One name a service, however reviewers spell it: a dimension's values are its names.
    coalesce(
        by_id.shown_name,
        by_name.shown_name,
        case
            when labelled.service_name is not null
                then concat(
                    upper(left(labelled.service_label, 1)), substring(labelled.service_label, 2)
                )
        end,
        concat('id ', labelled.service_id)
    ) as service_name,
    coalesce(by_id.service_group, by_name.service_group, by_speciality.service_group)
        as service_group,
    coalesce(by_id.avg_ticket, by_name.avg_ticket, by_speciality.avg_ticket) as service_ticket,
    coalesce(by_id.recurrence, by_name.recurrence, by_speciality.recurrence) as service_recurrence,
    labelled.source_channel,
    labelled.refused_fields,
    nullif(concat_ws(
        ',',
        case when labelled.outcome_label is not null and outcomes.label is null then 'outcome' end,
        case
            when labelled.category_label is not null and categories.label is null
                then 'call_category'
        end,
        case
            when labelled.call_type_label is not null and call_types.label is null then 'call_type'
        end,
        case
            when labelled.direction_label is not null and directions.label is null
                then 'context_type'
        end,
        case
            when labelled.refusal_code_label is not null and refusal_codes.refusal_reason is null
                then 'refusal_category_code'
        end,
        case
            when labelled.refusal_code_label is null
                and labelled.refusal_label is not null and refusal_texts.refusal_reason is null
                then 'refusal_reason'
        end,
        case
            when coalesce(labelled.service_id, labelled.service_label) is not null
                and coalesce(by_id.service_group, by_name.service_group) is null
                then 'requested_service'
        end
    ), '') as unknown_labels

from labelled

left join outcomes
    on labelled.outcome_label = outcomes.label

left join categories
    on labelled.category_label = categories.label

left join categories as numbered
    on labelled.number_category = numbered.number_category

left join call_types
    on labelled.call_type_label = call_types.label

left join directions
    on labelled.direction_label = directions.label

left join refusal_reasons as refusal_codes
    on labelled.refusal_code_label = refusal_codes.refusal_reason

left join refusal_reasons as refusal_texts
    on labelled.refusal_label = refusal_texts.refusal_reason

left join services as by_id
    on labelled.service_id = by_id.service_id

left join services as by_name
    on labelled.service_label = by_name.service_label

left join services as by_speciality
    on labelled.speciality_label = by_speciality.speciality_label
    -- A speciality has several services: one of them stands for their common group.
    and by_speciality.service_id = by_speciality.first_of_speciality
