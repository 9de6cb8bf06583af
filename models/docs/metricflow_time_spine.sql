{# The name is dbt's: its metrics are not read without a model of the calendar. -#}

select stat_date as date_day

from {{ ref('lm_daily_facts') }}

where dimension = 'all'
