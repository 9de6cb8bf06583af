{%- set source_table = source('operabot', 'call_scores') -%}
{%- set available = source_column_names(source_table) -%}

{#- Beside stg_call_scores, whose joins to the label maps a count or a check can do without. -#}

select
    id as call_score_id,
    history_id,
    {{ plausible_time('score_date') }} as reviewed_at,
    {{ plausible_time(optional_column(available, 'call_date')) }} as start_local,
    {{ plausible_seconds(optional_column(available, 'talk_duration')) }} as talk_sec,
    case when is_target >= 1 then 1 else 0 end as is_target,
    {%- set direction = optional_column(available, 'context_type') %}
    -- A label with a phone number stays one that no seed knows.
    {{ without_private('outcome', label_text('outcome', 64), other="'***'") }} as outcome_label,
    {{ without_private('call_category', label_text('call_category', 128), other="'***'") }}
        as category_label,
    {{ plausible_number(optional_column(available, 'number_category'), 1000) }} as number_category,
    {{ without_private(direction, label_text(direction, 64), other="'***'") }} as direction_label

from {{ source_table }} as call_scores

where {{ is_remembered('call_scores') }}
