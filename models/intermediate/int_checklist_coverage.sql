{#- Coverage by the number of items met. Only the number is known: the first items of the script
    count as met, and the lightest and the heaviest n items bound what it may have been. -#}

with

checklist_items as (

    select
        *,
        sum(weight) over (partition by checklist, valid_from) * 1e0 as total_weight,
        count(*) over (partition by checklist, valid_from) as items_total

    from {{ ref('lm_checklist') }}

),

versions as (

    select
        checklist,
        valid_from,
        lead(valid_from) over (partition by checklist order by valid_from) as valid_before

    from (select distinct checklist, valid_from from {{ ref('lm_checklist') }}) as dated

),

in_script_order as (

    select
        checklist,
        valid_from,
        items_total,
        row_number() over (partition by checklist, valid_from order by item_no) as items_met,
        100 * sum(weight) over (
            partition by checklist, valid_from order by item_no
            rows between unbounded preceding and current row
        ) / total_weight as coverage

    from checklist_items

),

lightest_first as (

    select
        checklist,
        valid_from,
        row_number() over (
            partition by checklist, valid_from order by weight, item_no
        ) as items_met,
        100 * sum(weight) over (
            partition by checklist, valid_from order by weight, item_no
            rows between unbounded preceding and current row
        ) / total_weight as coverage

    from checklist_items

),

heaviest_first as (

    select
        checklist,
        valid_from,
        row_number() over (
            partition by checklist, valid_from order by weight desc, item_no asc
        ) as items_met,
        100 * sum(weight) over (
            partition by checklist, valid_from order by weight desc, item_no asc
            rows between unbounded preceding and current row
        ) / total_weight as coverage

    from checklist_items

),

covered as (

    select
        in_script_order.checklist,
        in_script_order.valid_from,
        in_script_order.items_total,
        in_script_order.items_met,
        in_script_order.coverage,
        lightest_first.coverage as coverage_lo,
        heaviest_first.coverage as coverage_hi

    from in_script_order

    inner join lightest_first
        on in_script_order.checklist = lightest_first.checklist
        and in_script_order.valid_from = lightest_first.valid_from
        and in_script_order.items_met = lightest_first.items_met

    inner join heaviest_first
        on in_script_order.checklist = heaviest_first.checklist
        and in_script_order.valid_from = heaviest_first.valid_from
        and in_script_order.items_met = heaviest_first.items_met

    union all

    select distinct
        checklist,
        valid_from,
        items_total,
        0 as items_met,
        0e0 as coverage,
        0e0 as coverage_lo,
        0e0 as coverage_hi

    from checklist_items

)

select
    covered.*,
    versions.valid_before

from covered

inner join versions
    on covered.checklist = versions.checklist
    and covered.valid_from = versions.valid_from
