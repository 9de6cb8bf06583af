{{ config(severity='warn') }}

-- Labels of the last 30 days that no seed knows: add them to the seed of their field.
select
    unknown_labels as fields,
    count(*) as calls

from {{ ref('fct_call') }}

where unknown_labels is not null
    and call_date > date_sub(cast({{ as_of() }} as date), interval 30 day)

group by unknown_labels
