{{ config(meta={'quarantines': {
    'todo_en': 'Look at value_json of the call in lm_value; run dbt with --full-refresh --select lm_value to compute it anew',
    'todo_ru': 'Посмотрите value_json звонка в lm_value; пересчитать: dbt с --full-refresh --select lm_value',
}}) }}

-- A value is there, or the gate that kept it out is: a gate that the dictionary names for the
-- metric.
with

metric_rows as (

    select
        lm_value.history_id,
        lm_value.metric_code,
        lm_value.value_numeric,
        lm_value.value_label,
        json_unquote(json_extract(lm_value.value_json, '$.status')) as status,
        json_unquote(json_extract(lm_value.value_json, '$.gate')) as gate,
        dictionary.gates

    from {{ ref('lm_value') }} as lm_value

    inner join {{ ref('lm_metric_dictionary') }} as dictionary
        on lm_value.metric_code = dictionary.metric_code

    where lm_value.metric_group not in ('aux', 'forecast')

)

select *

from metric_rows

where
    case status
        when 'ok' then value_numeric is null or value_label is null or gate is not null
        when 'partial' then value_numeric is null or value_label is null or gate is not null
        when 'gated'
            then value_numeric is not null or value_label is not null or gate is null
            or find_in_set(gate, replace(gates, '|', ',')) = 0
        when 'no_data' then value_numeric is not null or value_label is not null
        else 1 = 1
    end
