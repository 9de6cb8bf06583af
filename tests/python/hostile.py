"""Random hostile rows of the two source tables: everything their DDL lets in.

Not a likely clinic (python_scoring.simulation.simulate is) but every trap of
the sources at once: words that stand for null, spaces, cases, ё and е,
labels nobody knows, scores of two scales and none, several reviews of a second,
times missing or contradicting, robots, hidden numbers, calls of the same second.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

Row = dict[str, Any]

EPOCH = datetime(1970, 1, 1)
OFFSET = timedelta(hours=3)
BEGIN = datetime(2024, 12, 28)
SPECIAL_MOMENTS = (
    datetime(2024, 12, 31, 23, 59, 59),
    datetime(2025, 1, 1),
    datetime(2024, 2, 29, 12),
    datetime(2025, 3, 10),
    datetime(2025, 3, 10, 8),
    datetime(2025, 3, 9, 23, 59, 59),
    datetime(2031, 1, 1, 9),  # a clock that runs ahead
)
NOTHING = (None, "", " ", "None", "none", "nan", "NaN", "null", "NULL", " None ")
OUTCOMES = (
    "record",
    "lead_no_record",
    "info_only",
    "non_target",
    "cancelled_by_patient",
    "cancelled_by_operator",
    "refusal",
    "no_interest",
    "lead",
    "spam",
    "что-то новое",
    "🙂",
)
CATEGORIES = (
    ("Запись на услугу (успешная)", 1),
    ("Лид (без записи)", 2),
    ("Спам, реклама", 3),
    ("Напоминание о приёме", 5),
    ("Отмена записи", 6),
    ("Жалоба", 7),
    ("Сбой", 8),
    ("Технический звонок", 9),
    ("Перенос записи", 10),
    ("Навигация", 11),
    ("Информационный", 12),
    ("Ошибка данных", 13),
    ("Резерв", 14),
    ("Автоинформатор", 15),
    ("Не определено", 16),
    ("Неведомая категория 🙂", 99),
    ("Запись на услугу (успешная), наверно", -1),
)
REFUSALS = (
    "PRICE",
    "TIME_GENERAL",
    "URGENCY_NO_SLOTS",
    "DOCTOR_UNAVAILABLE",
    "LOCATION_INCONVENIENT",
    "SERVICE_NOT_PROVIDED",
    "AGE_RESTRICTION",
    "DOCUMENTS_REQUIRED",
    "PATIENT_WILL_CLARIFY",
    "OPERATOR_WILL_CLARIFY",
    "OTHER_REASON",
    "SOMETHING_NEW",
)
SOURCES = ("Сайт и другие порталы", "2ГИС", "Яндекс Карты", "ПроДокторов", "НаПоправку", "🙂")
SERVICES = ("Приём терапевта", "УЗИ", "Имплантация зубов", "массаж", "Телепортация")
SPECIALITIES = ("Терапевт", "Стоматолог", "Невролог", "Космонавт")
CHECKLISTS = ("Запись на приём", "Информационный звонок", "Тайный чек-лист", "🙂")
NAMES = ("Алёна Иванова", "Алена  Иванова", "Пётр O'Нил", 'Имя "в кавычках"', "100%_\\", "🙂")
REASONS = ("price", "Дорого", "service_not_provided", "Нет мест", "сам не знает", "🙂")


def messy(rng: random.Random, text: str) -> str:
    """The same text for a reader, another one for a computer."""
    if rng.random() < 0.3:
        text = rng.choice((text.upper(), text.lower(), text.title()))
    if rng.random() < 0.2:
        text = text.replace("ё", "е") if "ё" in text else text.replace("е", "ё", 1)
    if rng.random() < 0.3:
        text = rng.choice((" ", "  ", "\t")) + text.replace(" ", "  ") + rng.choice((" ", "\n"))
    return text


def words(rng: random.Random, choices: tuple[str, ...], empty: float, longest: int) -> str | None:
    """One of the texts, messed up; with chance `empty` one of the ways to say nothing."""
    if rng.random() < empty:
        return rng.choice(NOTHING)
    return messy(rng, rng.choice(choices))[:longest]


def maybe(rng: random.Random, chance_of_null: float, value: Any) -> Any:
    return None if rng.random() < chance_of_null else value


def moments(rng: random.Random, calls: int) -> Iterator[datetime]:
    """Starts over ten weeks; some special, some exactly a window's length after another."""
    seen: list[datetime] = []
    steps = (0, 1, 119, 120, 121, 600, 3600, 86_400, 2 * 86_400, 259_200, 604_800, 1_209_600)
    for _ in range(calls):
        chance = rng.random()
        if chance < 0.04:
            moment = rng.choice(SPECIAL_MOMENTS)
        elif chance < 0.35 and seen:
            moment = rng.choice(seen[-30:]) + timedelta(seconds=rng.choice(steps))
        else:
            moment = BEGIN + timedelta(
                days=rng.randrange(74), hours=rng.randrange(24), seconds=rng.randrange(3600)
            )
        seen.append(moment)
        yield moment


def outside_numbers(rng: random.Random) -> list[str]:
    """Regular callers, each in several spellings, and the spellings of nobody."""
    known = [f"9{rng.randrange(10**9):09d}" for _ in range(25)]
    spelt = [
        spelling
        for ten in known
        for spelling in (f"+7{ten}", f"8{ten}", f"8 ({ten[:3]}) {ten[3:6]}-{ten[6:]}", ten)
    ]
    return [*spelt, "02", "1234", "12345", "Anonymous", "", "None", "🙂", "sip:user@host"]


def hostile_history(rng: random.Random, calls: int) -> list[Row]:
    """Rows of call_history; one robot calls forty times a day for two days."""
    numbers = outside_numbers(rng)
    own = "+74950000000"
    starts = list(moments(rng, calls))
    robot_first = BEGIN + timedelta(days=rng.randrange(60), hours=9)
    robot = [robot_first + timedelta(days=d, minutes=7 * i) for d in (0, 1) for i in range(40)]
    planned = [(start, rng.choice(numbers)) for start in starts[: max(0, calls - len(robot))]]
    planned += [(start, "+79990000001") for start in robot][: calls - len(planned)]
    rng.shuffle(planned)
    rows = []
    for history_id, (start, number) in enumerate(planned, start=1):
        direction = rng.choices((1, 2, 3, 0, 7, None), (60, 25, 5, 1, 1, 8))[0]
        talk = rng.choices(
            (None, 0, 1, 2, rng.randrange(3, 15), int(rng.lognormvariate(4, 1)) + 1, 65_535),
            (10, 25, 2, 2, 8, 52, 1),
        )[0]
        talk = None if talk is None else min(talk, 65_535)
        wait = rng.choices(
            (None, 0, 4, 5, 20, 21, rng.randrange(200), 3600, 3601, 65_535),
            (15, 5, 5, 5, 5, 5, 55, 1, 1, 1),
        )[0]
        duration = rng.choice((None, None, 0, talk, (talk or 0) // 2, (talk or 0) + (wait or 0)))
        outgoing = direction == 2
        rows.append(
            {
                "history_id": history_id,
                "context_type": direction,
                "caller_number": own if outgoing else number,
                "called_number": number if outgoing else own,
                "caller_info": words(rng, NAMES, 0.4, 255),
                "called_info": words(rng, NAMES, 0.4, 255),
                "talk_duration": talk,
                "await_sec": wait,
                "duration": None if duration is None else min(duration, 65_535),
                **hostile_start(rng, start),
                "context_status": rng.choice((None, 0, 1, 1, 1)),
                "recall_status": maybe(rng, 0.8, rng.randrange(3)),
                "utm_source_by_number": words(rng, SOURCES, 0.5, 255),
                "entry_id": f"entry-{history_id}",
                "answered_extension": words(rng, ("101", "102", " 103 "), 0.7, 50),
                "answered_user_id": maybe(rng, 0.6, rng.randrange(5)),
            }
        )
    return rows


def hostile_start(rng: random.Random, start: datetime) -> Row:
    """The two times of a start: one or both missing, or contradicting each other."""
    stamp: int | None = int((start - OFFSET - EPOCH).total_seconds())
    local: datetime | None = start
    chance = rng.random()
    if chance < 0.25:
        local = None
    elif chance < 0.35:
        stamp = rng.choice((0, None))
    elif chance < 0.42:
        stamp, local = rng.choice((0, None)), None
    elif chance < 0.5:
        stamp = (stamp or 0) + rng.choice((-10_800, 3600, 86_400))
    return {"context_start_time": stamp, "context_start_time_dt": local}


def hostile_score(rng: random.Random, as_text: bool) -> float | str:
    """A mark: mostly 0..10, some days 0..100, sometimes no mark at all."""
    number = rng.choices(
        (round(rng.uniform(0, 10), 1), rng.randrange(11), rng.randrange(101), 0, -1, 100.5, 1e9),
        (40, 25, 15, 15, 2, 2, 1),
    )[0]
    if not as_text:
        return float(number)
    garbage = ("None", "nan", "", "отлично", "8/10", "--", "8,5", " 7.5 ", "1e3", "0x10", "🙂")
    return rng.choice(garbage) if rng.random() < 0.3 else f"{number}"


def hostile_scores(rng: random.Random, history: list[Row], as_text: bool) -> list[Row]:
    """Reviews: none, one or several of a call, some of the same second."""
    rows: list[Row] = []
    for call in history:
        first: datetime | None = None
        for _ in range(rng.choices((0, 1, 2, 3), (25, 55, 15, 5))[0]):
            start = call["context_start_time_dt"] or BEGIN
            delay = timedelta(days=rng.choice((0, 0, 1, 2, 7, 21, 40)), seconds=rng.choice((60, 0)))
            scored = first if first and rng.random() < 0.5 else start.replace(hour=15) + delay
            first = scored
            rows.append(hostile_review(rng, call, scored, as_text))
    # Ids in no order of time: a later review may have the smaller id.
    for row, review_id in zip(
        rows, rng.sample(range(1, 3 * len(rows) + 2), len(rows)), strict=True
    ):
        row["id"] = review_id
    return rows


def hostile_review(rng: random.Random, call: Row, scored: datetime, as_text: bool) -> Row:
    category, category_number = rng.choice(CATEGORIES)
    coherent = rng.random() < 0.6
    if coherent:
        category, category_number = rng.choice(CATEGORIES[:2])
    outcome = words(rng, OUTCOMES[:2] if coherent else OUTCOMES, 0.15, 32)
    number_category = rng.choice((category_number, category_number, 0, 1, 77))
    review: Row = {
        "history_id": call["history_id"],
        "call_score": hostile_score(rng, as_text),
        "score_date": scored,
        "call_date": maybe(rng, 0.3, call["context_start_time_dt"] or BEGIN + timedelta(days=3)),
        "call_type": words(rng, ("принятый", "пропущенный", "странный"), 0.2, 50),
        "context_type": words(rng, ("входящий", "исходящий", "внутренний", "иной"), 0.2, 255),
        "talk_duration": maybe(rng, 0.4, rng.randrange(300)),
        "call_success": words(rng, ("да", "нет"), 0.5, 50),
        "caller_info": words(rng, NAMES, 0.4, 255),
        "called_info": words(rng, NAMES, 0.4, 255),
        "caller_number": maybe(rng, 0.5, "+70000000000"),
        "called_number": maybe(rng, 0.5, "+70000000000"),
        "utm_source_by_number": words(rng, SOURCES, 0.5, 255),
        "call_category": words(rng, (category,), 0.05, 255) or "",
        "number_category": number_category,
        "number_checklist": maybe(rng, 0.3, rng.choice((-1, 0, 3, 7, 8, 9, 10, 11, 2**31 - 1))),
        "category_checklist": words(rng, CHECKLISTS, 0.3, 255),
        "is_target": rng.choices((0, 1), (25, 75))[0],
        "outcome": outcome,
        "requested_service_id": maybe(rng, 0.4, rng.choice((101, 112, 115, 122, 9999, 2**32 - 1))),
        "requested_service_name": words(rng, SERVICES, 0.5, 255),
        "requested_doctor_id": maybe(rng, 0.8, rng.randrange(9)),
        "requested_doctor_name": words(rng, NAMES, 0.8, 255),
        "requested_doctor_speciality": words(rng, SPECIALITIES, 0.5, 255),
        "refusal_reason": words(rng, REASONS, 0.6, 255),
    }
    if not as_text:  # older installations have neither the code nor a numeric score
        review["refusal_category_code"] = words(rng, REFUSALS, 0.5, 64)
    return review


def hostile_source(
    seed: int, calls: int, *, score_as_text: bool = False
) -> tuple[list[Row], list[Row]]:
    """Rows of call_history and call_scores; the same for the same arguments.

    `score_as_text` makes rows for the DDL variant `old` of source_tables.
    """
    rng = random.Random(seed)
    history = hostile_history(rng, calls)
    return history, hostile_scores(rng, history, score_as_text)
