-- Which statements let a BI tool read the results, and nothing else? One a view or table: run them
-- as an administrator, with the account's name and host in the place of 'bi'@'%'. Never grant
-- the whole schema: it also holds a key for each caller and views that read the source tables. New
-- views of a later version need theirs: run this again.
select
    concat('grant select on `', table_schema, '`.`', table_name, '` to ''bi''@''%'';') as statement

from information_schema.tables

where table_schema = '{{ target.schema }}'
    and (
        table_name like 'vw\_lm\_%'
        or table_name in (
            'fct_call', 'lm_value', 'lm_metric_dictionary', 'lm_kpi_dictionary',
            'lm_reason_dictionary', 'lm_status_rules', 'lm_versions'
        )
    )

order by table_name
