"""vw_lm_worklist: a client a row, what a call brings, the order, and how far the minutes reach."""

from __future__ import annotations

from collections import defaultdict
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any

import pytest
from conftest import TestTarget
from pipeline_cases import NOW, build_clinic, moment

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
