"""What a manager reads: who is to be called, and why a call is or is not on a list.

Calls of a Thursday, made by hand, and what happened with their callers two hours later.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from conftest import TestTarget
from oracle_data import Source
from pipeline_cases import BUILD, Row, a_review, execute, fill, moment, own_schema, plain, run

CLINIC = "74950000000"
DAY = datetime(2025, 9, 18)
NOON, LATER = DAY.replace(hour=12), DAY.replace(hour=14)
VIEWS = ("vw_lm_action_list", "vw_lm_call_explained", "vw_lm_call_features")
COMPLAINT = {"call_category": "Жалоба", "number_category": 7, "outcome": "info_only"}


def a_call(call: int, caller: int, start: datetime, talk: int = 0, **changes: Any) -> Row:
    """An incoming call of 40 s of waiting, missed without a talk."""
    return {
        "history_id": call,
        "context_type": 1,
        "caller_number": f"7905000{caller:04d}",
        "called_number": CLINIC,
        "talk_duration": talk,
        "await_sec": 40,
        "context_start_time_dt": moment(start),
        "context_status": 1,
        "entry_id": f"call-{call}",
        "created_at": moment(start),
        **changes,
    }


def ring(call: int, caller: int, start: datetime, talk: int = 0) -> Row:
    """The clinic rings the caller."""
    turned = {"caller_number": CLINIC, "called_number": f"7905000{caller:04d}"}
    return a_call(call, caller, start, talk, context_type=2, **turned)


def at(hour: int, minute: int = 0, days_ago: int = 0) -> datetime:
    return DAY - timedelta(days=days_ago) + timedelta(hours=hour, minutes=minute)


def reviewed(call: int, start: datetime, **changes: Any) -> Row:
    return a_review(call, call, start + timedelta(minutes=5), **changes)


BY_NOON = Source(
    [
        # Missed, and tried twice since.
        a_call(1, 1, at(10)),
        ring(2, 1, at(10, 10)),
        ring(3, 1, at(10, 50)),
        # Missed: called back, booked, missed again after noon; left alone; of a hidden number.
        a_call(11, 11, at(10, 5)),
        a_call(12, 12, at(10, 6)),
        a_call(13, 13, at(10, 7)),
        a_call(14, 14, at(11, 45)),
        a_call(15, 15, at(10, 8), caller_number="anonymous"),
        # Complaints: open, older than the list, spoken with since, tried since.
        a_call(21, 21, at(9), 120),
        a_call(22, 22, at(9, days_ago=20), 120),
        a_call(23, 23, at(9, 10), 120),
        ring(24, 23, at(10, 30), 90),
        a_call(25, 25, at(9, 20), 120),
        ring(26, 25, at(10, 40)),
        # Answered: without a review, a question only, a booking.
        a_call(31, 31, at(9, 30), 60),
        a_call(32, 32, at(9, 40), 60),
        a_call(33, 33, at(9, 50), 90),
    ],
    [
        *(reviewed(call, at(9), **COMPLAINT) for call in (21, 23, 25)),
        reviewed(22, at(9, days_ago=20), **COMPLAINT),
        reviewed(
            32, at(9, 40), call_category="Информационный", number_category=0, outcome="info_only"
        ),
        reviewed(
            33,
            at(9, 50),
            call_category="Запись на услугу (успешная)",
            number_category=1,
            outcome="record",
        ),
    ],
)
AFTER_NOON = Source(
    [
        ring(41, 11, at(12, 30), 70),
        a_call(42, 12, at(12, 40), 80),
        a_call(43, 13, at(12, 50)),
    ],
    [
        reviewed(
            42,
            at(12, 40),
            call_category="Запись на услугу (успешная)",
            number_category=1,
            outcome="record",
        )
    ],
)


@dataclass(frozen=True)
class Lists:
    """The lists at noon and at two, and the explanations at two."""

    target: TestTarget
    noon: dict[tuple[str, int], Row]
    later: dict[tuple[str, int], Row]
    explained: dict[tuple[int, str], Row]


@pytest.fixture(scope="module")
def lists(target: TestTarget) -> Iterator[Lists]:
    with own_schema(target, "lists") as here:
        fill(here, BY_NOON)
        run(here, *BUILD, "--select", "resource_type:seed", *(f"+{v}" for v in VIEWS), as_of=NOON)
        noon = {(row["list_code"], row["history_id"]): row for row in read(here, VIEWS[0])}
        fill(here, AFTER_NOON)
        # What an afternoon changes: no model of the weeks before.
        run(
            here,
            "run",
            "--select",
            "int_calls",
            "fct_call",
            "int_metric_inputs",
            "lm_value",
            *VIEWS,
            as_of=LATER,
        )
        later = {(row["list_code"], row["history_id"]): row for row in read(here, VIEWS[0])}
        explained = {(row["history_id"], row["metric_code"]): row for row in read(here, VIEWS[1])}
        yield Lists(here, noon, later, explained)


def read(target: TestTarget, view: str, where: str = "1 = 1") -> list[Row]:
    with (
        closing(target.connect()) as connection,
        closing(connection.cursor(dictionary=True)) as cursor,
    ):
        cursor.execute(f"select * from {view} where {where}")
        return [{n: plain(n, value) for n, value in row.items()} for row in cursor.fetchall()]


def test_missed_call_is_to_be_called_back(lists: Lists) -> None:
    row = lists.noon["callback", 1]
    assert row["due_at"] == at(10, 30)
    assert (row["is_overdue"], row["attempts"], row["priority"]) == (1, 2, 1)
    assert row["reasons_ru"] == "Входящий звонок пропущен."
    assert row["reasons_en"] == "An incoming call was missed."
    assert (row["action_ru"], row["action_en"]) == ("Перезвонить клиенту", "Call the client back")
    fresh = lists.noon["callback", 14]
    assert (fresh["due_at"], fresh["is_overdue"], fresh["attempts"]) == (at(12, 15), 0, 0)
    assert lists.later["callback", 14]["is_overdue"] == 1


def test_who_is_on_the_callback_list(lists: Lists) -> None:
    missed = {("callback", call) for call in (1, 11, 12, 13, 14)}
    complaints = {("callback", call) for call in (21, 25)}
    on_list = {key for key in lists.noon if key[0] == "callback"}
    assert on_list == missed | complaints


@pytest.mark.parametrize(
    ("call", "code", "russian"),
    [
        (11, "CLOSED_BY_CALLBACK", "Закрыто: клиенту перезвонили"),
        (12, "CLOSED_BY_BOOKING", "Закрыто: клиент записался"),
        (13, "SUPERSEDED", "Закрыто: клиент позвонил снова, смотрите новый звонок"),
    ],
)
def test_call_leaves_by_itself(lists: Lists, call: int, code: str, russian: str) -> None:
    assert ("callback", call) in lists.noon
    assert ("callback", call) not in lists.later
    row = lists.explained[call, "followup_needed_flag"]
    assert (row["is_on_list"], row["off_list_code"], row["off_list_ru"]) == (0, code, russian)
    assert row["action_ru"] is None and row["action_en"] is None


def test_the_newer_missed_call_takes_its_place(lists: Lists) -> None:
    assert lists.later["callback", 43]["due_at"] == at(13, 20)


@pytest.mark.parametrize(
    ("call", "metric", "code"),
    [
        (22, "complaint_risk_flag", "TOO_OLD"),
        (23, "complaint_risk_flag", "LATER_CONTACT"),
        (31, "complaint_risk_flag", "NO_REVIEW"),
        (32, "complaint_risk_flag", "BELOW_THRESHOLD"),
        (1, "complaint_risk_flag", "NOT_ANSWERED"),
        (15, "followup_needed_flag", "NO_NUMBER"),
        (22, "followup_needed_flag", "EXPIRED"),
        (32, "followup_needed_flag", "NO_NEED"),
        (33, "churn_risk_level", "BELOW_THRESHOLD"),
    ],
)
def test_why_a_call_is_not_on_a_list(lists: Lists, call: int, metric: str, code: str) -> None:
    row = lists.explained[call, metric]
    assert (row["is_on_list"], row["off_list_code"]) == (0, code)
    # In words, not as a code.
    assert code not in row["off_list_ru"] and code not in row["off_list_en"]


def test_open_complaint_is_listed_with_its_reason(lists: Lists) -> None:
    row = lists.noon["complaint", 21]
    assert row["reasons_ru"].startswith("Клиент пожаловался (+100).")
    assert row["action_ru"] == "Разобрать жалобу и перезвонить"
    assert row["due_at"] == at(13)
    # Nobody answered the attempt to call 25 back: the complaint stays.
    assert {call for code, call in lists.noon if code == "complaint"} == {21, 25}


def test_a_gate_is_explained_in_both_languages(lists: Lists) -> None:
    row = lists.explained[31, "complaint_risk_flag"]
    assert (row["value_numeric"], row["status"], row["gate"]) == (None, "gated", "NO_REVIEW")
    assert row["gate_ru"] == "Звонок ещё не проверен"
    assert row["gate_en"] == "The call has not been reviewed yet"
    assert row["action_ru"] == "Проверить звонок"
    assert row["reasons_ru"] is None


def test_numbers_stand_in_the_sentence(lists: Lists) -> None:
    # 40 s against 20 s: one half-life of 20 s late, so 100 becomes 50.
    row = lists.explained[31, "response_speed_score"]
    assert row["reasons_ru"] == "Клиент ждал 40 с при норме 20 с (-50)."
    assert row["reasons_en"] == "The caller waited 40 s against a target of 20 s (-50)."


def test_numbers_are_short_and_shares_in_per_cent(lists: Lists) -> None:
    # 60 s of talk in 100 s of line time: 0.6.
    row = lists.explained[31, "talk_time_efficiency"]
    assert "Разговор занял 60 % времени на линии (+" in row["reasons_ru"]
    for row in lists.explained.values():
        for name, text in row.items():
            if name.endswith(("_ru", "_en")) and text is not None:
                assert not re.search(r"[{}?]|\d[.,]0\b", text), (row["metric_code"], text)


def test_the_two_views_agree(lists: Lists) -> None:
    on_list = {
        (r["list_code"], r["history_id"]) for r in lists.explained.values() if r["is_on_list"]
    }
    assert on_list == set(lists.later)


def test_one_row_a_call_with_its_metrics(lists: Lists) -> None:
    features = {row["history_id"]: row for row in read(lists.target, VIEWS[2])}
    assert set(features) == {row["history_id"] for row in (*BY_NOON.history, *AFTER_NOON.history)}
    for (call, metric), row in lists.explained.items():
        if row["metric_group"] == "aux":
            continue
        assert features[call][metric] == row["value_numeric"], (call, metric)
        assert features[call][f"{metric}_label"] == row["value_label"], (call, metric)
    assert features[1]["calc_profile"] == "default_v1"
    assert not {"caller_key", "contact_key"} & set(features[1])


def test_a_code_without_a_text_shows_itself(lists: Lists) -> None:
    execute(
        lists.target,
        f"delete from `{lists.target.schema}`.int_reason_texts where reason_code = 'WAIT_OVER_SLA'",
    )
    where = "history_id = 31 and metric_code = 'response_speed_score'"
    (row,) = read(lists.target, VIEWS[1], where)
    assert row["reasons_ru"] == row["reasons_en"] == "WAIT_OVER_SLA."
