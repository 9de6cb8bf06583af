"""Source rows for the comparison: a simulated clinic made small, and a year of regular callers.

The year is long enough for the constants that need half a year of history and
half a year to wait for what came of it.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from mysql.connector.abstracts import MySQLConnectionAbstract

from python_scoring.base.source_tables import insert_rows
from python_scoring.simulation import simulate

Row = dict[str, Any]

OWN_NUMBER = "+74950000000"
KEPT_OF_SIMULATED = 5  # every fifth caller, with all his calls
# What may follow what: (service_id, the likely next ones).
PATHS = (
    (101, (119, 103, 115)),
    (103, (119, 115, 116)),
    (112, (116, 101)),
    (119, (101, 103)),
    (115, (103, 110, 119)),
    (110, (115, 119)),
)
# (outcome, category, its number, refusal code, talk seconds about)
RESULTS = (
    ("record", "Запись на услугу (успешная)", 1, None, 74),
    ("lead_no_record", "Лид (без записи)", 2, "PRICE", 45),
    ("lead_no_record", "Лид (без записи)", 2, "TIME_GENERAL", 45),
    ("lead_no_record", "Лид (без записи)", 2, None, 45),
    ("refused", "Лид (без записи)", 2, "DOCTOR_UNAVAILABLE", 60),
    ("info_only", "Информационный", 0, None, 33),
    ("cancelled_by_patient", "Отмена записи", 6, None, 42),
    ("non_target", "Спам, реклама", 3, None, 15),
)
WEIGHTS = (40, 6, 6, 8, 5, 20, 8, 7)
SOURCES = ("Сайт и другие порталы", "2ГИС", None)


@dataclass(frozen=True)
class Source:
    """Rows of both source tables."""

    history: Sequence[Mapping[str, Any]]
    scores: Sequence[Mapping[str, Any]]

    def shifted(self, offset: int) -> Source:
        """The same calls under other ids, to stand beside other data in one table."""
        history = [
            {
                **row,
                "history_id": row["history_id"] + offset,
                "entry_id": f"{offset}-{row['entry_id']}",
            }
            for row in self.history
        ]
        scores = [
            {**row, "history_id": row["history_id"] + offset, "id": row["id"] + offset}
            for row in self.scores
        ]
        return Source(history, scores)

    def insert(self, connection: MySQLConnectionAbstract, schema: str) -> None:
        for table, rows in (("call_history", self.history), ("call_scores", self.scores)):
            columns = list(rows[0])
            values = (tuple(row[column] for column in columns) for row in rows)
            insert_rows(connection, schema, table, columns, values)


def simulated_source(days: int, start: date, seed: int) -> Source:
    """Every call of every fifth caller of a simulated clinic."""
    clinic = simulate.simulate(days=days, seed=seed, start=start, probabilities=False)
    history = [
        row
        for row in records(clinic.call_history)
        if sum(map(ord, row["caller_number"] + row["called_number"])) % KEPT_OF_SIMULATED == 0
    ]
    kept = {row["history_id"] for row in history}
    scores = [row for row in records(clinic.call_scores) if row["history_id"] in kept]
    for review_id, row in enumerate(scores, start=1):
        row["id"] = review_id
    return Source(history, scores)


def records(frame: Any) -> Iterable[Row]:
    columns = list(frame.columns)
    return (dict(zip(columns, row, strict=True)) for row in simulate.plain_rows(frame))


def year_source(seed: int, calls: int, begin: datetime, weeks: int) -> Source:
    """Regular callers who go from one service to the next, and are reviewed within days.

    Only every third week has calls: each costs a run of all the constants.
    """
    rng = random.Random(seed)
    history: list[Row] = []
    scores: list[Row] = []
    callers = [
        (f"+7905{rng.randrange(10**7):07d}", rng.choice(PATHS)[0]) for _ in range(calls // 8)
    ]
    busy = range(0, weeks, 3)
    starts = sorted((7 * rng.choice(busy) + rng.uniform(0, 7)) * 86_400 for _ in range(calls))
    for history_id, offset in enumerate(starts, start=1):
        who = rng.randrange(len(callers))
        phone, service = callers[who]
        if rng.random() < 0.35:
            following = dict(PATHS).get(service, (101,))
            service = rng.choice((*following[:1] * 2, *following))
            callers[who] = (phone, service)
        start = begin + timedelta(seconds=int(offset))
        start = start.replace(hour=8 + start.hour % 12)
        call, review = year_call(rng, history_id, start, phone, service)
        history.append(call)
        if review is not None:
            scores.append(review)
    return Source(history, scores)


def year_call(
    rng: random.Random, history_id: int, start: datetime, phone: str, service: int
) -> tuple[Row, Row | None]:
    outcome, category, category_number, refusal, usual = rng.choices(RESULTS, WEIGHTS)[0]
    answered, outgoing = rng.random() < 0.88, rng.random() < 0.2
    talk = int(rng.lognormvariate(0, 0.7) * usual) + 1 if answered else 0
    wait = rng.randrange(60)
    call: Row = {
        "history_id": history_id,
        "context_type": 2 if outgoing else 1,
        "caller_number": OWN_NUMBER if outgoing else phone,
        "called_number": phone if outgoing else OWN_NUMBER,
        "talk_duration": talk,
        "await_sec": wait,
        "duration": rng.choice((None, talk + wait)),
        "context_start_time": int((start - datetime(1970, 1, 1)).total_seconds()) - 3 * 3600,
        "context_start_time_dt": start,
        "context_status": int(rng.random() < 0.95),
        "utm_source_by_number": rng.choice(SOURCES),
        "entry_id": f"year-{history_id}",
        "answered_user_id": rng.randrange(1, 6) if answered else None,
    }
    if not answered or rng.random() < 0.1:
        return call, None
    delay = timedelta(days=rng.choice((0, 1, 1, 2, 3, 9)))
    named = rng.random() < 0.85
    review: Row = {
        "id": history_id,
        "history_id": history_id,
        "call_score": round(rng.uniform(2, 10), 1)
        if rng.random() < 0.97
        else rng.randrange(40, 95),
        "score_date": start.replace(hour=21) + delay,
        "call_type": "принятый",
        "call_category": category,
        "number_category": category_number,
        "number_checklist": rng.randrange(3, 15),
        "category_checklist": rng.choice(("Запись на приём", "Лид", "Новый чек-лист")),
        "is_target": int(category_number != 3),
        "outcome": outcome,
        "requested_service_id": service if named else None,
        "refusal_reason": None,
        "refusal_category_code": refusal,
    }
    return call, review
