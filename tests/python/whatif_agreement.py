"""What-if against the simulator, whose mechanism can really be changed.

`python tests/python/whatif_agreement.py [seeds]`: the clinic is simulated to a day, the engine
predicts what a change from that day on does, the simulator is run again with the same callers and
the change, and both are compared.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import pandas as pd

from python_scoring.simulation.clinic import ClinicConfig, Shift
from python_scoring.simulation.simulate import simulate
from python_scoring.whatif.engine import Outcome, compare
from python_scoring.whatif.scenario import Effect, Scenario
from python_scoring.whatif.world import ENDS, World

START = date(2025, 9, 1)
# No promotion in the horizon: the plain forecast here does not know of them.
PAST_DAYS, DAYS = 84, 14
TARGETS = ("calls", "answered", "bookings", "lost", "talk_hours")
PLAIN = ClinicConfig()
LAST = DAYS - 1
WEEK = (0, 1, 2, 3, 4, 5, 6)


@dataclass(frozen=True)
class Case:
    """A change of the mechanism, and the effect a user would write for it."""

    name: str
    changed: ClinicConfig
    effect: Effect


def booked_more(calls: pd.DataFrame, shift: float) -> float:
    """Rate of booking after a shift of every caller's log-odds: on average of all of them."""
    rate = calls["is_booked"].sum() / (calls["is_booked"] + calls["is_lost"]).sum()
    odds = np.log(rate / (1 - rate)) + 0.45 * np.random.default_rng(5).standard_normal(100_000)
    scale = rate - float((1 / (1 + np.exp(-odds))).mean())
    return float((1 / (1 + np.exp(-odds - shift))).mean()) + scale


def cases() -> list[Case]:
    """Traffic, staffing and conversion."""
    # Colleagues of about mean level, in the weeks in which they are off.
    more_people = (
        *PLAIN.shifts,
        Shift(4, (0, 1, 2, 3, 4), 8, 16, 0),
        Shift(3, (0, 1, 2, 3, 4), 8, 16, 1),
    )
    without = tuple(shift for shift in PLAIN.shifts if shift.operator not in (2,))
    site, second = PLAIN.sources[1].label or "", PLAIN.operators[2].name
    return [
        Case(
            "source off",
            replace(PLAIN, source_multiplier={site: 0.0}),
            Effect("traffic", "source", site, "off", 0, 0, LAST),
        ),
        Case(
            "source doubled",
            replace(PLAIN, source_multiplier={site: 2.0}),
            Effect("traffic", "source", site, "multiply", 2, 0, LAST),
        ),
        Case(
            "all traffic x1.5",
            replace(PLAIN, source_multiplier={s.label or "": 1.5 for s in PLAIN.sources}),
            Effect("traffic", "source", "all", "multiply", 1.5, 0, LAST),
        ),
        Case(
            "an operator leaves",
            replace(PLAIN, shifts=without),
            Effect("operator", "operator", second, "leaves", 0, 0, LAST),
        ),
        Case(
            "one more 8-16 Mon-Fri",
            replace(PLAIN, shifts=more_people),
            Effect(
                "answering",
                "",
                "all",
                "extra_people",
                1,
                0,
                LAST,
                None,
                tuple(range(8, 16)),
                (0, 1, 2, 3, 4),
            ),
        ),
        Case(
            "conversion up",
            replace(PLAIN, booking_shift=0.6),
            Effect("conversion", "", "all", "rate", -1, 0, LAST),
        ),
        Case(
            "a third of refusals gone",
            replace(PLAIN, refusal_relief=dict.fromkeys(all_codes(), 1 / 3)),
            Effect("refusal", "code", "all", "removed", 1 / 3, 0, LAST),
        ),
        Case(
            "all called back fast",
            replace(PLAIN, callback_share=0.95, callback_speed=12.0),
            Effect("call_backs", "", "all", "share", 0.95, 0, LAST, within_min=5),
        ),
    ]


def all_codes() -> tuple[str, ...]:
    from python_scoring.simulation.mechanism import REFUSALS

    return REFUSALS


def frame(truth: pd.DataFrame) -> pd.DataFrame:
    """The truth as the log of a clinic that reviews everything at once."""
    lead, booked = truth["result"] == "lead", truth["result"] == "record"
    started = truth["started_at"]
    direction = truth["direction"].map({1: "in", 2: "out", 3: "internal"})
    answered = (truth["talk_sec"] > 0).astype(int)
    return pd.DataFrame(
        {
            "caller": np.where(
                truth["caller_id"] == 0, -1000 - truth["history_id"], truth["caller_id"]
            ),
            "epoch": (started - pd.Timestamp(0)) // pd.Timedelta(seconds=1),
            "day": started.dt.date.map(date.toordinal),
            "hour": started.dt.hour,
            "weekday": started.dt.day_of_week,
            "direction": direction,
            "is_answered": answered,
            "wait_sec": truth["wait_sec"],
            "talk_sec": truth["talk_sec"],
            "operator": truth["operator"].replace("", "unknown"),
            "source": truth["source"].replace("", "unknown"),
            "service": truth["service_id"].astype(str).replace("0", "unknown"),
            "service_group": "unknown",
            "refusal_code": truth["refusal_code"],
            "is_booked": booked.astype(int),
            "is_lost": lead.astype(int),
            "is_machine": truth["kind"].isin(["robot", "partner"]).astype(int),
            "loss_rub": lead * 1000.0,
            "is_risky": (truth["result"] == "complaint").astype(int),
            "in_sla": ((answered == 1) & (truth["wait_sec"] <= 20))
            .where(direction == "in")
            .astype(float),
        }
    )


def totals(calls: pd.DataFrame) -> dict[str, float]:
    """What came in the horizon."""
    incoming = calls[calls["direction"] == "in"]
    return {
        "calls": len(calls),
        "answered": float(incoming["is_answered"].sum()),
        "bookings": float(calls["is_booked"].sum()),
        "lost": float(calls["is_lost"].sum()),
        "talk_hours": float(calls.loc[calls["direction"] != "x", "talk_sec"].sum() / 3600),
        "service_level": float(incoming["in_sla"].mean()),
    }


def world_of(log: pd.DataFrame, first_day: date, days: int = DAYS) -> World:
    """The log and a plain forecast: the mean of the last four same weekdays, Poisson and more."""
    first = first_day.toordinal()
    rows = []
    parts = [("all", "all", log), ("direction", "in", log[log["direction"] == "in"])]
    parts += [("source", name, own) for name, own in log.groupby("source")]
    for dimension, value, own in parts:
        values = {
            "calls": pd.Series(1.0, own.index),
            "bookings": own["is_booked"],
            "lost": own["is_lost"],
            "risky": own["is_risky"],
            "talk_minutes": own["talk_sec"] / 60,
        }
        for target, numbers in values.items():
            by_day = numbers.groupby(own["day"]).sum().reindex(range(first - 28, first)).fillna(0)
            for day in range(first, first + days):
                mean = by_day.loc[
                    [day - 7 * w - 7 * (day - first >= 7) for w in range(1, 4)]
                ].mean()
                sd = np.sqrt(mean + (0.15 * mean) ** 2)
                ends = [mean + z * sd for z in (-1.96, -1.28, 0, 1.28, 1.96)]
                rows.append((target, dimension, value, day, *np.maximum(ends, 0)))
    columns = ["target", "dimension", "dimension_value", "day", *ENDS]
    return World(
        calls=log,
        forecast=pd.DataFrame(rows, columns=columns),
        totals=pd.DataFrame(columns=["target", "days", *ENDS]),
        first_day=first_day,
        days=days,
        calls_through=first - 1,
        reviews_through=first - 1,
    )


def agreement(seed: int, chosen: Callable[[str], bool] = lambda name: True) -> pd.DataFrame:
    """One row a case and target: predicted difference, its 95 % interval, what came."""
    since = START + timedelta(days=PAST_DAYS)

    def run(changed: ClinicConfig | None) -> pd.DataFrame:
        made = simulate(
            PAST_DAYS + DAYS,
            seed,
            START,
            probabilities=False,
            changed=changed,
            changed_from=since if changed else None,
        )
        return frame(made.truth)

    plain = run(None)
    log = plain[plain["day"] < since.toordinal()].reset_index(drop=True)
    world = world_of(log, since)
    wanted = [case for case in cases() if chosen(case.name)]
    rate = booked_more(log, 0.6)
    scenarios = [
        Scenario(one.name, (replace(one.effect, size=rate) if one.effect.size < 0 else one.effect,))
        for one in wanted
    ]
    outcomes = compare(world, scenarios)
    before = totals(plain[plain["day"] >= since.toordinal()])
    rows = []
    for case, outcome in zip(wanted, outcomes, strict=True):
        other = run(case.changed)
        after = totals(other[other["day"] >= since.toordinal()])
        rows += compared(outcome, before, after)
    return pd.DataFrame(rows).assign(seed=seed)


def compared(
    outcome: Outcome, before: dict[str, float], after: dict[str, float]
) -> list[dict[str, object]]:
    whole = outcome.rows[outcome.rows["grain"] == "total"].set_index("target")
    found: list[dict[str, object]] = []
    for target in before:
        row = whole.loc[target]
        came = after[target] - before[target]
        found.append(
            {
                "case": outcome.scenario.name,
                "target": target,
                "before": before[target],
                "predicted": row["difference"],
                "low": row["difference_lo95"],
                "high": row["difference_hi95"],
                "came": came,
                "within": row["difference_lo95"] <= came <= row["difference_hi95"],
            }
        )
    return found


def main() -> None:
    seeds = [int(seed) for seed in sys.argv[1:]] or [1, 2, 3]
    found = pd.concat([agreement(seed) for seed in seeds], ignore_index=True)
    pd.set_option("display.width", 200, "display.max_rows", 500)
    print(found.round(2).to_string(index=False))
    print(found.groupby(["case", "target"])["within"].mean().unstack().to_string())
    print(f"within the 95 % interval: {found['within'].mean():.1%} of {len(found)}")


if __name__ == "__main__":
    main()
