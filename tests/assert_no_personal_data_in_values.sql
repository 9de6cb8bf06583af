{{ config(meta={'quarantines': {
    'todo_en': 'Look for a number, an address or a name in value_json of the call and in its row of fct_call, and correct the source',
    'todo_ru': 'Найдите номер, адрес или имя в value_json звонка и в его строке fct_call, исправьте источник',
}}) }}

-- Codes and numbers only: nothing like a phone number or an address, no letters beyond the codes'
-- own, no name of an operator or a service.
with

names as (

    select distinct operator_name as name from {{ ref('fct_call') }}
    where operator_name not regexp '[^ -~]' and length(operator_name) > 3
        and operator_name <> 'unknown'

    union distinct

    select distinct service_name from {{ ref('fct_call') }}
    where service_name not regexp '[^ -~]' and length(service_name) > 3
        and service_name <> 'unknown'

),

-- Few are left when their numbers are taken out.
texts as (

    select distinct
        metric_code,
        regexp_replace(value_json, '[0-9.:-]+', '') as value_text

    from {{ ref('lm_value') }}

)

select
    history_id,
    metric_code,
    'looks like a number, an address or a name' as problem

from {{ ref('lm_value') }}

where metric_code in (select known.metric_code from {{ ref('lm_metric_dictionary') }} as known)
    and (
        value_json regexp '[^ -~]'
        or value_label regexp '[^ -~]'
        or value_json like '%@%'
        or value_label like '%@%'
        or (metric_code <> 'lm_version' and value_json regexp '[0-9]{10}')
        or value_label regexp '[0-9]{7}'
    )

union all

select
    null as history_id,
    texts.metric_code,
    'holds the name of an operator or a service' as problem

from texts

inner join names
    on instr(texts.value_text, concat('"', names.name, '"')) > 0

union all

select
    lm_value.history_id,
    lm_value.metric_code,
    'is the name of an operator or a service' as problem

from {{ ref('lm_value') }} as lm_value

inner join names
    on lm_value.value_label = names.name
