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
# One of the operators rings the clinic, too.
CLIENTS = ("Зоя Клиентова", "Пётр O'Нил", 'ООО "Ромашка"', "🙂 Клиент", "unknown", "клиент 100%_\\")
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
                "caller_info": words(rng, NAMES if outgoing else CLIENTS, 0.4, 255),
                "called_info": words(rng, CLIENTS if outgoing else NAMES, 0.4, 255),
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
    outgoing = call["context_type"] == 2
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
        "caller_info": words(rng, NAMES if outgoing else CLIENTS, 0.4, 255),
        "called_info": words(rng, CLIENTS if outgoing else NAMES, 0.4, 255),
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


# Texts that break what reads, writes or shows them, and the ends of every type of the sources.
WILD_TEXTS = (
    "'; drop table lm_value; -- ",
    "{{ 1 / 0 }}{% do return(1) %}",
    "=cmd|' /C calc'!A0",
    "\\",
    "\\'\"`%s%%",
    "<script>alert(1)</script>",
    "\u202eкевар\u202c",
    "\u200b\u2060\ufeff\u00ad",
    "re\u200bcord",
    "\x01\x1f\x7f",
    "👨\u200d👩\u200d👧 𐍈" * 20,
    "а\u0301" * 60,
)
TEXT_LENGTHS = (0, 1, 127, 128, 129, 255, 256, 999, 1000, 1001, 65_535)
TINY = (-128, -1, 127)
SMALL = (0, 1, 3601, 65_535)
INTEGER = (-(2**31), -1, 0, 2**31 - 1)
UNSIGNED = (0, 1, 10**9, 2**32 - 1)
TIMES = (
    datetime(1000, 1, 1),
    datetime(1969, 12, 31, 23, 59, 59),
    datetime(1989, 12, 31, 23, 59, 59),
    datetime(1990, 1, 1),
    datetime(2037, 12, 31, 23, 59, 59),
    datetime(2038, 1, 19, 3, 14, 8),
    datetime(9999, 12, 31, 23, 59, 59),
)
SCORES = (-3.4e38, -1.0, 1e-38, 100.0001, 999_999.5, 3.4e38)
WILD_HISTORY: dict[str, tuple[Any, ...]] = {
    "context_type": TINY,
    "talk_duration": SMALL,
    "await_sec": SMALL,
    "duration": SMALL,
    "context_start_time": UNSIGNED,
    "context_start_time_dt": TIMES,
    "context_status": TINY,
    "recall_status": UNSIGNED,
    "answered_user_id": INTEGER,
}
WILD_SCORES: dict[str, tuple[Any, ...]] = {
    "call_score": SCORES,
    "score_date": TIMES,
    "call_date": TIMES,
    "talk_duration": SMALL,
    "number_category": INTEGER,
    "number_checklist": INTEGER,
    "is_target": TINY,
    "requested_service_id": UNSIGNED,
    "requested_doctor_id": UNSIGNED,
}
# Longest text of each text column; those without a limit take what MEDIUMTEXT does.
WILD_LENGTHS = {
    **dict.fromkeys(("caller_number", "called_number", "caller_info", "called_info"), 255),
    **dict.fromkeys(("requested_service_name", "requested_doctor_speciality"), 255),
    **dict.fromkeys(("refusal_reason",), 255),
    **dict.fromkeys(("utm_source_by_number", "category_checklist", "call_category"), 65_535),
    **dict.fromkeys(("call_type", "call_success", "answered_extension"), 50),
    **{"outcome": 32, "refusal_category_code": 64},
}


def wild_text(rng: random.Random, longest: int) -> str:
    if rng.random() < 0.5:
        return rng.choice(WILD_TEXTS)[:longest]
    length = min(longest, rng.choice(TEXT_LENGTHS))
    return "".join(rng.choices("аЯёz \t🙂", k=8))[: length or 0].ljust(length, "ъ")


def spoilt(rng: random.Random, row: Row, wild: dict[str, tuple[Any, ...]]) -> Row:
    """The row with one field in six out of its mind."""
    changed = dict(row)
    for name in row:
        if rng.random() > 1 / 6:
            continue
        if name in wild:
            changed[name] = rng.choice(wild[name])
        elif name in WILD_LENGTHS:
            changed[name] = wild_text(rng, WILD_LENGTHS[name])
    return changed


def wild_source(
    seed: int, calls: int, robot_calls: int, reviews: int
) -> tuple[list[Row], list[Row]]:
    """Hostile rows, half of them spoilt; one caller has `robot_calls`, one call `reviews`.

    The largest ids that the keys take are among them, and reviews of calls that are not.
    """
    rng = random.Random(seed)
    history, scores = hostile_source(seed, calls)
    for row in history[:robot_calls]:
        outside = "called_number" if row["context_type"] == 2 else "caller_number"
        row[outside] = "+79990000001"
    history = [spoilt(rng, row, WILD_HISTORY) if rng.random() < 0.5 else row for row in history]
    scores = [spoilt(rng, row, WILD_SCORES) if rng.random() < 0.5 else row for row in scores]
    next_id = max(row["id"] for row in scores) + 1
    scores += [
        {**rng.choice(scores[:100]), "id": next_id + place, "history_id": history[0]["history_id"]}
        for place in range(reviews)
    ]
    for row in scores:
        if rng.random() < 0.01:
            row["history_id"] = rng.choice((0, 4_000_000_000, 2**32 - 1))
    last = {**history[-1], "history_id": 2**32 - 2, "entry_id": "the last id"}
    return [*history, last], scores
