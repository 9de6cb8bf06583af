-- A caller is known by a hash only.
select
    history_id,
    caller_key

from {{ ref('fct_call') }}

where caller_key not regexp '^[0-9a-f]{32}$'
