{{ config(meta={'quarantines': {
    'todo_en': 'Look at the value of the call in lm_value and at the metric in lm_metric_dictionary',
    'todo_ru': 'Сверьте значение звонка в lm_value с показателем в lm_metric_dictionary',
}}) }}

-- Group, range and labels are what the dictionary says.
select
    lm_value.history_id,
    lm_value.metric_code,
    lm_value.metric_group,
    lm_value.value_numeric,
    lm_value.value_label

from {{ ref('lm_value') }} as lm_value

inner join {{ ref('lm_metric_dictionary') }} as dictionary
    on lm_value.metric_code = dictionary.metric_code

where lm_value.metric_group <> dictionary.metric_group
    or lm_value.value_numeric < dictionary.scale_min
    or lm_value.value_numeric > dictionary.scale_max
    or (
        dictionary.allowed_labels <> ''
        and find_in_set(lm_value.value_label, replace(dictionary.allowed_labels, '|', ',')) = 0
    )
    or (
        lm_value.value_numeric is not null
        and find_in_set(lm_value.calc_method, replace(dictionary.calc_method, '|', ',')) = 0
    )
