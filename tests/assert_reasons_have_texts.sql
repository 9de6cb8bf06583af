-- Every reason that is given has its sentence.
{%- set places = range(0, 6) %}

with

codes as (

    {%- for place in places %}
    select distinct
        metric_code,
        json_unquote(json_extract(value_json, '$.reasons[{{ place }}].code')) as reason_code
    from {{ ref('lm_value') }}
    where metric_group <> 'forecast'
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
