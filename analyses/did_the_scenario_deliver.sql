-- Did the scenario deliver? What it promised of the days since it was carried out, and what came.
-- It did where what came is nearer to the scenario and not within the forecast; where it is within
-- both, the days were too few to tell. Other causes act on the same days: this is no proof.
select
    scenario,
    target,
    done_from,
    days_compared,
    is_complete,
    round(difference, 3) as promised_difference,
    round(actual_difference, 3) as actual_difference,
    is_within_scenario95,
    is_within_baseline95,
    nearer_to

from {{ ref('vw_lm_scenario_outcome') }}

where grain = 'total'
    and difference <> 0

order by done_from desc, scenario asc, target asc
