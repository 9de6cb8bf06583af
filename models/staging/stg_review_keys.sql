{%- set source_table = source('operabot', 'call_scores') -%}
{%- set available = source_column_names(source_table) -%}

{#- Beside stg_call_scores, whose joins to the label maps a count or a check can do without. -#}

select
    id as call_score_id,
    history_id,
    score_date as reviewed_at,
    cast({{ optional_column(available, 'call_date') }} as datetime) as start_local,
    cast({{ optional_column(available, 'talk_duration') }} as signed) as talk_sec,
    case when is_target >= 1 then 1 else 0 end as is_target,
    {{ label_text('outcome', 64) }} as outcome_label,
    {{ label_text('call_category', 128) }} as category_label,
    cast({{ optional_column(available, 'number_category') }} as signed) as number_category,
    {{ label_text(optional_column(available, 'context_type'), 64) }} as direction_label

from {{ source_table }}
