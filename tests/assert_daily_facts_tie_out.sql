-- Every dimension splits the same calls: its values add up to the day's total. The dimension
-- refusal splits the lost ones.
{%- set measures = [
    'calls', 'incoming_calls', 'incoming_answered', 'incoming_abandoned', 'short_abandons',
    'sla_calls', 'answered_in_sla', 'answer_wait_sec', 'outgoing_calls', 'missed_calls',
    'missed_called_back', 'talk_calls', 'talk_sec', 'handle_sec', 'work_sec', 'reviewed_calls',
    'target_calls', 'wanting_calls', 'bookings', 'lost_calls', 'cancellations', 'complaints',
    'repeat_calls', 'qa_calls', 'followups_open', 'followups_closed', 'risk_known_calls',
    'risky_calls',
] %}

with

dimension_list as (

    {%- for name in dimensions() %}
    select '{{ name }}' as dimension{{ ' union all' if not loop.last }}
    {%- endfor %}

),

summed as (

    select
        stat_date,
        dimension,
        {%- for measure in measures %}
        sum({{ measure }}) as {{ measure }},
        {%- endfor %}
        count(*) as row_count

    from {{ ref('lm_daily_facts') }}

    group by stat_date, dimension

)

select
    totals.stat_date,
    summed.dimension,
    totals.calls as day_calls,
    summed.calls as split_calls,
    concat_ws(
        ', ',
        {%- for measure in measures if measure != 'lost_calls' %}
        case
            when summed.dimension <> 'refusal'
                and abs(summed.{{ measure }} - totals.{{ measure }}) > 0.01
                then '{{ measure }}'
        end,
        {%- endfor %}
        case when summed.lost_calls <> totals.lost_calls then 'lost_calls' end
    ) as measures_that_differ

from summed

inner join summed as totals
    on summed.stat_date = totals.stat_date
    and totals.dimension = 'all'

where summed.lost_calls <> totals.lost_calls
    or (
        summed.dimension <> 'refusal'
        and (
            {%- for measure in measures %}
            {{ 'or ' if not loop.first }}abs(summed.{{ measure }} - totals.{{ measure }}) > 0.01
            {%- endfor %}
        )
    )

union all

select
    totals.stat_date,
    dimension_list.dimension,
    totals.calls,
    0,
    'the dimension is missing'

from summed as totals

cross join dimension_list

left join summed
    on totals.stat_date = summed.stat_date
    and dimension_list.dimension = summed.dimension

where totals.dimension = 'all'
    and summed.dimension is null
