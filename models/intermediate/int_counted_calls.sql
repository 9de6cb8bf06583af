{#- The tests of rows come before what counts them (macros/materializations/test.sql). -#}
-- depends_on: {{ ref('lm_value') }}
-- depends_on: {{ ref('lm_metric_dictionary') }}

select calls.* -- noqa: AM04

from {{ ref('fct_call') }} as calls

where not exists (
        select 1 from {{ source('row_tests', 'lm_quarantine') }} as quarantine
        where calls.history_id = quarantine.history_id
    )
