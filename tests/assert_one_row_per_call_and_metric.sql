-- The contract's key: a call and a metric have one row.
select
    history_id,
    metric_code,
    count(*) as row_count

from {{ ref('lm_value') }}

group by history_id, metric_code

having count(*) > 1
