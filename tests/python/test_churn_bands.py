"""vw_lm_churn_bands: shares by label against plain Python, and which are out of order."""

from __future__ import annotations

from collections import defaultdict
from contextlib import closing
from datetime import timedelta

import pytest
from conftest import TestTarget
from pipeline_cases import NOW, build_clinic, moment

from python_scoring.base.database import Probe

# All calls of the clinic are older than 90 days then.
LATER = NOW + timedelta(days=120)


@pytest.fixture(scope="module")
def built(target: TestTarget) -> TestTarget:
    build_clinic(target)
    target.dbt("run", "--select", "vw_lm_churn_bands", vars={"as_of": moment(LATER)})
    return target


@pytest.mark.parametrize(
    ("label", "out_of_order"),
    [
        # Who returns is of a low risk, who does not of a high one; and the other way round.
        ("if(returns, 'low', 'high')", {"low": 0, "high": 0}),
        ("if(returns, 'high', 'low')", {"low": 0, "high": 1}),
        ("if(mod(calls.history_id, 50) = 0, 'medium', 'high')", {"high": 0}),
    ],
)
def test_bands_are_those_of_plain_python(
    built: TestTarget, label: str, out_of_order: dict[str, int]
) -> None:
    # With a third of the others, so that each band has its hundred calls.
    returns = "(calls.next_call_at is not null or mod(calls.history_id, 3) = 0)"
    with closing(built.connect()) as connection:
        connection.cursor().execute(
            "update lm_value as churn inner join fct_call as calls"
            " on calls.history_id = churn.history_id set churn.value_label = "
            + label.replace("returns", returns)
            + " where churn.metric_code = 'churn_risk_level'"
        )
        connection.commit()
        probe = Probe(connection)
        calls = probe.rows(
            "select churn.value_label, calls.call_started_at, calls.next_call_at"
            " from lm_value as churn inner join fct_call as calls"
            " on calls.history_id = churn.history_id"
            " where churn.metric_code = 'churn_risk_level' and calls.caller_key is not null"
            " and calls.is_frequent_number = 0 and calls.call_started_at is not null"
        )
        found = probe.rows(
            "select band, calls, no_return_90d, is_out_of_order from vw_lm_churn_bands"
            " order by band_rank"
        )
    away = defaultdict(list)
    for band, start, following in calls:
        away[band].append(following is None or following > start + timedelta(days=90))
    ours = {band: (len(a), sum(a) / len(a)) for band, a in away.items() if len(a) >= 100}
    assert {band: (n, pytest.approx(float(share), abs=1e-4)) for band, n, share, _ in found} == ours
    assert {band: is_out for band, _, _, is_out in found} == out_of_order
