-- Codes and numbers only: nothing like a phone number or an address, no letters beyond the codes' own,
-- no name of an operator or a service.
with

names as (

    select distinct operator_name as name from {{ ref('fct_call') }}
    where operator_name not regexp '[^ -~]' and length(operator_name) > 3 and operator_name <> 'unknown'

    union

    select distinct service_name from {{ ref('fct_call') }}
    where service_name not regexp '[^ -~]' and length(service_name) > 3 and service_name <> 'unknown'

)

select
    lm_value.history_id,
    lm_value.metric_code

from {{ ref('lm_value') }} as lm_value

where lm_value.value_json regexp '[^ -~]'
    or lm_value.value_label regexp '[^ -~]'
    or lm_value.value_json like '%@%'
    or lm_value.value_label like '%@%'
    or (lm_value.metric_code <> 'lm_version' and lm_value.value_json regexp '[0-9]{10}')
    or lm_value.value_label regexp '[0-9]{7}'
    or exists (
        select 1
        from names
        where instr(lm_value.value_json, concat('"', names.name, '"')) > 0
            or lm_value.value_label = names.name
    )
