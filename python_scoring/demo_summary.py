"""The numbers that `lm demo` ends with."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from python_scoring.findings import Probe, quoted
from python_scoring.profile import Target
from python_scoring.shell import format_table

SERVICE_LEVEL_SECONDS = 20


def summary(probe: Probe, target: Target, as_of: str) -> str:
    """Rows by metric group, the last week's KPIs, and one call in words."""
    first_day = (datetime.fromisoformat(as_of) - timedelta(days=7)).date()
    parts = [
        *_groups(probe, target),
        "",
        *_kpis(probe, target, first_day.isoformat()),
        "",
        *_one_call(probe, target, first_day.isoformat()),
    ]
    return "\n".join(parts)


def _groups(probe: Probe, target: Target) -> Iterator[str]:
    rows = probe.rows(
        "select metric_group, count(distinct metric_code), count(distinct history_id), count(*),"
        f" sum(value_numeric is null and value_label is null) from {_table(target, 'lm_value')}"
        " group by metric_group order by metric_group"
    )
    yield "lm_value by metric group"
    yield format_table(["metric_group", "metrics", "calls", "rows", "no_value"], rows)


def _kpis(probe: Probe, target: Target, first_day: str) -> Iterator[str]:
    """Service level: answered in time over offered without short abandons (Genesys' form)."""
    row = probe.one(
        f"""
        select
            sum(direction = 'in'),
            sum(direction = 'in' and is_answered = 1),
            sum(direction = 'in' and is_answered = 0)
                / nullif(sum(direction = 'in'), 0),
            avg(case when direction = 'in' and is_answered = 1 then await_sec end),
            sum(direction = 'in' and is_answered = 1 and await_sec <= {SERVICE_LEVEL_SECONDS})
                / nullif(sum(direction = 'in' and coalesce(is_short_abandon, 0) = 0), 0),
            sum(is_booked = 1),
            sum(is_booked = 1) / nullif(sum(wants_booking = 1), 0)
        from {_table(target, "fct_call")}
        where call_date >= %s
        """,
        (first_day,),
    )
    offered, answered, abandonment, asa, service_level, bookings, conversion = row
    yield f"the last week, from {first_day}"
    yield format_table(
        ["kpi", "value"],
        [
            ("calls offered", _number(offered)),
            ("calls answered", _number(answered)),
            ("abandonment rate", _share(abandonment)),
            ("average speed of answer", _number(asa, " s", 1)),
            (f"service level in {SERVICE_LEVEL_SECONDS} s", _share(service_level)),
            ("bookings", _number(bookings)),
            ("conversion", _share(conversion)),
        ],
    )


def _one_call(probe: Probe, target: Target, first_day: str) -> Iterator[str]:
    """A call that wanted a booking and left without: every metric, and its reasons as text."""
    found = probe.rows(
        "select history_id, call_started_at, talk_sec, await_sec, outcome"
        f" from {_table(target, 'fct_call')} where call_date >= %s"
        " and outcome = 'lead_no_record' and is_answered = 1 order by talk_sec desc limit 1",
        (first_day,),
    )
    if not found:
        yield "no lost call in the last week"
        return
    history_id, started_at, talk, wait, outcome = found[0]
    sentences = {
        (metric, reason): (russian, english)
        for metric, reason, russian, english in probe.rows(
            "select metric_code, reason_code, sentence_ru, sentence_en"
            f" from {_table(target, 'lm_reason_dictionary')}"
        )
    }
    yield f"one call: {history_id}, {started_at}, waited {wait} s, talked {talk} s, {outcome}"
    for metric, number, label, document in probe.rows(
        f"select metric_code, value_numeric, value_label, value_json"
        f" from {_table(target, 'lm_value')} where history_id = %s order by metric_group, 1",
        (history_id,),
    ):
        value = " ".join(str(part) for part in (number, label) if part is not None)
        yield f"  {metric}: {value or 'no value'}"
        for code, numbers in reasons(document):
            for sentence in sentences.get((metric, code), (code,)):
                yield f"      {with_numbers(sentence, numbers)}"


def reasons(document: str | None) -> list[tuple[str, dict[str, Any]]]:
    """Code and numbers (points, value, ref) of each reason in a value_json."""
    found: list[dict[str, Any]] = (json.loads(document) if document else {}).get("reasons") or []
    return [
        (str(reason["code"]), {name: value for name, value in reason.items() if name != "code"})
        for reason in found
    ]


def with_numbers(sentence: str, numbers: Mapping[str, Any]) -> str:
    """The sentence with {value}, {ref} and {points} filled in, and its points behind it if
    it does not tell them: "... (+35)". A value may be a code."""
    text = sentence
    for name, number in numbers.items():
        if isinstance(number, int | float):
            text = text.replace(f"{{{name}}}", f"{number:.4g}" if number % 1 else f"{number:.0f}")
        else:
            text = text.replace(f"{{{name}}}", str(number))
    points = float(numbers.get("points") or 0)
    return text if "{points}" in sentence or not points else f"{text} ({points:+.4g})"


def _table(target: Target, name: str) -> str:
    return quoted(target.schema, name)


def _share(value: Any) -> str:
    return "-" if value is None else f"{100 * float(value):.1f} %"


def _number(value: Any, unit: str = "", digits: int = 0) -> str:
    return "-" if value is None else f"{float(value):,.{digits}f}{unit}"
