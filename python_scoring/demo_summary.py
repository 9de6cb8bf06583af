"""The numbers that `lm demo` ends with."""

from __future__ import annotations

from collections.abc import Iterator
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
    yield f"one call: {history_id}, {started_at}, waited {wait} s, talked {talk} s, {outcome}"
    for metric, number, label, *sentences in probe.rows(
        "select metric_code, value_numeric, value_label, coalesce(reasons_ru, gate_ru),"
        f" coalesce(reasons_en, gate_en) from {_table(target, 'vw_lm_call_explained')}"
        " where history_id = %s order by metric_group, metric_code",
        (history_id,),
    ):
        value = " ".join(str(part) for part in (number, label) if part is not None)
        yield f"  {metric}: {value or 'no value'}"
        yield from (f"      {sentence}" for sentence in sentences if sentence)


def _table(target: Target, name: str) -> str:
    return quoted(target.schema, name)


def _share(value: Any) -> str:
    return "-" if value is None else f"{100 * float(value):.1f} %"


def _number(value: Any, unit: str = "", digits: int = 0) -> str:
    return "-" if value is None else f"{float(value):,.{digits}f}{unit}"
