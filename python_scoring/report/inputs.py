"""What the report reads: each mart once, with its filters, as lists of dictionaries."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from python_scoring.base import run_log
from python_scoring.base.database import Probe, built_view, quoted
from python_scoring.base.profile import Target

Row = dict[str, Any]

DAYS_SHOWN = 28
DAYS_AHEAD = 14
QUALITY_DAYS = 30
LIST_ROWS = 10
HOURS_WEEKS = 8
# In the order of the page.
OUTLOOK_TARGETS = (
    *("bookings", "booked_value", "lost", "risky"),
    *("calls", "talk_minutes", "conversion_rate"),
)
CHART_TARGETS = ("calls", "bookings", "lost", "talk_minutes")


class Marts:
    """Questions to the schema of the marts; numbers come as int and float."""

    def __init__(self, probe: Probe, target: Target) -> None:
        self._probe = probe
        self._schema = target.schema

    def rows(
        self, columns: Sequence[str], view: str, rest: str = "", parameters: Sequence[Any] = ()
    ) -> list[Row]:
        """The columns of a view, in dictionaries by their last words."""
        names = [column.rpartition(" ")[2].rpartition(".")[2] for column in columns]
        with built_view(self._schema, view):
            found = self._probe.rows(
                f"select {', '.join(columns)} from {quoted(self._schema, view)} as marts {rest}",
                tuple(parameters),
            )
        return [dict(zip(names, map(_plain, row), strict=True)) for row in found]


def _plain(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else value


def read(probe: Probe, target: Target, period_days: int) -> Row:
    """Everything the page tells, by section; a section without data is an empty list."""
    marts = Marts(probe, target)
    span = last_period(marts, period_days)
    if span is None:
        return {"span": None, "dictionary": dictionary(marts)}
    last_day: date = span["last_day"]
    run = forecast_run(marts)
    return {
        "span": span,
        "money": money(marts, span),
        "indicators": indicators(marts, period_days),
        "churn_bands": marts.rows(
            ["band", "no_return_90d", "is_out_of_order"], "vw_lm_churn_bands", "order by band_rank"
        ),
        "worklist": worklist(marts),
        "lists": lists(marts),
        "history": history(marts, last_day),
        "ahead": ahead(marts),
        "outlook": outlook(marts),
        "alerts": marts.rows(
            ["dimension", "dimension_value", "target", "days", "side", "reason_ru", "reason_en"],
            "vw_lm_outlook_alerts",
            "order by dimension <> 'all', days, target, dimension, dimension_value",
        ),
        "operators": operators(marts, 30),
        "refusals": refusals(marts, 30),
        "hours": hours(marts),
        "models": models(marts),
        "forecast_run": run,
        "last_run": last_run(probe, target),
        "backtest": backtest(marts, run["run_id"]) if run else [],
        "fields": fields(marts, last_day),
        "oddities": oddities(marts, last_day),
        "quarantined": quarantined(marts),
        "tie_out": tie_out(marts, last_day),
        "dictionary": dictionary(marts),
    }


def last_run(probe: Probe, target: Target) -> Row:
    """Steps of the newest run that went wrong, when a run was last done, and how old that is."""
    steps = run_log.last_run(probe, target)
    good = run_log.last_good_end(probe, target)
    now = run_log.clock(target)
    # Within a run the page is made before its end.
    is_at_work = any(step.status == "running" for step in steps)
    return {
        "is_known": bool(steps),
        "started_at": steps[0].started_at if steps else None,
        "bad_steps": [
            (step.step.removeprefix("dbt "), step.status) for step in run_log.bad_steps(steps)
        ],
        "good_at": good,
        "is_stale": bool(steps) and not is_at_work and run_log.is_stale(good, now),
        "is_dead": is_at_work and run_log.is_stale(steps[0].started_at, now),
    }


def last_period(marts: Marts, period_days: int) -> Row | None:
    """First and last day of the newest period, and the calls in it; None without any call."""
    found = marts.rows(
        ["max(stat_date) as last_day", "min(stat_date) as first_known"],
        "lm_daily_facts",
        "where dimension = 'all'",
    )
    if not found or found[0]["last_day"] is None:
        return None
    period = marts.rows(
        ["period_start", "period_end", "max(calls) as calls"],
        "vw_lm_period_summary",
        "where period_days = %s and dimension = 'all' group by period_start, period_end",
        (period_days,),
    )
    if not period:
        return None
    return {**found[0], **period[0], "period_days": period_days}


def money(marts: Marts, span: Row) -> Row:
    """Roubles of the period by the price list: booked, lost and still expected; bookings."""
    return marts.rows(
        [
            "coalesce(sum(bookings), 0) as bookings",
            "coalesce(sum(booked_value), 0) as booked_value",
            "coalesce(sum(lost_calls), 0) as lost_calls",
            "coalesce(sum(loss_rub), 0) as lost_value",
            "coalesce(sum(expected_rub), 0) as expected_value",
        ],
        "lm_daily_facts",
        "where dimension = 'all' and stat_date between %s and %s",
        (span["period_start"], span["period_end"]),
    )[0]


def indicators(marts: Marts, period_days: int) -> list[Row]:
    """KPIs and metrics of the period, all calls, each with base, interval, change and status."""
    return marts.rows(
        [
            "metric_group",
            "metric_code",
            "calls",
            "value_count",
            "level",
            "level_low",
            "level_high",
            "true_share",
            "high_share",
            "previous_level",
            "level_change",
            "is_change_significant",
            "status",
            "status_measure",
            "green_from",
            "red_from",
        ],
        "vw_lm_period_summary",
        "where period_days = %s and dimension = 'all' order by metric_group, metric_code",
        (period_days,),
    )


def worklist(marts: Marts) -> Row:
    """Today's clients: how many are worth a call, what they bring, and the first of them."""
    rows = marts.rows(
        [
            "history_id",
            "call_started_at",
            "last_talk_at",
            "last_operator_name as operator_name",
            "service_name",
            "is_today",
            "is_owed",
            "off_reason",
            "expected_rub",
            "chance_if_called",
            "minutes",
            "free_minutes",
            "reasons_ru",
            "reasons_en",
            "action_ru",
            "action_en",
        ],
        "vw_lm_worklist",
        "order by place",
    )
    today = [row for row in rows if row["is_today"]]
    return {
        "clients": len(rows),
        "today": len(today),
        "expected_rub": sum(row["expected_rub"] for row in today),
        "minutes": sum(row["minutes"] for row in today),
        "free_minutes": rows[0]["free_minutes"] if rows else 0,
        "not_worth_it": sum(row["off_reason"] == "NOT_WORTH_IT" for row in rows),
        "no_minutes": sum(row["off_reason"] == "NO_MINUTES" for row in rows),
        "rows": today[:LIST_ROWS],
    }


def lists(marts: Marts) -> list[Row]:
    """The lists to act on in the order of their most urgent call: totals and the first rows."""
    found: dict[str, Row] = {}
    for row in marts.rows(
        [
            "list_code",
            "list_name_ru",
            "list_name_en",
            "history_id",
            "call_started_at",
            "operator_name",
            "service_name",
            "due_at",
            "is_overdue",
            "loss_rub",
            "reasons_ru",
            "reasons_en",
            "action_ru",
            "action_en",
        ],
        "vw_lm_action_list",
        # Among equals the newest call, as its caller is the likeliest to be won back.
        "order by sort_key, call_started_at desc, history_id",
    ):
        head = {name: row.pop(name) for name in ("list_code", "list_name_ru", "list_name_en")}
        one = found.setdefault(head["list_code"], {**head, "total": 0, "overdue": 0, "rows": []})
        one["total"] += 1
        one["overdue"] += row["is_overdue"]
        if len(one["rows"]) < LIST_ROWS:
            one["rows"].append(row)
    return list(found.values())


def history(marts: Marts, last_day: date) -> list[Row]:
    """Calls, bookings, losses and talk of the last DAYS_SHOWN days, one row a day."""
    return marts.rows(
        [
            "stat_date",
            "calls",
            "bookings",
            "lost_calls as lost",
            "talk_sec / 60 as talk_minutes",
            "reviewed_talks",
            "talk_calls",
        ],
        "lm_daily_facts",
        "where dimension = 'all' and stat_date > %s order by stat_date",
        (last_day - timedelta(days=DAYS_SHOWN),),
    )


def ahead(marts: Marts) -> list[Row]:
    """The newest forecast of the next DAYS_AHEAD days, one row a day and target."""
    return marts.rows(
        ["target", "period_start", "yhat", "yhat_lo80", "yhat_hi80"],
        "vw_lm_forecast",
        "where dimension = 'all' and grain = 'day' and target in"
        f" ({', '.join(['%s'] * len(CHART_TARGETS))})"
        f" and horizon <= {DAYS_SHOWN} order by target, period_start",
        CHART_TARGETS,
    )


def outlook(marts: Marts) -> list[Row]:
    parts = ("", "_lo80", "_hi80", "_before")
    columns = (target + part for target in OUTLOOK_TARGETS for part in parts)
    return marts.rows(
        ["days", "period_start", "period_end", *columns],
        "vw_lm_outlook",
        "where dimension = 'all' and days in (7, 14) order by days",
    )


def operators(marts: Marts, period_days: int) -> list[Row]:
    """The scorecard by how much more or less was booked than at equal difficulty."""
    return marts.rows(
        [
            "operator_name",
            "calls",
            "talk_calls",
            "reviewed_calls",
            "wanting_calls",
            "bookings",
            "conversion_rate",
            "expected_bookings",
            "booking_uplift_per_100",
            "booking_uplift_low",
            "booking_uplift_high",
            "qa_score",
            "qa_score_low",
            "qa_score_high",
            "aht_sec",
            "operator_rank",
            "status",
        ],
        "vw_lm_operator_scorecard",
        "where period_days = %s and operator_name <> 'unknown'"
        " order by status is null or status = 'insufficient_data',"
        " booking_uplift_per_100 desc, operator_name",
        (period_days,),
    )


def refusals(marts: Marts, period_days: int) -> list[Row]:
    return marts.rows(
        [
            "refusal_code",
            "name_ru",
            "name_en",
            "lost_calls",
            "lost_share",
            "lost_share_low",
            "lost_share_high",
            "loss_rub",
            "previous_share",
            "level_change",
            "change_low",
            "change_high",
        ],
        "vw_lm_refusal_reasons",
        "where period_days = %s order by reason_rank limit 8",
        (period_days,),
    )


def hours(marts: Marts) -> list[Row]:
    """Weekdays by hours of the shorter of the profile's spans: one row each."""
    return marts.rows(
        [
            "span_weeks",
            "span_start",
            "span_end",
            "call_weekday",
            "call_hour",
            "days_observed",
            "offered_per_day",
            "abandoned_per_day",
            "service_level",
        ],
        "vw_lm_hourly_profile",
        "where span_weeks = %s order by call_hour, call_weekday",
        (HOURS_WEEKS,),
    )


def models(marts: Marts) -> list[Row]:
    return marts.rows(
        [
            "metric_code",
            "calc_method",
            "published",
            "trained_at",
            "age_days",
            "is_stale",
            "is_drifted",
            "is_miscalibrated",
            "predicted_events",
            "realised_events",
        ],
        "vw_lm_model_health",
        "order by metric_code",
    )


def forecast_run(marts: Marts) -> Row | None:
    found = marts.rows(
        ["run_id", "made_at", "first_day", "calls_through", "reviews_through"],
        "lm_forecast_run",
        "order by id desc limit 1",
    )
    return found[0] if found else None


def backtest(marts: Marts, run_id: str) -> list[Row]:
    """How the newest run's published method did on days it had not seen, by target."""
    return marts.rows(
        [
            "target",
            "sum(n) as n",
            "avg(mase) as mase",
            "avg(coverage80) as coverage80",
        ],
        "lm_forecast_backtest",
        "where run_id = %s and dimension = 'all' and grain = 'day' and model = 'published'"
        " group by target order by target",
        (run_id,),
    )


def fields(marts: Marts, last_day: date) -> list[Row]:
    """Source fields of the last QUALITY_DAYS days: calls that should have one, and have."""
    return marts.rows(
        ["field", "sum(calls) as calls", "sum(filled) as filled", "sum(unknown) as not_mapped"],
        "vw_lm_data_quality",
        "where check_kind = 'field' and stat_date > %s group by field having sum(calls) > 0"
        " order by sum(filled) / sum(calls), field",
        (last_day - timedelta(days=QUALITY_DAYS),),
    )


def oddities(marts: Marts, last_day: date) -> list[Row]:
    return marts.rows(
        ["check_kind", "field", "sum(calls) as calls", "sum(flagged) as flagged"],
        "vw_lm_data_quality",
        # A call whose start was refused may have no day.
        "where check_kind in ('contradiction', 'repeated', 'refused')"
        " and (stat_date > %s or stat_date is null and check_kind = 'refused')"
        " group by check_kind, field having sum(flagged) > 0 order by sum(flagged) desc, field",
        (last_day - timedelta(days=QUALITY_DAYS),),
    )


def quarantined(marts: Marts) -> int:
    """Calls that the statistics leave out: one of their rows fails a check."""
    return int(marts.rows(["count(distinct history_id) as calls"], "lm_quarantine", "")[0]["calls"])


def tie_out(marts: Marts, last_day: date) -> Row:
    """Days of the last QUALITY_DAYS whose source and marts count differently."""
    return marts.rows(
        [
            "count(*) as days",
            "coalesce(sum(source_calls), 0) as source_calls",
            "coalesce(sum(calls_difference <> 0 or talks_difference <> 0"
            " or bookings_difference <> 0), 0) as days_unlike",
        ],
        "vw_lm_tie_out",
        "where stat_date > %s",
        (last_day - timedelta(days=QUALITY_DAYS),),
    )[0]


def dictionary(marts: Marts) -> dict[str, Row]:
    """Names, descriptions, unit and kind of every KPI and metric, by code."""
    texts = ["name_ru", "name_en", "description_ru", "description_en", "unit", "direction"]
    kpis = marts.rows(["kpi_code as code", *texts, "is_proxy"], "lm_kpi_dictionary")
    metrics = marts.rows(["metric_code as code", *texts, "0 as is_proxy"], "lm_metric_dictionary")
    return {one["code"]: one for one in [*kpis, *metrics]}
