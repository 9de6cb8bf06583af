-- Every reason that is given has its sentence.
{%- set places = range(0, 6) %}

with

codes as (

    {%- for place in places %}
    select distinct
        lm_value.metric_code,
        json_unquote(json_extract(lm_value.value_json, '$.reasons[{{ place }}].code'))
            as reason_code
    from {{ ref('lm_value') }} as lm_value
    inner join {{ ref('lm_metric_dictionary') }} as metrics
        on lm_value.metric_code = metrics.metric_code
    where lm_value.metric_group <> 'forecast'
    {{- ' union' if not loop.last }}
    {%- endfor %}

)

select codes.*

from codes

left join {{ ref('lm_reason_dictionary') }} as dictionary
    on codes.reason_code = dictionary.reason_code
    and dictionary.metric_code in (codes.metric_code, '*')

where codes.reason_code is not null
    and dictionary.reason_code is null
