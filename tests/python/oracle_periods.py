"""What the marts over several days should hold, from single calls: never from sums of days.

Windows are of whole days and end with the last complete day that has calls.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
from oracle_kpis import MATURED_AFTER, MEANS, SHARES, is_matured, over
from oracle_marts import records_by_key, with_slices
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

PERIODS = (7, 14, 30, 180)
DIMENSIONS = ("all", "operator", "source", "service", "service_group", "direction")
MIN_SAMPLE = 30
QUALITY = ("checklist_coverage_ratio", "normalized_call_score", "script_risk_index")
# The others have every call of their base by a column of lm_daily_facts.
ALL_SHARES = {
    **SHARES,
    "cancellation_share": ("cancellations", None),
    "fcr_proxy": ("repeat_calls", "repeat_base_calls"),
}
# Yes or no, too, though a metric: its level is a share.
BINARY = ("followup_needed_flag",)
SPANS = (8, 26)
HOURLY = {
    "offered": "incoming_calls",
    "answered": "incoming_answered",
    "abandoned": "incoming_abandoned",
    "bookings": "bookings",
    "lost": "lost_calls",
    "work_hours": "work_sec",
    "lost_value_rub": "loss_rub",
}
HOURLY_BASES = ("answered_in_sla", "sla_calls", "answer_wait_sec", "answer_wait_calls")
MEASURE = ["metric_group", "metric_code"]


@dataclass(frozen=True)
class Window:
    """A period and the equal one before it; both ends belong to it."""

    days: int
    end: date

    @property
    def start(self) -> date:
        return self.end - timedelta(days=self.days - 1)

    @property
    def before(self) -> Window:
        return Window(self.days, self.start - timedelta(days=1))

    def holds(self, dates: pd.Series) -> pd.Series:
        return (dates >= self.start) & (dates <= self.end)


def last_day(dates: Iterable[date], as_of: datetime) -> date:
    """At 23:59:59 the day is complete."""
    return max(day for day in dates if day < (as_of + timedelta(seconds=1)).date())


def measurements(values: pd.DataFrame, facts: pd.DataFrame, as_of: datetime) -> pd.DataFrame:
    """One row a call and metric or KPI: history_id, metric_group, metric_code, value, label.

    A KPI has a row for each call of its base: 0 or 1 for a share, the measured number for a mean.
    """
    metrics = values[values["metric_group"] != "aux"]
    parts = [
        metrics[["history_id", *MEASURE, "value"]].assign(label=metrics["value_label"]),
        *(kpi_rows(facts, name, as_of) for name in (*ALL_SHARES, *MEANS)),
    ]
    return pd.concat(parts, ignore_index=True)


def kpi_rows(facts: pd.DataFrame, name: str, as_of: datetime) -> pd.DataFrame:
    measured, base_column = {**ALL_SHARES, **{k: v[:2] for k, v in MEANS.items()}}[name]
    if base_column is None:
        base = facts["cancellations"].astype(bool) | facts["reschedules"].astype(bool)
    else:
        base = facts[base_column].astype(bool)
    if name in MATURED_AFTER:
        base &= facts["call_date"].map(lambda day: is_matured(day, MATURED_AFTER[name], as_of))
    value = facts.loc[base, measured].astype(float)
    return pd.DataFrame(
        {
            "history_id": facts.index[base],
            "metric_group": "kpi",
            "metric_code": name,
            "value": (1 - value if name == "fcr_proxy" else value).to_numpy(),
        }
    )


def levels(rows: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Count, mean, variance, percentiles and labels of each group of measurements."""
    by = rows.groupby(keys)
    values = by["value"]
    return pd.DataFrame(
        {
            "n": values.count(),
            "mean": values.mean(),
            "variance": values.var(ddof=1),
            "p50": values.quantile(0.5),
            "p90": values.quantile(0.9),
            "true": (rows["label"] == "true").groupby([rows[key] for key in keys]).sum(),
            "high": (rows["label"] == "high").groupby([rows[key] for key in keys]).sum(),
        }
    )


def mean_interval(n: pd.Series, mean: pd.Series, variance: pd.Series) -> tuple[Any, Any]:
    margin = stats.t.ppf(0.975, n - 1) * np.sqrt(variance / n)
    return mean - margin, mean + margin


def wilson(mean: pd.Series, n: pd.Series) -> tuple[Any, Any]:
    with np.errstate(divide="ignore", invalid="ignore"):
        return proportion_confint((mean * n).round(), n, method="wilson")  # type: ignore


def welch(now: pd.DataFrame, then: pd.DataFrame) -> tuple[Any, Any]:
    """Interval of the difference of two means with unequal variances."""
    mine, theirs = now["variance"] / now["n"], then["variance"] / then["n"]
    spread = mine + theirs
    parts = mine**2 / (now["n"] - 1) + theirs**2 / (then["n"] - 1)
    margin = stats.t.ppf(0.975, spread**2 / parts.where(parts > 0)) * np.sqrt(spread)
    change = now["mean"] - then["mean"]
    return change - margin, change + margin


def newcombe(k1: float, n1: float, k2: float, n2: float) -> tuple[float, float]:
    if not (n1 and n2):
        return np.nan, np.nan
    low, high = confint_proportions_2indep(k1, n1, k2, n2, method="newcomb", compare="diff")
    return float(low), float(high)


def is_share(codes: pd.Series) -> pd.Series:
    return codes.isin((*ALL_SHARES, *BINARY))


def significant(low: pd.Series, high: pd.Series) -> pd.Series:
    known = low.notna() & high.notna()
    return ((low > 0) | (high < 0)).astype(float).where(known)


@dataclass(frozen=True)
class Rules:
    """What the seeds say: direction by metric or KPI, labels by metric, limits by it and period.

    Limits are (measure, green_from, red_from, min_sample).
    """

    directions: Mapping[str, str]
    labels: Mapping[str, Collection[str]]
    limits: Mapping[tuple[str, int], tuple[str, float, float, int]]

    def status(self, code: str, days: int, row: Mapping[str, Any]) -> dict[str, Any]:
        if (code, days) not in self.limits:
            return dict.fromkeys(("status", "status_measure", "green_from", "red_from"))
        measure, green, red, least = self.limits[code, days]
        told = {"status_measure": measure, "green_from": green, "red_from": red}
        value = row[measure]
        if row["value_count"] < least or value is None:
            return {"status": "insufficient_data", **told}
        sign = -1 if self.directions[code] == "lower_better" else 1
        good, bad = sign * value >= sign * green, sign * value < sign * red
        return {"status": "good" if good else "bad" if bad else "warning", **told}


def period_summary(
    calls: pd.DataFrame, rows: pd.DataFrame, rules: Rules, as_of: datetime
) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Key (period_days, dimension, dimension_value, metric_code) to vw_lm_period_summary."""
    end = last_day(calls["call_date"], as_of)
    sliced = with_slices(calls, DIMENSIONS)
    # A KPI without a base anywhere has its rows, too.
    kpis = [{"metric_group": "kpi", "metric_code": name} for name in (*ALL_SHARES, *MEANS)]
    codes = pd.concat([rows[MEASURE], pd.DataFrame(kpis)]).drop_duplicates()
    found = {}
    for days in PERIODS:
        window = Window(days, end)
        for key, row in summary_of(sliced, rows, codes, window).items():
            told = summary_row(window, key, row, rules.labels)
            told |= rules.status(key[3], days, told)
            found[(days, *key[:2], key[3])] = told
    return found


def summary_of(
    sliced: pd.DataFrame, rows: pd.DataFrame, codes: pd.DataFrame, window: Window
) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Levels of the window and the one before by dimension, its value, metric_group and code."""
    place = ["dimension", "dimension_value"]
    parts = []
    for part in (window, window.before):
        own = sliced.loc[part.holds(sliced["call_date"]), [*place, "history_id"]]
        parts.append((own, levels(own.merge(rows, on="history_id"), [*place, *MEASURE])))
    (own, now), (_, then) = parts
    slices = own.groupby(place).size().rename("calls").reset_index()
    whole = slices.merge(codes, how="cross").set_index([*place, *MEASURE])
    index = whole.index
    now, then = now.reindex(index), then.reindex(index)
    # What is open at the last run was not measured then.
    then.loc[index.get_level_values("metric_code") == "followup_needed_flag"] = np.nan
    for part in (now, then):
        part["n"] = part["n"].fillna(0)
    shares = is_share(index.get_level_values("metric_code").to_series(index=index))
    low, high = mean_interval(now["n"], now["mean"], now["variance"])
    share_low, share_high = wilson(now["mean"], now["n"])
    change_low, change_high = welch(now, then)
    both = shares & (now["n"] > 0) & (then["n"] > 0)
    for key in index[both]:
        k1, k2 = round(now["mean"][key] * now["n"][key]), round(then["mean"][key] * then["n"][key])
        change_low[key], change_high[key] = newcombe(k1, now["n"][key], k2, then["n"][key])
    found = now.assign(
        calls=whole["calls"],
        level_low=low.where(~shares, share_low),
        level_high=high.where(~shares, share_high),
        previous_level=then["mean"],
        previous_count=then["n"],
        level_change=now["mean"] - then["mean"],
        change_low=change_low,
        change_high=change_high,
        is_change_significant=significant(change_low, change_high),
        value_p50=now["p50"],
        value_p90=now["p90"],
    )
    return records_by_key(found)


def summary_row(
    window: Window,
    key: tuple[Any, ...],
    row: Mapping[str, Any],
    labels: Mapping[str, Collection[str]],
) -> dict[str, Any]:
    group, code = key[2:]
    told = {
        name: row[name]
        for name in row
        if name not in ("n", "mean", "variance", "p50", "p90", "true", "high")
    }
    if group == "kpi":
        told |= {"value_p50": None, "value_p90": None}
    for name in ("true", "high"):
        known = row["n"] and name in labels.get(code, ())
        told[f"{name}_share"] = row[name] / row["n"] if known else None
    return {
        **told,
        "metric_group": group,
        "period_start": window.start,
        "period_end": window.end,
        "value_count": row["n"],
        "level": row["mean"],
    }


def weekly_quality(
    calls: pd.DataFrame, values: pd.DataFrame, as_of: datetime
) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Key (week_start_date, operator_name, metric_code) to vw_lm_weekly_quality."""
    rows = values[values["metric_code"].isin(QUALITY) & values["value"].notna()].merge(
        calls[["history_id", "operator_name", "call_date"]], on="history_id"
    )
    rows["week"] = rows["call_date"].map(lambda day: day - timedelta(days=day.weekday()))
    rows["label"] = rows["value_label"]
    who = ["operator_name", "metric_code"]
    end = last_day(calls["call_date"], as_of)
    now = levels(rows[rows["week"] <= end], [*who, "week"]).reset_index()
    now = now.sort_values([*who, "week"])
    then = now.groupby(who)[["week", "n", "mean", "variance"]].shift()
    low, high = welch(now, then)
    found = pd.DataFrame(
        {
            **{name: now[name] for name in who},
            "week_start_date": now["week"],
            "iso_year": now["week"].map(lambda day: day.isocalendar().year),
            "iso_week": now["week"].map(lambda day: day.isocalendar().week),
            "value_count": now["n"],
            "value_avg": now["mean"],
            "value_sd": np.sqrt(now["variance"]),
            "previous_week_start_date": then["week"],
            "previous_count": then["n"],
            "previous_avg": then["mean"],
            "level_change": now["mean"] - then["mean"],
            "change_low": low,
            "change_high": high,
            "is_small_sample": (now["n"] < MIN_SAMPLE).astype(int),
            "is_complete_week": (now["week"] + timedelta(days=6) <= end).astype(int),
        }
    )
    return records_by_key(found.set_index(["week_start_date", *who]))


def hourly_profile(
    calls: pd.DataFrame, facts: pd.DataFrame, as_of: datetime
) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Key (span_weeks, call_weekday, call_hour) to vw_lm_hourly_profile: every cell of a week."""
    end = last_day(calls["call_date"], as_of)
    found = {}
    for weeks in SPANS:
        window = Window(7 * weeks, end)
        own = facts[window.holds(facts["call_date"])]
        weekdays = own["call_date"].map(lambda day: day.isoweekday())
        for weekday in range(1, 8):
            of_day = own[weekdays == weekday]
            days = of_day["call_date"].nunique()
            for hour in range(24):
                cell = of_day[of_day["call_hour"] == hour]
                found[(weeks, weekday, hour)] = {
                    "span_start": window.start,
                    "span_end": end,
                    "days_observed": days,
                    **hour_of(cell, len(cell), days),
                }
    return found


def hour_of(cell: pd.DataFrame, calls: int, days: int) -> dict[str, Any]:
    sums = cell[list(HOURLY.values()) + list(HOURLY_BASES)].astype(float).sum()
    per_day = {f"{name}_per_day": over(sums[column], days) for name, column in HOURLY.items()}
    work = per_day["work_hours_per_day"]
    return {
        **per_day,
        "calls_per_day": over(calls, days),
        "work_hours_per_day": None if work is None else work / 3600,
        "service_level": over(sums["answered_in_sla"], sums["sla_calls"]),
        "abandonment_rate": over(sums["incoming_abandoned"], sums["incoming_calls"]),
        "asa_sec": over(sums["answer_wait_sec"], sums["answer_wait_calls"]),
    }


def refusal_reasons(
    calls: pd.DataFrame, facts: pd.DataFrame, as_of: datetime
) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Key (period_days, refusal_code) to vw_lm_refusal_reasons without the seeds' columns."""
    end = last_day(calls["call_date"], as_of)
    lost = facts[facts["refusal"].notna()]
    found = {}
    for days in PERIODS:
        window = Window(days, end)
        own, before = (lost[part.holds(lost["call_date"])] for part in (window, window.before))
        counts = own["refusal"].value_counts()
        previous = before["refusal"].value_counts()
        for code, count in counts.items():
            low, high = proportion_confint(count, len(own), method="wilson")
            was = int(previous.get(code, 0))
            change = newcombe(count, len(own), was, len(before))
            loss = own.loc[own["refusal"] == code, "loss_rub"].sum()
            share = over(was, len(before))
            found[(days, code)] = {
                "period_start": window.start,
                "period_end": end,
                "reason_rank": 1 + counts[counts > count].nunique(),
                "lost_calls": count,
                "lost_share": count / len(own),
                "lost_share_low": low,
                "lost_share_high": high,
                "loss_rub": loss,
                "loss_share": over(loss, own["loss_rub"].sum()),
                "previous_lost_calls": was,
                "previous_share": share,
                "level_change": None if share is None else count / len(own) - share,
                "change_low": None if share is None else change[0],
                "change_high": None if share is None else change[1],
            }
    return found
