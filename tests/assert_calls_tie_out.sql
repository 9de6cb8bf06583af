-- No call is lost or doubled on the way from the source.
with

counts as (

    select 'int_calls' as table_name, count(*) as calls from {{ ref('int_calls') }}

    union all

    select 'fct_call', count(*) from {{ ref('fct_call') }}

    union all

    select 'lm_value', count(distinct history_id) from {{ ref('lm_value') }}

),

source_count as (

    select count(*) as calls

    from {{ ref('stg_call_history') }}

    where history_id <= (select max(known.history_id) from {{ ref('int_calls') }} as known)

)

select
    counts.table_name,
    counts.calls,
    source_count.calls as source_calls

from counts

cross join source_count

where counts.calls <> source_count.calls
