"""Oracle of every rule metric of a call: one entry point over the modules by group.

Formulae: lm_metric_dictionary.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oracle_base import Call, Context, Expected, Params
from oracle_conversion import conversion_score, cross_sell_potential, lost_opportunity_score
from oracle_followup import followup_needed_flag
from oracle_operational import queue_impact_index, response_speed_score, talk_time_efficiency
from oracle_quality import checklist_coverage_ratio, normalized_call_score, script_risk_index
from oracle_risk import churn_risk_level, complaint_risk_flag

AUX_METRICS = ("lm_version", "calc_profile", "feature_pack")


def metrics_of_call(
    call: Call, params: Params, profile: Mapping[str, Any], context: Context
) -> dict[str, Expected]:
    """Every row that lm_value must hold for one row of fct_call.

    `params` is lm_rule_params flattened for the call's profile; `profile` says
    its calc_profile and rule.
    """
    rule = str(profile["rule"])
    return {
        "response_speed_score": response_speed_score(call, params, rule),
        "talk_time_efficiency": talk_time_efficiency(call, params, context),
        "queue_impact_index": queue_impact_index(call, params, context),
        "conversion_score": conversion_score(call, params, context),
        "lost_opportunity_score": lost_opportunity_score(call, params, context),
        "cross_sell_potential": cross_sell_potential(call, params, context),
        "checklist_coverage_ratio": checklist_coverage_ratio(call, params, context),
        "normalized_call_score": normalized_call_score(call, params, context),
        "script_risk_index": script_risk_index(call, params, context),
        "churn_risk_level": churn_risk_level(call, params, context),
        "complaint_risk_flag": complaint_risk_flag(call, params, context),
        "followup_needed_flag": followup_needed_flag(call, params, context),
        "lm_version": Expected(None, context.lm_version),
        "calc_profile": Expected(
            None,
            str(profile["calc_profile"]),
            extras={
                "sla_sec": params.get("sla_sec"),
                "half_life_sec": params.get("half_life_sec"),
                "callback_sla_min": params.get("callback_sla_min"),
                "rule": rule,
            },
        ),
        "feature_pack": Expected(None, None),
    }
