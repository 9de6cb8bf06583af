{{ config(meta={'quarantines': {
    'todo_en': 'Look at value_json of the call in lm_value; run dbt with --full-refresh --select lm_value to compute it anew',
    'todo_ru': 'Посмотрите value_json звонка в lm_value; пересчитать: dbt с --full-refresh --select lm_value',
}}) }}

-- Base and points come to the value; factors multiply to the product, and the link makes the value
-- of it.
{%- set places = range(0, 6) %}

with

numbers as (

    select
        lm_value.history_id,
        lm_value.metric_code,
        lm_value.value_numeric,
        json_unquote(json_extract(lm_value.value_json, '$.kind')) as kind,
        json_unquote(json_extract(lm_value.value_json, '$.link')) as link,
        json_extract(lm_value.value_json, '$.base') * 1e0 as base,
        json_extract(lm_value.value_json, '$.product') * 1e0 as product,
        {%- for place in places %}
        json_extract(lm_value.value_json, '$.reasons[{{ place }}].points') * 1e0
            as points_{{ place }},
        {%- endfor %}
        json_extract(lm_value.value_json, '$.scale') * 1e0 as scale

    from {{ ref('lm_value') }} as lm_value

    -- Rows of metrics that nobody knows need none.
    inner join {{ ref('lm_metric_dictionary') }} as dictionary
        on lm_value.metric_code = dictionary.metric_code

    where lm_value.value_numeric is not null
        -- As older versions wrote them: log-odds.
        and coalesce(json_unquote(json_extract(lm_value.value_json, '$.kind')), '') <> 'logit'

),

recomputed as (

    select
        numbers.*,
        case
            when numbers.kind in ('additive', 'lookup')
                then numbers.base
                {%- for place in places %}
                + coalesce(numbers.points_{{ place }}, 0)
                {%- endfor %}
            when numbers.link = 'identity' then numbers.product
            when numbers.link = 'saturation'
                then 100 * (1 - exp(-numbers.product / numbers.scale))
            when numbers.link = 'ratio'
                then 100 * numbers.product / (numbers.product + numbers.scale)
        end as value_by_reasons,
        1
        {%- for place in places %}
        * coalesce(numbers.points_{{ place }}, 1)
        {%- endfor %} as product_by_reasons

    from numbers

)

select *

from recomputed

where value_by_reasons is null
    or abs(value_by_reasons - value_numeric) > 0.001
    or (kind = 'factors' and abs(product_by_reasons - product) > 0.001)
