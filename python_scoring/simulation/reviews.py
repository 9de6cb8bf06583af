"""Simulated reviews, rows of call_scores: late, in bursts, repeated and soiled."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from python_scoring.simulation import dirt, events
from python_scoring.simulation import mechanism as m
from python_scoring.simulation.clinic import ClinicConfig
from python_scoring.simulation.history import INCOMING, INTERNAL, OUTGOING, age, directions

ANSWERED_REVIEWED, UNANSWERED_REVIEWED = 0.93, 0.03
REPEATED = 0.06
HUNDRED_SCALE_DAYS = 0.08

# Result class: category, its number, outcome, target, mean and sd of the score.
CLASSES = (
    "record",
    "lead",
    "info",
    "navigation",
    "cancel",
    "reschedule",
    "complaint",
    "spam",
    "reminder",
)
CLASS_OF_RESULT = np.array([0] + [1] * len(m.REFUSALS) + [2, 3, 4, 5, 6, 7, 8] + [7, 7])
CATEGORY = (
    ("Запись на услугу (успешная)", 1),
    ("Лид (без записи)", 2),
    ("Информационный", 10),
    ("Навигация", 4),
    ("Отмена записи", 6),
    ("Перенос записи", 11),
    ("Жалоба", 7),
    ("Спам, реклама", 3),
    ("Напоминание о приеме", 5),
)
NON_TARGET_CATEGORIES = (
    ("Спам, реклама", 3),
    ("Технический звонок", 9),
    ("Сбой", 8),
    ("Ошибка данных", 12),
    ("Резерв", 13),
    ("Автоинформатор", 14),
    ("Не определено", 0),
)
NON_TARGET_SHARES = (0.38, 0.27, 0.05, 0.03, 0.02, 0.13, 0.12)
OUTCOMES: tuple[tuple[tuple[str, float], ...], ...] = (
    (("record", 1),),
    (("lead_no_record", 1),),
    (("info_only", 1),),
    (("info_only", 1),),
    (("cancelled_by_patient", 0.9), ("cancelled_by_operator", 0.1)),
    (("cancelled_by_patient", 0.35), ("info_only", 0.65)),
    (("info_only", 0.6), ("non_target", 0.4)),
    (("non_target", 1),),
    (("info_only", 0.35), ("non_target", 0.65)),
)
# Words the reviewer used on older calls.
OLD_OUTCOMES = {"lead_no_record": ("refusal", "no_interest", "lead"), "non_target": ("spam",)}
UNKNOWN_CATEGORIES = ("Консультация по анализам", "Новый тип 7", "Перевод на врача")
UNKNOWN_OUTCOMES = ("callback_requested", "transferred", "???")
SCORES = {
    "record": (8.3, 0.6),
    "info_only": (7.4, 1.0),
    "cancelled_by_patient": (6.0, 1.2),
    "cancelled_by_operator": (5.6, 1.2),
    "lead_no_record": (4.9, 1.2),
}
# Which other class a first, later corrected review takes a call for.
MISTAKEN = np.array([1, 2, 1, 2, 5, 4, 2, 2, 2])

REFUSAL_TEXTS = {
    "PRICE": ("Дорого", "Не устроила цена"),
    "TIME_GENERAL": ("Не подошло время", "Нет удобного времени"),
    "URGENCY_NO_SLOTS": ("Нужно срочно, нет окон", "Нет записи на сегодня"),
    "DOCTOR_UNAVAILABLE": ("Нет нужного врача", "Врач в отпуске"),
    "LOCATION_INCONVENIENT": ("Далеко добираться", "Неудобное расположение"),
    "SERVICE_NOT_PROVIDED": ("Услуга не оказывается", "Нет такой услуги"),
    "AGE_RESTRICTION": ("Ограничение по возрасту", "Не принимаем детей"),
    "DOCUMENTS_REQUIRED": ("Нужны документы", "Нет направления"),
    "PATIENT_WILL_CLARIFY": ("Пациент подумает", "Пациент уточнит и перезвонит"),
    "OPERATOR_WILL_CLARIFY": ("Оператор уточнит и перезвонит", "Обещали перезвонить"),
    "OTHER_REASON": ("Другое", "Иная причина"),
}
REASON_FILLED = {"cancel": 0.55, "info": 0.25, "navigation": 0.25, "spam": 0.15, "reminder": 0.1}

CHECKLISTS = (("Запись на приём", 9), ("Лид", 8), ("Отмена и перенос", 6), ("Информация", 5))
CHECKLIST_OF_CLASS = np.array([0, 1, 3, 3, 2, 2, 3, -1, -1])


def review_rows(
    calls: pd.DataFrame,
    history: pd.DataFrame,
    config: ClinicConfig,
    origin: date,
    days: int,
    seed: int,
) -> pd.DataFrame:
    """Reviews made before the simulated end, in the order they were written."""
    random = np.random.default_rng([seed, 3])
    answered = (calls["talk"] > 0).to_numpy()
    chance = np.where(answered, ANSWERED_REVIEWED, UNANSWERED_REVIEWED)
    chance[directions(calls) == INTERNAL] = 0.05
    reviewed = np.flatnonzero(random.random(len(calls)) < chance)
    repeated = reviewed[random.random(len(reviewed)) < REPEATED]
    wrong = random.random(len(repeated)) < 0.4

    at = np.concatenate([reviewed, repeated])
    again = np.arange(len(at)) >= len(reviewed)
    classes = CLASS_OF_RESULT[calls["result"].to_numpy()[at]]
    # The first of two reviews may be the mistaken one; the second one is right.
    mistaken = np.isin(reviewed, repeated[wrong])
    classes[: len(reviewed)][mistaken] = MISTAKEN[classes[: len(reviewed)][mistaken]]
    when = review_times(random, calls.iloc[at], again)
    tied = again & (random.random(len(at)) < 0.03)
    first_at = dict(zip(reviewed.tolist(), when[: len(reviewed)].tolist(), strict=True))
    when[tied] = [first_at[i] for i in at[tied].tolist()]
    late = again & (when < [first_at[i] for i in at.tolist()])
    when[late] = [first_at[i] + 86_400 for i in at[late].tolist()]

    order = np.argsort(when, kind="stable")
    order = order[when[order] < days * events.DAY_SEC]
    rows = build(random, calls, history, config, at[order], classes[order], when[order], origin)
    rows.insert(0, "id", np.arange(1, len(rows) + 1))
    return rows


def review_times(random: np.random.Generator, calls: pd.DataFrame, again: np.ndarray) -> np.ndarray:
    """Seconds since the origin: the same evening, next morning, next Monday, weeks later."""
    n = len(calls)
    end = (calls["time"] + calls["wait"] + calls["talk"]).to_numpy()
    day = (end // events.DAY_SEC).astype(int)
    way = random.choice(4, n, p=[0.40, 0.32, 0.21, 0.07])
    way = np.where(again, random.choice([1, 2, 3], n, p=[0.3, 0.4, 0.3]), way)
    weeks = 7 * random.integers(2, 4, n)
    monday = day + 7 - day % 7
    later = np.choose(way, [day, day + 1, monday, monday + weeks - 7])
    hour = np.choose(way, [21.0, 10.0, 11.0, 12.0])
    time = later * events.DAY_SEC + hour * 3600 + random.integers(0, 2400, n)
    return np.where(time <= end + 600, time + events.DAY_SEC, time).astype("int64")


def build(
    random: np.random.Generator,
    calls: pd.DataFrame,
    history: pd.DataFrame,
    config: ClinicConfig,
    at: np.ndarray,
    classes: np.ndarray,
    when: np.ndarray,
    origin: date,
) -> pd.DataFrame:
    """The rows of the reviews `at` (positions in `calls`) in their order."""
    n = len(at)
    call, row = calls.iloc[at].reset_index(drop=True), history.iloc[at].reset_index(drop=True)
    old = age(calls)[at] < 0.2
    category, number = categories(random, call, classes)
    outcome = outcomes(random, classes, old)
    target = targets(random, classes, outcome)
    score = scores(random, call, config, classes, outcome, target)
    score = np.where(hundred_days(random, when), np.round(score * 10), np.round(score, 1))
    reason, code = refusals(random, call, classes)
    service_id, service, speciality = services(random, call, config, classes)
    checklist, met = checklists(random, call, config, classes)
    direction, answered = directions(call), (call["talk"] > 0).to_numpy()
    start = pd.Timestamp(origin) + pd.to_timedelta(call["time"].astype("int64"), unit="s")

    # Slips: a category against the outcome, a booking on a non-target call.
    slip = random.random(n) < 0.004
    category[slip] = "Лид (без записи)"
    number[slip] = 2
    target[random.random(n) < 0.002] = 0
    call_type = np.where(answered ^ (random.random(n) < 0.005), "принятый", "пропущенный")
    words = {INCOMING: "входящий", OUTGOING: "исходящий", INTERNAL: None}
    category = dirt.soil(random, category, 0.05)
    unknown = random.random(n) < 0.003
    category[unknown] = dirt.choice(random, UNKNOWN_CATEGORIES, int(unknown.sum()))
    number[unknown] = 99
    outcome = dirt.soil(random, outcome, 0.03)
    unknown = random.random(n) < 0.003
    outcome[unknown] = dirt.choice(random, UNKNOWN_OUTCOMES, int(unknown.sum()))

    return pd.DataFrame(
        {
            "history_id": row["history_id"],
            "call_score": score,
            "score_date": pd.Timestamp(origin) + pd.to_timedelta(when, unit="s"),
            "call_date": start.mask(pd.Series(random.random(n) < 0.08)),
            "call_type": dirt.with_blanks(
                random, call_type.astype(object), random.random(n) < 0.98
            ),
            "context_type": dirt.with_blanks(
                random, dirt.objects([words[d] for d in direction]), random.random(n) < 0.98
            ),
            "talk_duration": call["talk"].astype("Int64").mask(pd.Series(random.random(n) < 0.1)),
            "call_success": dirt.choice(random, ("да", "нет", "None", None), n),
            "caller_info": copy(random, row["caller_info"], 0.04),
            "called_info": copy(random, row["called_info"], 0.04),
            "caller_number": row["caller_number"],
            "called_number": row["called_number"],
            "utm_source_by_number": source_copy(random, call, config, row),
            "call_category": category,
            "number_category": number,
            "number_checklist": met,
            "category_checklist": dirt.with_blanks(random, checklist, random.random(n) < 0.97),
            "is_target": target,
            "outcome": dirt.with_blanks(random, outcome, random.random(n) < 0.992),
            "requested_service_id": service_id,
            "requested_service_name": dirt.with_blanks(random, service, random.random(n) < 0.97),
            "requested_doctor_speciality": dirt.with_blanks(
                random, speciality, random.random(n) < 0.8
            ),
            "refusal_reason": dirt.with_blanks(random, reason, np.ones(n, dtype=bool)),
            "refusal_category_code": dirt.with_blanks(random, code, random.random(n) < 0.94),
        }
    )


def categories(
    random: np.random.Generator, call: pd.DataFrame, classes: np.ndarray
) -> tuple[dirt.Texts, np.ndarray]:
    n = len(classes)
    label = dirt.objects([CATEGORY[c][0] for c in classes])
    number = np.array([CATEGORY[c][1] for c in classes], dtype=int)
    # A robot is told from a person: mostly as an announcement.
    kind = call["kind"].to_numpy()
    other = random.choice(len(NON_TARGET_CATEGORIES), n, p=NON_TARGET_SHARES)
    other = np.where((kind == events.K_ROBOT) & (random.random(n) < 0.8), 5, other)
    for i in np.flatnonzero(classes == CLASSES.index("spam")):
        label[i], number[i] = NON_TARGET_CATEGORIES[other[i]]
    return label, number


def outcomes(random: np.random.Generator, classes: np.ndarray, old: np.ndarray) -> dirt.Texts:
    result = dirt.objects([None] * len(classes))
    for c, choices in enumerate(OUTCOMES):
        here = classes == c
        words, shares = zip(*choices, strict=True)
        result[here] = dirt.choice(random, words, int(here.sum()), shares)
    for word, former in OLD_OUTCOMES.items():
        here = old & (result == word)
        result[here] = dirt.choice(random, former, int(here.sum()))
    return result


def targets(random: np.random.Generator, classes: np.ndarray, outcome: dirt.Texts) -> np.ndarray:
    target = np.isin(classes, [0, 1, 2, 4, 5, 6]).astype(int)
    target[(classes == CLASSES.index("navigation")) & (random.random(len(classes)) < 0.6)] = 1
    target[np.isin(outcome.astype(str), ["non_target", "spam"])] = 0
    target[classes == CLASSES.index("reminder")] = 0
    return target


def scores(
    random: np.random.Generator,
    call: pd.DataFrame,
    config: ClinicConfig,
    classes: np.ndarray,
    outcome: dirt.Texts,
    target: np.ndarray,
) -> np.ndarray:
    """0..10 by outcome, a little better for better operators; mostly 0 off target."""
    words = ("record", "lead_no_record", "info_only", "info_only", "cancelled_by_patient")
    known = [words[c] if c < len(words) else "info_only" for c in classes]
    mean = np.array([SCORES[w][0] for w in known])
    sd = np.array([SCORES[w][1] for w in known])
    level = np.array([o.level for o in config.operators] + [0.0])[call["operator"].to_numpy()]
    score = mean + sd * (0.8 * level + 0.95 * random.standard_normal(len(classes)))
    score[classes == CLASSES.index("complaint")] -= 2.5
    off = (target == 0) & np.isin(outcome.astype(str), ["non_target", "spam"])
    unscored = random.random(len(classes)) < 0.78
    score = np.where(
        off, np.where(unscored, 0, 3.6 + 1.2 * random.standard_normal(len(off))), score
    )
    return np.clip(score, 0, 10)


def hundred_days(random: np.random.Generator, when: np.ndarray) -> np.ndarray:
    """On some days the one who works in 0..100 makes all of the day's reviews."""
    day = when // events.DAY_SEC
    chosen = random.random(int(day.max(initial=0)) + 1) < HUNDRED_SCALE_DAYS
    return np.asarray(chosen[day])


def refusals(
    random: np.random.Generator, call: pd.DataFrame, classes: np.ndarray
) -> tuple[dirt.Texts, dirt.Texts]:
    """Reason and code; a lead's are part of the mechanism, others are by the way."""
    codes = list(m.REFUSALS)
    shares = np.array(m.REFUSAL_SHARES[1:])
    reason, code = dirt.objects([None] * len(classes)), dirt.objects([None] * len(classes))
    filled = random.random(len(classes))
    any_code = 1 + random.choice(len(shares), len(classes), p=shares / shares.sum())
    text = random.integers(0, 2, len(classes))
    for i, (result, c) in enumerate(zip(call["result"], classes, strict=True)):
        if CLASSES[c] == "lead" and m.LEAD <= result < m.INFO:
            chosen = result - m.LEAD
        elif filled[i] < REASON_FILLED.get(CLASSES[c], 0.0):
            chosen = int(any_code[i])
        else:
            continue
        if chosen:
            code[i] = codes[chosen]
            reason[i] = REFUSAL_TEXTS[codes[chosen]][text[i]]
    return reason, code


def services(
    random: np.random.Generator, call: pd.DataFrame, config: ClinicConfig, classes: np.ndarray
) -> tuple[pd.Series, dirt.Texts, dirt.Texts]:
    n = len(classes)
    index = call["service"].to_numpy()
    told = np.where(np.isin(classes, [0, 1, 4, 5]), 0.93, 0.6)
    known = (index >= 0) & (call["talk"] > 0).to_numpy() & (random.random(n) < told)
    known &= classes != CLASSES.index("spam")
    ids = np.array([s.service_id for s in config.services])[index]
    names = dirt.objects([s.name for s in config.services])[index]
    doctors = dirt.objects([s.speciality or None for s in config.services])[index]
    no_id = ~known | (random.random(n) < 0.06)
    return (
        pd.Series(ids).astype("Int64").mask(pd.Series(no_id)),
        dirt.soil(random, np.asarray(np.where(known, names, None)), 0.04),
        np.asarray(np.where(known, doctors, None)),
    )


def checklists(
    random: np.random.Generator, call: pd.DataFrame, config: ClinicConfig, classes: np.ndarray
) -> tuple[dirt.Texts, pd.Series]:
    """Which checklist, and how many of its items were met."""
    n = len(classes)
    which = CHECKLIST_OF_CLASS[classes]
    names = dirt.objects([c[0] for c in CHECKLISTS] + [None])
    items = np.array([c[1] for c in CHECKLISTS] + [0])
    level = np.array([o.level for o in config.operators] + [0.0])[call["operator"].to_numpy()]
    chance = 1 / (1 + np.exp(-(1.1 + 0.9 * level)))
    met = random.binomial(items[which], chance)
    met = np.where(random.random(n) < 0.004, items[which] + 2, met)
    met = np.where(random.random(n) < 0.001, -1, met)
    missing = (which < 0) | (random.random(n) < 0.12)
    return names[which], pd.Series(met).astype("Int64").mask(pd.Series(missing))


def copy(random: np.random.Generator, values: pd.Series, lost: float) -> dirt.Texts:
    """A copy of the call's text, now and then lost on the way."""
    texts = np.asarray(values, dtype=object)
    return np.asarray(
        np.where(random.random(len(texts)) < lost, dirt.blank(random, len(texts)), texts)
    )


def source_copy(
    random: np.random.Generator, call: pd.DataFrame, config: ClinicConfig, row: pd.DataFrame
) -> dirt.Texts:
    """The source again: it may know what the call's row lost, or disagree."""
    labels = dirt.objects([s.label for s in config.sources])
    own = labels[call["source"].to_numpy()]
    n = len(own)
    other = labels[random.integers(1, len(labels), n)]
    disagree = np.array([v is not None for v in own]) & (random.random(n) < 0.02)
    return dirt.with_blanks(random, np.where(disagree, other, own), random.random(n) < 0.93)
