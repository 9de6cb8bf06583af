"""A comparison on the screen, in Russian or English."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from python_scoring.base.text_table import format_table
from python_scoring.whatif.store import Stored

# Target: names, digits, factor.
TARGETS = {
    "calls": (("calls", "звонки"), 0, 1),
    "answered": (("answered incoming", "принятые входящие"), 0, 1),
    "bookings": (("bookings", "записи"), 0, 1),
    "lost": (("lost calls", "потери"), 0, 1),
    "lost_value": (("value lost", "потери в деньгах"), 0, 1),
    "risky": (("risky cases", "рискованные обращения"), 0, 1),
    "talk_hours": (("talk, hours", "разговоры, часы"), 1, 1),
    "service_level": (("answered in time, %", "ответ вовремя, %"), 1, 100),
    "conversion_rate": (("conversion, %", "конверсия, %"), 1, 100),
}
HEADS = (
    ("", "forecast", "80 %", "scenario", "80 %", "difference", "80 %"),
    ("", "прогноз", "80 %", "сценарий", "80 %", "разница", "80 %"),
)
BASES = {
    "own_history": ("own history", "своя история"),
    "assumption": ("assumption", "допущение"),
    "association": ("association", "связь"),
}
TITLES = (
    "{days} days from {first_day}; run {run_id}, forecast {forecast_run_id}",
    "{days} дн. с {first_day}; расчёт {run_id}, прогноз {forecast_run_id}",
)
LIST_HEADS = (
    ("scenario", "run", "first day", "last day", "carried out from"),
    ("сценарий", "расчёт", "первый день", "последний день", "выполняется с"),
)
MARKS = (
    ("scenario {scenario} of run {run_id}: {what}", "carried out from {day} on", "not carried out"),
    ("сценарий {scenario}, расчёт {run_id}: {what}", "выполняется с {day}", "не выполняется"),
)
NONE_STORED = ("no scenario is stored yet: `lm what-if FILE`", "сценариев нет: `lm what-if FILE`")
NOTES = (
    "Where the numbers are from:",
    "Откуда числа:",
)


def render(result: Mapping[str, Any], language: str, by_day: bool = False) -> str:
    """Every scenario: its totals, its days if wanted, and what each effect rests on."""
    at = 1 if language == "ru" else 0
    lines = [TITLES[at].format(**result)]
    for scenario in result["scenarios"]:
        title = f": {scenario['title']}" if scenario["title"] else ""
        lines += ["", f"== {scenario['name']}{title}"]
        rows = scenario["rows"]
        lines.append(table([row for row in rows if row["grain"] == "total"], at))
        if by_day:
            for day in sorted({row["period_start"] for row in rows}):
                lines += ["", str(day)]
                lines.append(
                    table([r for r in rows if r["grain"] == "day" and r["period_start"] == day], at)
                )
        lines.append(NOTES[at])
        for said in scenario["effects"]:
            text = said["text_ru"] if at else said["text_en"]
            lines.append(f"  [{BASES[said['basis']][at]}] {text}")
    return "\n".join(lines)


def table(rows: Sequence[Mapping[str, Any]], at: int) -> str:
    """One line a target: forecast, scenario, difference, each with its 80 % interval."""
    by_target = {row["target"]: row for row in rows}
    cells = []
    for target, (names, digits, factor) in TARGETS.items():
        if row := by_target.get(target):
            line = [names[at]]
            for name in ("baseline", "scenario_value", "difference"):
                sign = "+" if name == "difference" else ""
                end = name.removesuffix("_value")
                value, low, high = (
                    f"{row[key] * factor + 0.0:{sign},.{digits}f}".replace(",", " ")
                    for key in (name, f"{end}_lo80", f"{end}_hi80")
                )
                line += [value, f"{low} … {high}"]
            cells.append(line)
    return format_table(HEADS[at], cells)


def render_list(stored: Sequence[Stored], language: str) -> str:
    """One line a stored scenario, the newest run first."""
    at = 1 if language == "ru" else 0
    if not stored:
        return NONE_STORED[at]
    rows = [
        (one.scenario, one.run_id, one.first_day, one.last_day, one.done_from or "")
        for one in stored
    ]
    return format_table(LIST_HEADS[at], rows)


def render_mark(one: Stored, language: str) -> str:
    """The line after a mark is set or taken back."""
    whole, done, not_done = MARKS[1 if language == "ru" else 0]
    what = done.format(day=one.done_from) if one.done_from else not_done
    return whole.format(scenario=one.scenario, run_id=one.run_id, what=what)
