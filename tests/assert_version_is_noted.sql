-- A change of a rule is a new lm_version, noted in lm_versions with its hashes:
-- `dbt run-operation print_version` prints the line.
with

noted as (

    select * from {{ ref('lm_versions') }}
    where lm_version = '{{ var("lm_version") }}'

),

counted as (

    select count(*) as found from noted

)

select
    '{{ var("lm_version") }}' as lm_version,
    '{{ rules_hash() }}' as rules_hash,
    '{{ seeds_hash() }}' as seeds_hash

from counted

left join noted on 1 = 1

where counted.found = 0
    or noted.rules_hash <> '{{ rules_hash() }}'
    or noted.seeds_hash <> '{{ seeds_hash() }}'
