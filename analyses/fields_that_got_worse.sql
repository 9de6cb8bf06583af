-- Has the source stopped filling a field, or has a label appeared that no seed knows? The last 7
-- days with calls against the 28 days before, worst first. A drop in filled_share is for the phone
-- system or the reviewers, a rise in unknown for the seeds; both bend every metric that reads the
-- field.
select
    field,
    sum(is_new * calls) as calls,
    round(sum(is_new * filled) / nullif(sum(is_new * calls), 0), 3) as filled_share,
    round(sum((1 - is_new) * filled) / nullif(sum((1 - is_new) * calls), 0), 3) as filled_before,
    round(
        sum(is_new * filled) / nullif(sum(is_new * calls), 0)
        - sum((1 - is_new) * filled) / nullif(sum((1 - is_new) * calls), 0),
        3
    ) as filled_change,
    sum(is_new * unknown) as unknown_labels,
    sum((1 - is_new) * unknown) / 4 as unknown_labels_before

from (
    select
        checks.*,
        case
            when checks.stat_date > date_sub(newest.last_date, interval 7 day) then 1
            else 0
        end as is_new
    from {{ ref('vw_lm_data_quality') }} as checks
    cross join (select max(call_date) as last_date from {{ ref('fct_call') }}) as newest
    where checks.check_kind = 'field'
        and checks.stat_date > date_sub(newest.last_date, interval 35 day)
) as recent

group by field

order by filled_change asc, unknown_labels desc
