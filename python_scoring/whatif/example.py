"""A commented scenario file made of the names of the own log."""

from __future__ import annotations

import json
from datetime import timedelta

from python_scoring.whatif.chains import RECENT_DAYS
from python_scoring.whatif.world import UNKNOWN, World

LINES = (
    (
        "# Scenarios for `lm what-if FILE`, each compared with the forecast by itself.",
        "# Сценарии для `lm what-if ФАЙЛ`. Каждый сценарий сравнивается с прогнозом отдельно.",
    ),
    (
        "# Days that can be named: {first} to {last}; without from and to all days.",
        "# Допустимые дни: с {first} по {last}; без from и to изменение действует все дни.",
    ),
    (
        "# `between: [low, high]` is the 80 % range of a number that you are not sure of.",
        "# `between: [от, до]` — диапазон в 80 % для числа, в котором вы не уверены.",
    ),
)


def example(world: World, language: str) -> str:
    """YAML text that is valid for this log; parts whose names the log lacks are left out."""
    at = 1 if language == "ru" else 0
    last = world.first_day + timedelta(days=world.days - 1)
    middle = world.first_day + timedelta(days=world.days // 2)
    lines = [one[at].format(first=world.first_day, last=last) for one in LINES]
    lines.append("scenarios:")

    def scenario(name: str, english: str, russian: str, *effects: str) -> None:
        lines.extend(
            [
                "",
                f"  - name: {name}",
                f"    title: {json.dumps((english, russian)[at], ensure_ascii=False)}",
            ]
        )
        lines.append("    effects:")
        lines.extend(f"      - {{{effect}}}" for effect in effects)

    if source := most(world, "source"):
        scenario(
            "source_off",
            "The biggest source is switched off in the second half",
            "Крупнейший источник отключён во второй половине",
            f"kind: traffic, source: {source}, off: true, from: {middle}",
        )
        scenario(
            "campaign",
            "An advertising campaign: 20 to 50 % more new callers",
            "Реклама: новых людей больше на 20–50 %",
            f"kind: traffic, source: {source}, multiply: 1.3, between: [1.2, 1.5]",
        )
    scenario(
        "more_traffic",
        "Ten more first calls a day",
        "На десять первых звонков в день больше",
        "kind: traffic, source: all, add_per_day: 10",
    )
    if operator := most(world, "operator"):
        scenario(
            "operator_leaves",
            "An operator leaves",
            "Оператор уходит",
            f"kind: operator, operator: {operator}, leaves: true",
        )
        scenario(
            "operator_joins",
            "A new colleague like this one, on weekdays",
            "Новый коллега такого же уровня по будням",
            f"kind: new_operator, like: {operator},"
            " weekdays: [mon, tue, wed, thu, fri], hours: [9, 18]",
        )
    scenario(
        "one_more_person",
        "One more person in the morning",
        "Ещё один человек утром",
        "kind: answering, extra_people: 1, hours: [8, 12]",
    )
    scenario(
        "nearly_all_answered",
        "95 % of the incoming calls answered",
        "Отвечено на 95 % входящих",
        "kind: answering, answered_share: 0.95",
    )
    if service := most(world, "service"):
        scenario(
            "new_script",
            "A new script for one service: 2 to 8 points more",
            "Новый скрипт по услуге: плюс 2–8 пунктов",
            f"kind: conversion, service: {service}, add_points: 5, between: [2, 8]",
        )
    if code := most(world, "refusal_code"):
        scenario(
            "reason_removed",
            "Half of a refusal reason removed",
            "Половина отказов по одной причине снята",
            f"kind: refusal, code: {code}, removed: 0.5, between: [0.3, 0.6]",
        )
    scenario(
        "called_back",
        "Nine of ten missed calls returned within 15 minutes",
        "Девять из десяти пропущенных — перезвон за 15 минут",
        "kind: call_backs, within_min: 15, share: 0.9",
    )
    return "\n".join(lines) + "\n"


def most(world: World, column: str) -> str:
    """The commonest name of the last weeks in quotes; empty where none is known."""
    through = world.reviews_through or world.calls_through
    calls = world.calls[world.calls["day"].between(through - RECENT_DAYS + 1, through)]
    if column == "refusal_code":
        calls = calls[calls["is_lost"] == 1]
    elif column == "service":
        calls = calls[(calls["is_lost"] == 1) | (calls["is_booked"] == 1)]
    counts = calls.loc[~calls[column].isin([UNKNOWN, ""]), column].value_counts()
    return json.dumps(str(counts.index[0]), ensure_ascii=False) if len(counts) else ""
