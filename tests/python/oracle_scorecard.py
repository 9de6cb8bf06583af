"""vw_lm_operator_scorecard from single calls: what peers would have booked on the same calls.

Peers are all calls but the operator's own, smoothed along the levels as everywhere:
(k + m p) / (n + m). A known caller is one with an earlier call, robots left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from oracle_kpis import over
from oracle_marts import flag, value_of
from oracle_periods import MIN_SAMPLE, PERIODS, Window, last_day, mean_interval
from statsmodels.stats.proportion import proportion_confint

SMOOTHING = 20
Z = 1.959963984540054
LEVELS = (
    ["direction", "known_caller"],
    ["direction", "known_caller", "service_group"],
    ["direction", "known_caller", "service_group", "source_channel"],
)


@dataclass(frozen=True)
class Expected:
    """Bookings of peers on the operator's calls; variances of the bookings less these.

    `pooled` takes every peer's call as of the same weight, `exact` as what it weighs.
    """

    bookings: float
    pooled: float
    exact: float


def expected_bookings(own: pd.DataFrame, others: pd.DataFrame) -> Expected | None:
    """From frames of wanting calls with the columns of LEVELS and `booked`. None without peers."""
    if own.empty or others.empty:
        return None
    share = pd.Series(others["booked"].mean(), index=own.index)
    theirs = pd.Series(others["booked"].mean(), index=others.index)
    cells = []
    for columns in LEVELS:
        by = others.groupby(columns)["booked"]
        counts, booked = by.size(), by.sum()
        n, k = (look_up(part, own, columns) for part in (counts, booked))
        share = (k + SMOOTHING * share) / (n + SMOOTHING)
        n_peer, k_peer = (look_up(part, others, columns) for part in (counts, booked))
        theirs = (k_peer + SMOOTHING * theirs) / (n_peer + SMOOTHING)
        cells.append((columns, n))
    # What a peer's call weighs in the sum over the own calls, from the finest level up.
    carried = pd.Series(1.0, index=own.index)
    weight = pd.Series(0.0, index=others.index)
    for columns, n in reversed(cells):
        part = (carried / (n + SMOOTHING)).groupby([own[name] for name in columns]).sum()
        weight += look_up(part, others, columns)
        carried = carried * SMOOTHING / (n + SMOOTHING)
    weight += carried.sum() / len(others)
    luck = (share * (1 - share)).sum()
    total = float(share.sum())
    return Expected(
        total,
        float(luck + total * (len(own) - total) / len(others)),
        float(luck + (weight**2 * theirs * (1 - theirs)).sum()),
    )


def look_up(cells: pd.Series, calls: pd.DataFrame, columns: list[str]) -> pd.Series:
    """The number of each call's cell, 0 where it has none."""
    keys = pd.MultiIndex.from_frame(calls[columns])
    return pd.Series(cells.reindex(keys).fillna(0).to_numpy(float), index=calls.index)


def skill_variance(uplifts: np.ndarray, variances: np.ndarray) -> float:
    """Between operators: DerSimonian and Laird, Meta-analysis in clinical trials, 1986."""
    if len(uplifts) < 2:
        return 0.0
    weights = 1 / variances
    centre = (weights * uplifts).sum() / weights.sum()
    excess = (weights * (uplifts - centre) ** 2).sum() - (len(uplifts) - 1)
    return max(0.0, excess / (weights.sum() - (weights**2).sum() / weights.sum()))


def scorecard(
    calls: pd.DataFrame, values: pd.DataFrame, facts: pd.DataFrame, as_of: Any
) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Key (period_days, operator_name) to vw_lm_operator_scorecard."""
    end = last_day(calls["call_date"], as_of)
    frame = scored_calls(calls, values, facts)
    found = {}
    for days in PERIODS:
        window = Window(days, end)
        period = frame[window.holds(frame["call_date"])]
        for name, row in period_rows(period).items():
            found[(days, name)] = {"period_start": window.start, "period_end": end, **row}
    return found


def scored_calls(calls: pd.DataFrame, values: pd.DataFrame, facts: pd.DataFrame) -> pd.DataFrame:
    """Calls with what the scorecard averages, and what expected_bookings goes by."""
    complaint = values[values["metric_code"] == "complaint_risk_flag"].set_index("history_id")
    return calls.assign(
        known_caller=calls["days_since_last_call"].notna() & ~flag(calls["is_frequent_number"]),
        booked=flag(calls["is_booked"]).astype(int),
        wanting=flag(calls["wants_booking"]),
        handled=facts["handle_calls"].astype(bool),
        handle=facts["handle_sec"].astype(float),
        talked=facts["talk_calls"].astype(bool),
        complaint=(complaint["value_label"] == "true").where(complaint["value_label"].notna()),
        **{
            name: value_of(values, metric)
            for name, metric in (
                ("qa", "normalized_call_score"),
                ("checklist_value", "checklist_coverage_ratio"),
                ("risk", "script_risk_index"),
            )
        },
    )


def period_rows(period: pd.DataFrame) -> dict[str, dict[str, Any]]:
    wanting = period[period["wanting"]]
    rows = {}
    for name, own in period.groupby("operator_name"):
        mine = wanting["operator_name"] == name
        rows[name] = measures(own) | bookings(wanting[mine], wanting[~mine])
    return compared(rows)


def measures(own: pd.DataFrame) -> dict[str, Any]:
    handle, score = own.loc[own["handled"], "handle"], own["qa"].dropna()
    aht, aht_low, aht_high = mean_of(handle)
    qa, qa_low, qa_high = mean_of(score)
    return {
        "calls": len(own),
        "talk_calls": int(own["talked"].sum()),
        "reviewed_calls": int(flag(own["is_reviewed"]).sum()),
        "aht_sec": aht,
        "aht_sec_low": aht_low,
        "aht_sec_high": aht_high,
        "qa_score": qa,
        "qa_score_low": qa_low,
        "qa_score_high": qa_high,
        "checklist_coverage": mean_of(own["checklist_value"].dropna())[0],
        "script_risk_index": mean_of(own["risk"].dropna())[0],
        "complaint_flag_share": mean_of(own["complaint"].dropna().astype(float))[0],
    }


def mean_of(values: pd.Series) -> tuple[float | None, float | None, float | None]:
    if values.empty:
        return None, None, None
    if len(values) == 1:
        return float(values.iloc[0]), None, None
    low, high = mean_interval(len(values), values.mean(), values.var(ddof=1))
    return float(values.mean()), float(low), float(high)


def bookings(own: pd.DataFrame, others: pd.DataFrame) -> dict[str, Any]:
    n, k = len(own), int(own["booked"].sum())
    low, high = proportion_confint(k, n, method="wilson") if n else (None, None)
    told = {
        "wanting_calls": n,
        "bookings": k,
        "conversion_rate": over(k, n),
        "conversion_rate_low": low,
        "conversion_rate_high": high,
        "expected_bookings": None,
        "booking_uplift_per_100": None,
        "booking_uplift_low": None,
        "booking_uplift_high": None,
        "variance": None,
    }
    expected = expected_bookings(own, others)
    if expected is None:
        return told
    uplift, variance = 100 * (k - expected.bookings) / n, expected.pooled * (100 / n) ** 2
    return told | {
        "expected_bookings": expected.bookings,
        "booking_uplift_per_100": uplift,
        "booking_uplift_low": uplift - Z * variance**0.5,
        "booking_uplift_high": uplift + Z * variance**0.5,
        "variance": variance,
    }


def compared(rows: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The operators of one period beside each other: shrunk uplift, rank, status."""
    known = [row for name, row in rows.items() if name != "unknown" and row["variance"]]
    ranked = [row for row in known if row["wanting_calls"] >= MIN_SAMPLE]
    between = skill_variance(
        *(
            np.array([row[name] for row in ranked])
            for name in ("booking_uplift_per_100", "variance")
        )
    )
    for row in rows.values():
        row |= dict.fromkeys(("shrunk_uplift_per_100", "operator_rank", "status"))
    for row in known:
        row["shrunk_uplift_per_100"] = (
            row["booking_uplift_per_100"] * between / (between + row["variance"])
        )
        row["status"] = "insufficient_data"
    for row in ranked:
        better = [r for r in ranked if r["shrunk_uplift_per_100"] > row["shrunk_uplift_per_100"]]
        row["operator_rank"] = 1 + len(better)
        above, below = row["booking_uplift_low"] > 0, row["booking_uplift_high"] < 0
        row["status"] = "above_peers" if above else "below_peers" if below else "as_peers"
    for name, row in rows.items():
        del row["variance"]
        row["ranked_operators"] = len(ranked) if row["wanting_calls"] else None
        if name != "unknown" and row["status"] is None:
            row["status"] = "insufficient_data"
    return rows
