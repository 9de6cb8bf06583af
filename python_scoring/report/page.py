"""The report as one HTML file, as text for a messenger, and as a document for programs."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any

import jinja2

from python_scoring.report import charts, content
from python_scoring.report.inputs import DAYS_SHOWN, QUALITY_DAYS, Row
from python_scoring.report.texts import Words

CHARTS = ("bookings", "lost", "calls", "talk_minutes")
OPERATOR_DAYS = 30
# A messenger shows so much without a tap.
MOST_CHARACTERS = 1500
LIST_LINES = 3
# Hours with fewer calls a day are not drawn before the first and after the last busy one.
LEAST_OFFERED = 0.5


def document(facts: Row, words: Words, moment: datetime) -> Row:
    """What the page says, section by section, with the marts' own numbers beside the texts."""
    if facts["span"] is None:
        return {"as_of": moment, "language": words.language, "no_data": words("no_data")}
    return {
        "as_of": moment,
        "language": words.language,
        "period": facts["span"],
        "burning": content.burning(facts, words, moment),
        "gaps": content.gaps(facts, words, moment),
        "money": facts["money"],
        "outlook": facts["outlook"],
        "alerts": facts["alerts"],
        "worklist": facts["worklist"],
        "lists": facts["lists"],
        "indicators": facts["indicators"],
        "days": {target: content.series(facts, target) for target in CHARTS},
        "operators": facts["operators"],
        "refusals": facts["refusals"],
        "hours": facts["hours"],
        "models": facts["models"],
        "backtest": facts["backtest"],
        "fields": facts["fields"],
        "tie_out": facts["tie_out"],
    }


def html(facts: Row, words: Words, moment: datetime) -> str:
    template = _environment().get_template("page.html.jinja")
    if facts["span"] is None:
        return template.render(words=words, moment=moment, facts=facts, span=None)
    return template.render(
        words=words,
        moment=moment,
        facts=facts,
        span=facts["span"],
        period=_period(facts, words),
        burning=content.burning(facts, words, moment),
        gaps=content.gaps(facts, words, moment),
        may_be_red=lambda code: content.may_be_red(facts, code),
        churn_untold=content.churn_untold(facts, words),
        worklist_sum=_worklist(facts, words),
        money=content.money_cards(facts, words),
        cards=content.outlook_cards(facts, words),
        outlook_title=content.outlook_title(facts, words, moment) if facts["outlook"] else "",
        kpis=content.indicator_rows(facts, words, kpis=True),
        metrics=content.indicator_rows(facts, words, kpis=False),
        charts=[_chart(facts, target, words) for target in CHARTS],
        has_open=any(
            point["open"] for target in CHARTS for point in content.series(facts, target)["past"]
        ),
        operators=_operators(facts, words),
        operator_days=OPERATOR_DAYS,
        refusals=facts["refusals"],
        lost_total=round(facts["refusals"][0]["lost_calls"] / facts["refusals"][0]["lost_share"])
        if facts["refusals"] and facts["refusals"][0]["lost_share"]
        else 0,
        heat=[_heat(facts, column) for column in ("offered_per_day", "abandoned_per_day")],
        terms=content.terms(facts),
        model_states=content.model_states,
        name_of=lambda code: content.name_of(facts, code, words),
        quality_days=QUALITY_DAYS,
        shown_days=DAYS_SHOWN,
    )


def text(facts: Row, words: Words, moment: datetime) -> str:
    """The most important lines, for a messenger; at most MOST_CHARACTERS."""
    lines = [words("title"), words("as_of", moment=words.moment(moment))]
    if facts["span"] is None:
        return "\n".join([*lines, words("no_data")])
    lines.append(_period(facts, words))
    burning = content.burning(facts, words, moment)
    lines += ["", words("burning").upper()]
    lines += [f"• {one['text']}" for one in burning] or [words("nothing_burns")]
    cards = content.outlook_cards(facts, words)
    if cards:
        lines += ["", content.outlook_title(facts, words, moment).upper()]
        lines += [
            f"{card['name']}: {card['value']} ({card['low']} – {card['high']}),"
            f" {words('was', value=card['before'])}"
            for card in cards
        ]
    shown = [one for one in facts["lists"] if one["total"]][:LIST_LINES]
    if shown and facts["worklist"]["today"]:
        ids = ", ".join(str(row["history_id"]) for row in facts["worklist"]["rows"][:LIST_LINES])
        lines += [
            "",
            words("today").upper(),
            _worklist(facts, words),
            f"{words('worklist')}: {ids}",
        ]
    elif shown:
        lines += ["", words("today").upper()]
        for one in shown:
            ids = ", ".join(str(row["history_id"]) for row in one["rows"][:LIST_LINES])
            lines.append(f"{words.named(one, 'list_name')} ({words.number(one['total'])}): {ids}")
    gaps = content.gaps(facts, words, moment)
    if gaps:
        lines += ["", words("unknown").upper()]
        for gap in gaps:
            if len("\n".join([*lines, gap])) + 4 > MOST_CHARACTERS:
                break
            lines.append(f"• {gap}")
    told = "\n".join(lines)
    return told if len(told) <= MOST_CHARACTERS else told[: MOST_CHARACTERS - 1] + "…"


def _worklist(facts: Row, words: Words) -> str:
    """Whom today's minutes reach, and why the others are not called."""
    work = facts["worklist"]
    told = words(
        "worklist_sum",
        today=words.number(work["today"]),
        minutes=words.number(work["minutes"]),
        free=words.number(work["free_minutes"]),
        rub=words.number(work["expected_rub"]),
    )
    left = [
        words(n, clients=words.number(work[n])) for n in ("not_worth_it", "no_minutes") if work[n]
    ]
    return " ".join([told, *left])


def _period(facts: Row, words: Words) -> str:
    span = facts["span"]
    return words(
        "period",
        days=span["period_days"],
        start=words.day(span["period_start"]),
        end=words.day(span["period_end"], year=True),
        calls=words.number(span["calls"]),
    )


def _chart(facts: Row, target: str, words: Words) -> Row:
    name = words("talk_hours" if target == "talk_minutes" else target)
    found = content.series(facts, target)
    days = [point["day"] for point in (*found["past"], *found["ahead"])]
    base = words(
        "chart_base",
        start=words.day(days[0]),
        end=words.day(days[-1]),
        total=words.number(found["total"]),
    )
    return {
        "name": name,
        "base": base,
        "note": "" if found["ahead"] else words("no_forecast_drawn"),
        "svg": charts.days_chart(found["past"], found["ahead"], f"{name}: {base}", words),
    }


def _operators(facts: Row, words: Words) -> list[Row]:
    rows = facts["operators"]
    sure = [
        row
        for row in rows
        if row["booking_uplift_low"] is not None
        and row["status"] not in (None, "insufficient_data")
    ]
    reach = max(
        [abs(row[side]) for row in sure for side in ("booking_uplift_low", "booking_uplift_high")]
        or [1.0]
    )
    told = []
    for row in rows:
        known = row in sure
        uplift = words.signed(row["booking_uplift_per_100"], "") if known else words.number(None)
        told.append(
            {
                **row,
                "known": known,
                "uplift": uplift,
                "bar": charts.interval_bar(
                    row["booking_uplift_low"],
                    row["booking_uplift_per_100"],
                    row["booking_uplift_high"],
                    reach,
                    f"{row['operator_name']}: {uplift}",
                )
                if known
                else "",
            }
        )
    return told


def _heat(facts: Row, column: str) -> Row:
    """Cells by hour and weekday, each with its value and depth (0 to 6) of colour."""
    cells = {(row["call_hour"], row["call_weekday"]): row[column] or 0.0 for row in facts["hours"]}
    offered = {(row["call_hour"], row["offered_per_day"] or 0.0) for row in facts["hours"]}
    busy = sorted({hour for hour, calls in offered if calls >= LEAST_OFFERED})
    top = max(cells.values(), default=0.0) or 1.0
    hours: list[Any] = list(range(busy[0], busy[-1] + 1)) if busy else []
    return {
        "column": column,
        "hours": [
            {
                "hour": hour,
                "cells": [
                    {
                        "value": cells.get((hour, weekday), 0.0),
                        "depth": round(6 * cells.get((hour, weekday), 0.0) / top),
                    }
                    for weekday in range(1, 8)
                ],
            }
            for hour in hours
        ],
    }


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("python_scoring.report", "."),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
