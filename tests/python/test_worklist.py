"""vw_lm_worklist: a client a row, what a call brings, the order, and how far the minutes reach.

And what calling has brought: int_callback_cases, vw_lm_callback_results, vw_lm_callback_holdout.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any

import pytest
from conftest import TestTarget
from pipeline_cases import NOW, build_clinic, execute, moment, skip_unless
from statsmodels.stats.power import NormalIndPower
from statsmodels.stats.proportion import confint_proportions_2indep

from python_scoring.base.database import Probe

Row = dict[str, Any]
DIAL_SEC, MINUTE_RUB, OCCUPANCY, WISH_DAYS = 30, 10, 0.5, 14


@pytest.fixture(scope="module")
def built(target: TestTarget) -> TestTarget:
    build_clinic(target)
    return target


def table(target: TestTarget, name: str, rest: str = "") -> list[Row]:
    with closing(target.connect()) as connection:
        cursor = connection.cursor(dictionary=True)
        cursor.execute(f"select * from {name} {rest}")
        return [dict(row) for row in cursor.fetchall()]


def reach_and_minutes(facts: list[Row], as_of: datetime) -> tuple[float, float, float]:
    """Share of calls out that are answered, minutes of an attempt, free minutes of the day."""
    day = as_of.date()
    out = [
        f
        for f in facts
        if (f["dimension"], f["dimension_value"]) == ("direction", "out")
        and day - timedelta(days=90) <= f["stat_date"] < day
    ]
    calls, answered = (sum(f[n] for f in out) for n in ("outgoing_calls", "outgoing_answered"))
    reach = (answered + 1) / (calls + 2)
    handled = float(sum(f["handle_sec"] for f in out)) / sum(f["handle_calls"] for f in out)
    minutes = (DIAL_SEC + reach * handled) / 60
    same = [
        f
        for f in facts
        if f["dimension"] == "all"
        and day - timedelta(days=28) <= f["stat_date"] < day
        and f["stat_date"].weekday() == day.weekday()
    ]
    hours = sum(f["operator_hours"] for f in same) / len(same)
    work = float(sum(f["work_sec"] for f in same)) / len(same) / 60
    return reach, minutes, max(0.0, OCCUPANCY * 60 * hours - work)


def added_if_reached(call: Row, inputs: Row, as_of: datetime) -> float:
    """What reaching the client adds to the chance of a booking."""
    if call["call_started_at"] < as_of - timedelta(days=WISH_DAYS):
        return 0.0
    chance = inputs["loss_chance"] * inputs["loss_no_return"]
    if not call["is_answered"]:
        return chance
    if call["is_booked"] or not call["wants_booking"] or call["is_objective_refusal"]:
        return 0.0
    return chance * inputs["loss_avoidable"]


def expected(target: TestTarget, as_of: datetime) -> list[Row]:
    """The list by plain Python from the tables below it."""
    calls = {c["history_id"]: c for c in table(target, "fct_call")}
    inputs = {c["history_id"]: c for c in table(target, "int_metric_inputs")}
    needs = {
        v["history_id"]: str(v["value_json"])
        for v in table(target, "lm_value", "where metric_code = 'followup_needed_flag'")
    }
    reach, minutes, free = reach_and_minutes(table(target, "lm_daily_facts"), as_of)
    clients: dict[str, list[Row]] = defaultdict(list)
    for row in table(target, "vw_lm_action_list"):
        clients[calls[row["history_id"]]["contact_key"]].append(row)
    found = []
    for rows in clients.values():
        worth = {
            row["history_id"]: inputs[row["history_id"]]["loss_ticket"]
            * added_if_reached(calls[row["history_id"]], inputs[row["history_id"]], as_of)
            * reach
            for row in rows
        }
        owed = [
            row
            for row in rows
            if row["list_code"] == "complaint"
            or (
                row["list_code"] == "callback"
                and any(
                    f'"need":"{n}"' in needs[row["history_id"]].replace(" ", "")
                    for n in ("N2", "N5")
                )
            )
        ]
        found.append(
            {
                "history_id": max(rows, key=lambda r: (r["call_started_at"], r["history_id"]))[
                    "history_id"
                ],
                "lists": {row["list_code"] for row in rows},
                "open_calls": len(worth),
                "is_owed": int(bool(owed)),
                "owed_due_at": min((row["due_at"] for row in owed), default=datetime.max),
                "due_at": min(row["due_at"] for row in rows),
                "expected_rub": max(worth.values()),
                "minutes": minutes,
                "free_minutes": free,
            }
        )
    for row in found:
        row["is_worth_it"] = row["is_owed"] or row["expected_rub"] >= MINUTE_RUB * minutes
    found.sort(
        key=lambda r: (
            not r["is_worth_it"],
            not r["is_owed"],
            r["owed_due_at"],
            -r["expected_rub"],
            r["due_at"],
            r["history_id"],
        )
    )
    for place, row in enumerate(found, 1):
        row["place"] = place
        row["is_today"] = int(bool(row["is_worth_it"]) and place * minutes <= free)
        row["off_reason"] = (
            None if row["is_today"] else "NO_MINUTES" if row["is_worth_it"] else "NOT_WORTH_IT"
        )
    return found


SAME = ("place", "history_id", "open_calls", "is_owed", "due_at", "is_today", "off_reason")
NEAR = {"expected_rub": 0.006, "minutes": 0.006, "free_minutes": 0.006}


def test_the_list_is_that_of_plain_python(built: TestTarget) -> None:
    ours = expected(built, NOW)
    theirs = table(built, "vw_lm_worklist", "order by place")
    assert len(ours) == len(theirs) > 20
    for mine, row in zip(ours, theirs, strict=True):
        assert {n: mine[n] for n in SAME} == {n: row[n] for n in SAME}
        assert set(row["lists"].split(", ")) == mine["lists"]
        for name, apart in NEAR.items():
            assert float(row[name]) == pytest.approx(mine[name], abs=apart), name
        assert float(row["expected_rub"]) == pytest.approx(
            float(row["ticket_rub"]) * (row["chance_if_called"] - row["chance_alone"]), abs=0.02
        )
    assert {row["off_reason"] for row in theirs} >= {None, "NOT_WORTH_IT"}


def test_every_client_is_there_once_with_all_that_is_open(built: TestTarget) -> None:
    theirs = table(built, "vw_lm_worklist")
    keys = [row["caller_key"] for row in theirs]
    assert len(keys) == len(set(keys)) and None not in keys
    with closing(built.connect()) as connection:
        question = "select count(distinct history_id) from vw_lm_action_list"
        calls = Probe(connection).rows(question)[0][0]
    assert sum(row["open_calls"] for row in theirs) == calls
    for row in theirs:
        assert row["action_ru"] and row["action_en"]
        assert row["reasons_ru"].count(": ") >= len(row["lists"].split(", "))
        # Somebody of the clinic has talked to who has been answered, and never after the run.
        assert row["last_talk_at"] is None or row["last_talk_at"] <= NOW


def test_the_minutes_cut_the_list_and_the_price_of_a_minute_too(built: TestTarget) -> None:
    def shown(**settings: Any) -> list[Row]:
        built.dbt("run", "--select", "vw_lm_worklist", vars={"as_of": moment(NOW), **settings})
        return table(built, "vw_lm_worklist", "order by place")

    few = shown(lm_worklist_minutes=10)
    reached = [row for row in few if row["is_today"]]
    assert len(reached) == int(10 / float(few[0]["minutes"]) + 1e-9) > 2
    assert [row["place"] for row in reached] == list(range(1, len(reached) + 1))
    assert {row["off_reason"] for row in few[len(reached) :]} == {"NO_MINUTES", "NOT_WORTH_IT"}
    free = [row for row in few if not row["is_owed"]]
    assert [row["expected_rub"] for row in free] == sorted(
        (row["expected_rub"] for row in free), reverse=True
    )
    dear = shown(lm_operator_minute_rub=300)
    assert all(
        row["is_owed"] or (row["off_reason"] == "NOT_WORTH_IT") == (row["rub_per_minute"] < 300)
        for row in dear
    )
    assert 0 < sum(row["is_today"] for row in dear) < sum(row["is_today"] for row in shown())


NEVER = datetime(9999, 12, 31)
# Late enough for most cases to be judged, early enough for some to be open.
LATER = NOW + timedelta(days=12)
CASE_VIEWS = ("int_callback_cases", "vw_lm_callback_results", "vw_lm_callback_holdout")


def rerun(target: TestTarget, *views: str, check: bool = True, **settings: Any) -> str:
    done = target.dbt(
        "run",
        "--select",
        *views,
        vars={"as_of": moment(LATER), **settings},
        check=check,
    )
    return done.stdout + done.stderr


def is_listed(row: Row, call: Row, inputs: Row, value: Row) -> bool:
    if value["value_numeric"] is None or call["is_frequent_number"] or not call["caller_key"]:
        return False
    if row["list_code"] == "callback":
        return bool(inputs["followup_need"]) and not inputs["followup_denied"]
    return bool(
        not call["is_booked"]
        and (row["value_from"] is None or value["value_numeric"] >= row["value_from"])
        and (row["value_label"] is None or value["value_label"] == row["value_label"])
    )


def moments(row: Row, call: Row, inputs: Row) -> tuple[datetime, datetime]:
    """When the list can know of the call, and until when it says to act."""
    start = call["call_started_at"]
    is_missed = row["list_code"] == "callback" and inputs["followup_need"] == "N1"
    listed = start if is_missed else max(start, call["reviewed_at"] or start)
    if row["list_code"] == "lost_opportunity" and not call["is_answered"]:
        listed = start + timedelta(hours=24)
    due = (
        inputs["followup_due_at"]
        if row["list_code"] == "callback"
        else start + timedelta(hours=row["due_hours"])
    )
    return listed, due + (listed - start)


def fate(case: Row, act_by: datetime, judged: datetime, as_of: datetime) -> str:
    """From the client's calls after the case's own, the first of each kind."""
    came = min(case["talk_in"], case["booking"])
    if judged > as_of:
        return "open"
    if case["need"] <= judged and case["need"] < min(came, case["talk_out"]):
        return "superseded"
    if case["attempt"] <= act_by and case["attempt"] <= came:
        return "in_time"
    if came <= act_by:
        return "came_alone"
    return "late" if case["attempt"] <= judged and case["attempt"] <= came else "never"


def cases_by_python(target: TestTarget, as_of: datetime) -> dict[tuple[str, int], Row]:
    """Key (list_code, history_id) to the case, from the calls themselves."""
    calls = [c for c in table(target, "fct_call") if c["call_started_at"]]
    inputs = {c["history_id"]: c for c in table(target, "int_metric_inputs")}
    values = {(v["history_id"], v["metric_code"]): v for v in table(target, "lm_value")}
    by_caller = defaultdict(list)
    for call in sorted(calls, key=lambda c: (c["start_epoch"], c["history_id"])):
        by_caller[call["caller_key"]].append(call)
    lists = sorted(table(target, "lm_action_lists"), key=lambda r: r["priority"] or 0)
    found = {}
    for call in calls:
        own = inputs[call["history_id"]]
        later = [c for c in by_caller[call["caller_key"]] if c["start_epoch"] > call["start_epoch"]]

        def first(later: list[Row] = later, **asked: Any) -> datetime:
            fitting = (c for c in later if all(c[n] == v for n, v in asked.items()))
            return next((c["call_started_at"] for c in fitting), NEVER)

        case = {
            "talk_in": first(direction="in", is_answered=1),
            "talk_out": first(direction="out", is_answered=1),
            "attempt": first(direction="out"),
            "booking": first(is_booked=1),
            "need": first(direction="in", is_short_abandon=0),
        }
        over = min(case[n] for n in ("talk_in", "talk_out", "booking", "need"))
        for row in lists:
            value = values[call["history_id"], row["metric_code"]]
            if not is_listed(row, call, own, value):
                continue
            listed, act_by = moments(row, call, own)
            if over <= listed:
                continue
            judged = listed + timedelta(days=14)
            became = fate(case, act_by, judged, as_of)
            is_booked = case["booking"] <= judged
            booked = [
                c for c in later if c["is_booked"] and c["call_started_at"] == case["booking"]
            ]
            found[row["list_code"], call["history_id"]] = {
                "week_start_date": call["week_start_date"],
                "reason_code": json.loads(value["value_json"])["reasons"][0]["code"],
                "is_owed": int(
                    row["list_code"] == "complaint"
                    or (row["list_code"] == "callback" and own["followup_need"] in ("N2", "N5"))
                ),
                "listed_at": listed,
                "act_by": act_by,
                "judged_at": judged,
                "first_attempt_at": None if case["attempt"] == NEVER else case["attempt"],
                "fate": became,
                "is_reached": int(became in ("in_time", "late") and case["talk_out"] <= judged),
                "is_booked_later": int(is_booked),
                "booked_rub": float(booked[0]["booked_value"] or 0) if is_booked else None,
            }
    return found


def test_the_cases_are_those_of_plain_python(built: TestTarget) -> None:
    fates = set()
    for as_of in (NOW, LATER):
        rerun(built, *CASE_VIEWS, as_of=moment(as_of))
        theirs = {(r["list_code"], r["history_id"]): r for r in table(built, "int_callback_cases")}
        ours = cases_by_python(built, as_of)
        assert set(ours) == set(theirs) and len(ours) > 100
        for key, mine in ours.items():
            row = theirs[key]
            rub, theirs_rub = mine.pop("booked_rub"), row["booked_rub"]
            assert {n: row[n] for n in mine} == mine, key
            assert (theirs_rub is None) is (rub is None), key
            assert float(theirs_rub or 0) == pytest.approx(rub or 0, abs=0.01)
        fates |= {row["fate"] for row in theirs.values()}
    assert fates == {"open", "superseded", "came_alone", "in_time", "late", "never"}


def test_the_results_add_up_over_lists_reasons_and_weeks(built: TestTarget) -> None:
    rerun(built, *CASE_VIEWS)
    cases = [c for c in table(built, "int_callback_cases") if c["fate"] != "superseded"]
    results = table(built, "vw_lm_callback_results")
    seen = set()
    for row in results:
        own = [
            case
            for case in cases
            if row["list_code"] in ("all", case["list_code"])
            and row["reason_code"] in ("all", case["reason_code"])
            and row["week_start_date"] in (None, case["week_start_date"])
        ]
        if row["list_code"] == "all":
            own = [case for case in own if case["list_place"] == 1]
            assert len(own) == len({case["history_id"] for case in own})
        by_fate = defaultdict(list)
        for case in own:
            by_fate[case["fate"]].append(case)
        waited = by_fate["late"] + by_fate["never"]
        in_time = by_fate["in_time"]
        counts = {
            "cases": len(own),
            "open_cases": len(by_fate["open"]),
            "came_alone": len(by_fate["came_alone"]),
            "due": len(in_time) + len(waited),
            "called_in_time": len(in_time),
            "called_late": len(by_fate["late"]),
            "never_called": len(by_fate["never"]),
            "booked_in_time": sum(c["is_booked_later"] for c in in_time),
            "booked_left_waiting": sum(c["is_booked_later"] for c in waited),
            "is_enough": int(min(len(in_time), len(waited)) >= 30),
        }
        assert {n: int(row[n]) for n in counts} == counts, row
        if row["list_code"] != "all":
            # One call on several lists has one booking, but another time to act on each.
            assert int(row["reached"]) == sum(
                c["is_reached"] for c in own if c["fate"] in ("in_time", "late")
            )
            for name, some in (
                ("booked_in_time_rub", in_time),
                ("booked_left_waiting_rub", waited),
            ):
                rub = sum(float(c["booked_rub"] or 0) for c in some)
                assert float(row[name]) == pytest.approx(rub, abs=0.01)
        assert_difference(row, counts)
        seen.add((row["list_code"], row["reason_code"], row["week_start_date"]))
    assert len(seen) == len(results)
    assert {("all", "all", None), ("callback", "all", None), ("callback", "NEED_N1", None)} <= seen


def assert_difference(row: Row, counts: dict[str, int]) -> None:
    n1, n2 = counts["called_in_time"], counts["due"] - counts["called_in_time"]
    if not n1 or not n2:
        assert row["difference"] is None
        return
    assert_interval(row, counts["booked_in_time"], n1, counts["booked_left_waiting"], n2)


def assert_interval(row: Row, k1: int, n1: int, k2: int, n2: int) -> None:
    low, high = confint_proportions_2indep(k1, n1, k2, n2, method="newcomb")
    assert float(row["difference"]) == pytest.approx(k1 / n1 - k2 / n2, abs=1e-9)
    assert float(row["difference_lo95"]) == pytest.approx(low, abs=1e-6)
    assert float(row["difference_hi95"]) == pytest.approx(high, abs=1e-6)


def lot(caller_key: str) -> float:
    return int(caller_key[-8:], 16) / 2**32


def test_the_worklist_leaves_out_whom_the_lot_says_and_owes_a_call_to_all(
    built: TestTarget,
) -> None:
    rerun(built, "vw_lm_worklist", lm_worklist_minutes=100000)
    whole = {r["caller_key"]: r for r in table(built, "vw_lm_worklist")}
    rerun(
        built,
        "vw_lm_worklist",
        lm_worklist_minutes=100000,
        lm_worklist_holdout_share=0.4,
        lm_worklist_holdout_since="2025-08-01",
    )
    drawn = {r["caller_key"]: r for r in table(built, "vw_lm_worklist")}
    assert set(whole) == set(drawn)
    out = {key for key, row in drawn.items() if row["off_reason"] == "HELD_OUT"}
    assert out == {key for key, row in whole.items() if lot(key) < 0.4 and not row["is_owed"]}
    assert 0 < len(out) < len(drawn)
    assert {key for key in out if drawn[key]["is_today"]} == set()
    assert {k for k, r in drawn.items() if r["is_today"]} == {
        k for k, r in whole.items() if r["is_today"]
    } - out
    rerun(built, "vw_lm_worklist")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"lm_worklist_holdout_share": 0.7}, "0 to 0.5"),
        ({"lm_worklist_holdout_share": "a third"}, "0 to 0.5"),
        ({"lm_worklist_holdout_share": 0.1}, "lm_worklist_holdout_since is ''"),
        (
            {"lm_worklist_holdout_share": 0.1, "lm_worklist_holdout_since": "1.12.2026"},
            "as '2026-12-31'",
        ),
    ],
)
def test_a_draw_that_cannot_be_is_told(
    built: TestTarget, settings: dict[str, Any], said: str
) -> None:
    skip_unless(built, "embedded")
    assert said in rerun(built, "vw_lm_callback_holdout", check=False, **settings)


def test_the_draw_finds_a_planted_effect(built: TestTarget) -> None:
    """Three quarters of the offered clients book, and a tenth of those left out."""
    since = datetime(2025, 7, 1)
    settings = {"lm_worklist_holdout_share": 0.5, "lm_worklist_holdout_since": "2025-07-01"}
    rerun(built, *CASE_VIEWS, **settings)
    first: dict[str, Row] = {}
    for case in sorted(
        table(built, "int_callback_cases"),
        key=lambda c: (c["listed_at"], c["history_id"], c["list_place"]),
    ):
        if case["listed_at"] >= since and case["judged_at"] <= LATER and not case["is_owed"]:
            first.setdefault(case["caller_key"], case)
    groups: dict[int, list[Row]] = {0: [], 1: []}
    for key, case in first.items():
        assert case["is_held_out"] == int(lot(key) < 0.5)
        groups[case["is_held_out"]].append(case)
    assert min(map(len, groups.values())) > 10
    booked = [c for place, c in enumerate(groups[0]) if place % 4]
    booked += [c for place, c in enumerate(groups[1]) if place % 10 == 0]
    schema = f"use `{built.schema}`"
    execute(built, schema, "create table kept as select history_id, next_booking_at from fct_call")
    execute(
        built,
        schema,
        "update fct_call set next_booking_at = null",
        *(
            (
                "update fct_call set next_booking_at = %s where history_id = %s",
                (case["judged_at"], case["history_id"]),
            )
            for case in booked
        ),
    )
    try:
        rows = {r["list_code"]: r for r in table(built, "vw_lm_callback_holdout")}
    finally:
        execute(
            built,
            schema,
            "update fct_call inner join kept on fct_call.history_id = kept.history_id"
            " set fct_call.next_booking_at = kept.next_booking_at",
            "drop table kept",
        )
        rerun(built, *CASE_VIEWS)
    row = rows["all"]
    n1, n2 = len(groups[0]), len(groups[1])
    k1, k2 = n1 - math.ceil(n1 / 4), math.ceil(n2 / 10)
    counts = (int(row[n]) for n in ("offered", "offered_booked", "held_out", "held_out_booked"))
    assert tuple(counts) == (n1, k1, n2, k2)
    assert_interval(row, k1, n1, k2, n2)
    assert row["difference_lo95"] < 0.65 < row["difference_hi95"] and row["is_told_apart"] == 1
    assert sum(int(r["offered"]) for code, r in rows.items() if code != "all") == n1
    # The same asked of statsmodels: clients a group for a power of 0.8, by the pooled variance.
    pooled = (k1 + k2) / (n1 + n2)
    effect = abs(float(row["difference"])) / math.sqrt(pooled * (1 - pooled))
    one = NormalIndPower().solve_power(effect, alpha=0.05, power=0.8, ratio=1)
    assert float(row["clients_needed"]) == pytest.approx(2 * one, abs=1.5)
    assert table(built, "vw_lm_callback_holdout") == []
