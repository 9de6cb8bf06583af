{{ config(
    materialized='incremental',
    feed={'kind': 'whole'},
    unique_key=['metric_code', 'reason_code'],
    keys=['primary key (metric_code, reason_code)'],
    replaces_batches=true,
    counts_changes=false,
) }}

{#- A table for its key: the views of sentences look a text up for every reason of every row. -#}

with

metrics as (

    select
        metric_code,
        -- Points that multiply or only count would tell a reader nothing.
        case
            when metric_code in ({{ factor_metrics() }}) or unit = 'code' then ''
            when metric_group = 'forecast' then '{signed%}'
            else '{signed}'
        end as points_behind

    from {{ ref('lm_metric_dictionary') }}

),

dictionary as (

    select * from {{ ref('lm_reason_dictionary') }}

)

select
    metrics.metric_code,
    dictionary.reason_code,
    {%- for language in ['ru', 'en'] %}
    concat(
        dictionary.sentence_{{ language }},
        case
            when dictionary.kind = 'reason'
                and dictionary.sentence_{{ language }} not like '%{points%'
                then metrics.points_behind
            else ''
        end
    ) as sentence_{{ language }},
    {%- endfor %}
    dictionary.action_ru,
    dictionary.action_en

from metrics

inner join dictionary
    on dictionary.metric_code in (metrics.metric_code, '*')

-- A metric's own text goes before that of all metrics.
left join dictionary as own_texts
    on metrics.metric_code = own_texts.metric_code
    and dictionary.reason_code = own_texts.reason_code
    and dictionary.metric_code = '*'

where own_texts.reason_code is null
    and {{ in_batch() }}
