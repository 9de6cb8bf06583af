"""The numbers that `lm demo` ends with."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from python_scoring.base.database import Probe, quoted
from python_scoring.base.profile import Target
from python_scoring.base.text_table import format_table

# The week's headline, in this order; vw_lm_period_summary has many more.
HEADLINE = (
    "service_level",
    "abandonment_rate",
    "asa_sec",
    "aht_sec",
    "conversion_rate",
    "qa_score_avg",
    "callback_rate",
)
CALLS_TO_MAKE = 5
OUTLOOK = ("calls", "bookings", "lost", "risky", "talk_minutes")


def summary(probe: Probe, target: Target, as_of: str) -> str:
    """Rows by metric group, the last week's KPIs, whom to call, and one call in words."""
    first_day = (datetime.fromisoformat(as_of) - timedelta(days=7)).date()
    parts = [
        *_groups(probe, target),
        "",
        *_kpis(probe, target),
        "",
        *_outlook(probe, target),
        "",
        *_calls_to_make(probe, target),
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


def _kpis(probe: Probe, target: Target) -> Iterator[str]:
    rows = probe.rows(
        "select kpi.name_ru, kpi.name_en, week.level, week.value_count, week.level_change,"
        " case when week.is_change_significant = 1 then 'real' else 'chance' end, week.status,"
        " week.period_start, week.period_end, kpi.kind"
        f" from {_table(target, 'vw_lm_period_summary')} as week"
        f" inner join {_table(target, 'lm_kpi_dictionary')} as kpi"
        " on week.metric_code = kpi.kpi_code"
        " where week.period_days = 7 and week.dimension = 'all'"
        f" and week.metric_code in ({', '.join(['%s'] * len(HEADLINE))})"
        f" order by field(week.metric_code, {', '.join(['%s'] * len(HEADLINE))})",
        (*HEADLINE, *HEADLINE),
    )
    if not rows:
        yield "no complete week of calls"
        return
    yield f"the last week, {rows[0][7]} to {rows[0][8]} (vw_lm_period_summary)"
    yield format_table(
        ["показатель", "kpi", "value", "base", "change", "change is", "status"],
        [
            (russian, english, _told(level, kind), base, _told(change, kind), sure, status or "")
            for russian, english, level, base, change, sure, status, _, _, kind in rows
        ],
    )


def _outlook(probe: Probe, target: Target) -> Iterator[str]:
    """The next 7 and 14 days, each target with its 80 % interval and what it was before."""
    columns = [
        f"round({name}{part}, 1)" for name in OUTLOOK for part in ("", "_lo80", "_hi80", "_before")
    ]
    rows = [
        (days, name, *figures[4 * number : 4 * number + 4])
        for days, *figures in probe.rows(
            f"select days, {', '.join(columns)} from {_table(target, 'vw_lm_outlook')}"
            " where dimension = 'all' order by days"
        )
        for number, name in enumerate(OUTLOOK)
    ]
    if not rows:
        yield "no forecast of the days to come"
        return
    yield "the days to come, 80 % intervals (vw_lm_outlook)"
    yield format_table(["days", "what", "expected", "low", "high", "days before"], rows)


def _calls_to_make(probe: Probe, target: Target) -> Iterator[str]:
    rows = probe.rows(
        "select list_name_ru, history_id, operator_name, due_at, reasons_ru, action_ru"
        f" from {_table(target, 'vw_lm_action_list')} order by sort_key limit {CALLS_TO_MAKE}"
    )
    total = probe.one(f"select count(*) from {_table(target, 'vw_lm_action_list')}")[0]
    yield f"the first {len(rows)} of {total} calls to act on (vw_lm_action_list)"
    yield format_table(["список", "history_id", "оператор", "срок", "почему", "что сделать"], rows)


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


def _told(value: Any, kind: str) -> str:
    if value is None:
        return "-"
    return f"{100 * float(value):.1f} %" if kind == "share" else f"{float(value):.1f}"
