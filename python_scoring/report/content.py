"""What the page says: facts of the marts turned into findings, gaps and rows of tables."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from python_scoring.report.inputs import DAYS_AHEAD, OUTLOOK_TARGETS, QUALITY_DAYS, Row
from python_scoring.report.texts import Words

# Read first: the headline takes bad indicators in this order, the table begins with them.
FIRST = (
    "service_level",
    "abandonment_rate",
    "callback_rate",
    "missed_reached_rate",
    "conversion_rate",
    "complaint_rate",
    "qa_score_avg",
    "reviewed_share",
    "fcr_proxy",
    "asa_sec",
)
MOST_BURNING = 6
# The metric and its list of actions.
CHURN = ("churn_risk_level", "churn")
SHORT_HISTORY_DAYS = 56
UNFILLED_SHARE = 0.7
FEW_REVIEWS = 0.9
# Reviews of a day count as all in from this share on.
REVIEWED_ENOUGH = 0.6
OLD_FORECAST_DAYS = 1


def forecast_age(facts: Row, moment: datetime) -> int:
    """Whole days since the newest forecast was made; 0 without one."""
    run = facts["forecast_run"]
    return (moment + timedelta(seconds=1) - run["made_at"]).days if run else 0


def is_forecast_old(facts: Row, moment: datetime) -> bool:
    """Whether what the newest forecast calls the next days no longer are."""
    return forecast_age(facts, moment) > OLD_FORECAST_DAYS


def is_churn_told(facts: Row) -> bool:
    """Whether a high churn risk means more: not where as many of a lower one stay away."""
    return not any(band["is_out_of_order"] for band in facts["churn_bands"])


def churn_untold(facts: Row, words: Words) -> str:
    """Why the churn risk is not shown as a warning; empty where it is."""
    if is_churn_told(facts):
        return ""
    shares = (
        f"{words(band['band'])} {words.share(band['no_return_90d'])}"
        for band in facts["churn_bands"]
    )
    return words("churn_untold", shares=", ".join(shares))


def may_be_red(facts: Row, code: str) -> bool:
    """Whether a metric or a list of actions may be shown as a warning."""
    return code not in CHURN or is_churn_told(facts)


def unit_of(facts: Row, code: str) -> str:
    return str(facts["dictionary"].get(code, {}).get("unit") or "")


def name_of(facts: Row, code: str, words: Words) -> str:
    row = facts["dictionary"].get(code)
    return words.named(row) if row else code


def burning(facts: Row, words: Words, moment: datetime) -> list[Row]:
    """Overdue lists, bad indicators and forecasts out of the usual: `kind` and `text`.

    What an old forecast warned of is left out: its "next days" are gone.
    """
    found = [{"kind": "run", "text": text} for text in run_problems(facts, words)]
    found += [
        {
            "kind": "overdue",
            "text": words(
                "overdue",
                name=words.named(one, "list_name"),
                overdue=words.number(one["overdue"]),
                total=words.number(one["total"]),
            ),
        }
        for one in facts["lists"]
        if one["overdue"]
        and one["list_code"] != "cross_sell"
        and may_be_red(facts, one["list_code"])
    ]
    bad = [
        row
        for row in ordered(facts["indicators"])
        if row["status"] == "bad" and may_be_red(facts, row["metric_code"])
    ]
    found += [
        {
            "kind": "bad",
            "text": words(
                "bad_indicator",
                name=name_of(facts, row["metric_code"], words),
                value=words.level(row[judged(row)], _judged_unit(facts, row)),
                limit=words.level(row["red_from"], _judged_unit(facts, row)),
                n=words.number(row["value_count"]),
            ),
        }
        for row in bad
    ]
    worse = [
        row
        for row in ordered(facts["indicators"])
        if row["status"] == "warning"
        and row["is_change_significant"]
        and _is_worse(facts, row)
        and may_be_red(facts, row["metric_code"])
    ]
    found += [
        {
            "kind": "worse",
            "text": words(
                "worse",
                name=name_of(facts, row["metric_code"], words),
                value=words.level(row["level"], unit_of(facts, row["metric_code"])),
                before=words.level(row["previous_level"], unit_of(facts, row["metric_code"])),
                n=words.number(row["value_count"]),
            ),
        }
        for row in worse
    ]
    found += [
        {"kind": "alert", "text": words.named(row, "reason")}
        for row in facts["alerts"]
        if row["dimension"] == "all" and not is_forecast_old(facts, moment)
    ]
    return found[:MOST_BURNING]


def run_problems(facts: Row, words: Words) -> Iterator[str]:
    """What went wrong with the newest run, and whether the numbers are old for want of one."""
    run = facts["last_run"]
    good = words.moment(run["good_at"]) if run["good_at"] else words("never")
    if run["bad_steps"]:
        yield words(
            "run_bad",
            moment=words.moment(run["started_at"]),
            steps=", ".join(
                f"{words(f'step_{step}')} ({words(f'run_{status}')})"
                for step, status in run["bad_steps"]
            ),
            good=good,
        )
    elif run["is_dead"]:
        yield words("run_dead", moment=words.moment(run["started_at"]), good=good)
    elif run["is_stale"]:
        yield words("run_stale", good=good)


def judged(row: Row) -> str:
    """The column that the status was given for."""
    measure = row["status_measure"] or "level"
    return measure if measure in row else "level"


def _judged_unit(facts: Row, row: Row) -> str:
    return "share" if judged(row).endswith("_share") else unit_of(facts, row["metric_code"])


def _is_worse(facts: Row, row: Row) -> bool:
    direction = facts["dictionary"].get(row["metric_code"], {}).get("direction")
    change = row["level_change"] or 0
    return bool(change < 0 if direction == "higher_better" else change > 0)


def ordered(rows: list[Row]) -> list[Row]:
    """KPIs before metrics, those of FIRST before the others."""

    def place(row: Row) -> tuple[bool, int, str, str]:
        code = row["metric_code"]
        first = FIRST.index(code) if code in FIRST else len(FIRST)
        return row["metric_group"] != "kpi", first, row["metric_group"], code

    return sorted(rows, key=place)


def indicator_rows(facts: Row, words: Words, kpis: bool) -> list[Row]:
    """Rows of the table of indicators (or of metrics), as they are shown."""
    rows = []
    for row in ordered(facts["indicators"]):
        if (row["metric_group"] == "kpi") != kpis:
            continue
        unit = unit_of(facts, row["metric_code"])
        changed = row["level_change"] is not None
        status = row["status"] if may_be_red(facts, row["metric_code"]) else None
        rows.append(
            {
                "code": row["metric_code"],
                "name": name_of(facts, row["metric_code"], words),
                "value": words.level(row["level"], unit),
                "interval": f"{words.level(row['level_low'], unit)} – "
                f"{words.level(row['level_high'], unit)}"
                if row["level_low"] is not None
                else "",
                "detail": _detail(row, words),
                "base": words.number(row["value_count"]),
                "change": words.signed(row["level_change"], unit),
                "sureness": ""
                if not changed or row["is_change_significant"] is None
                else words("real" if row["is_change_significant"] else "chance"),
                "status": status or "",
                "status_text": words(status) if status else "",
            }
        )
    return rows


def terms(facts: Row) -> list[Row]:
    """The dictionary's rows of everything named on the page."""
    codes = [row["metric_code"] for row in (*ordered(facts["indicators"]), *facts["models"])]
    return [facts["dictionary"][code] for code in codes if code in facts["dictionary"]]


def _detail(row: Row, words: Words) -> str:
    if judged(row) == "high_share" and row["high_share"] is not None:
        return words("share_high", share=words.share(row["high_share"], 1))
    if judged(row) == "true_share" and row["true_share"] is not None:
        return words("share_true", share=words.share(row["true_share"], 1))
    return ""


def outlook_cards(facts: Row, words: Words) -> list[Row]:
    """What the next week brings: name, value, interval and the week before."""
    if not facts["outlook"]:
        return []
    week = facts["outlook"][0]
    cards = []
    for target in OUTLOOK_TARGETS:
        if week[target] is None:
            continue
        unit = {"conversion_rate": "share", "booked_value": "rub"}.get(target, "")
        scale = 60 if target == "talk_minutes" else 1

        def render(value: float | None, unit: str = unit, scale: int = scale) -> str:
            if value is None:
                return words.number(None)
            return words.level(value, unit) if unit else words.number(value / scale)

        cards.append(
            {
                "target": target,
                "name": words("talk_hours" if target == "talk_minutes" else target),
                "value": render(week[target]),
                "low": render(week[f"{target}_lo80"]),
                "high": render(week[f"{target}_hi80"]),
                "before": render(week[f"{target}_before"]),
            }
        )
    return cards


def money_cards(facts: Row, words: Words) -> list[Row]:
    """What the period was worth: name, roubles and what they rest on."""
    money = facts["money"]
    rests_on = {
        "booked_value": words("on_bookings", n=words.number(money["bookings"])),
        "lost_value": words("on_lost", n=words.number(money["lost_calls"])),
        "expected_value": words("on_expected"),
    }
    return [
        {"name": words(code), "value": words.level(money[code], "rub"), "base": base}
        for code, base in rests_on.items()
        if money[code]
    ]


def outlook_title(facts: Row, words: Words, moment: datetime) -> str:
    """Of which days the cards are; those of an old forecast are not the next ones."""
    week = facts["outlook"][0]
    if not is_forecast_old(facts, moment):
        return words("next_week", days=week["days"])
    return words(
        "old_week",
        start=words.day(week["period_start"]),
        end=words.day(week["period_end"], year=True),
    )


def series(facts: Row, target: str) -> Row:
    """One chart's points: `past` and `ahead`, each (day, value[, low, high]), and `total`.

    Bookings and losses of days whose reviews are not in are `open`: drawn lighter.
    """
    reviewed = target in ("bookings", "lost")
    run = facts["forecast_run"]
    through = run["reviews_through"] if run else None
    scale = 60 if target == "talk_minutes" else 1
    past = [
        {
            "day": row["stat_date"],
            "value": (row[target] or 0) / scale,
            "open": reviewed and _is_open(row, through),
        }
        for row in facts["history"]
    ]
    last = facts["span"]["last_day"]
    ahead = [
        {
            "day": row["period_start"].date(),
            "value": row["yhat"] / scale,
            "low": row["yhat_lo80"] / scale,
            "high": row["yhat_hi80"] / scale,
        }
        for row in facts["ahead"]
        if row["target"] == target
        and last < row["period_start"].date() <= last + timedelta(days=DAYS_AHEAD)
    ]
    return {"past": past, "ahead": ahead, "total": sum(point["value"] for point in past)}


def _is_open(row: Row, through: date | None) -> bool:
    if through is not None:
        return bool(row["stat_date"] > through)
    return bool(row["talk_calls"]) and row["reviewed_talks"] < REVIEWED_ENOUGH * row["talk_calls"]


def gaps(facts: Row, words: Words, moment: datetime) -> list[str]:
    """What the report does not know, in words; the gravest first."""
    return list(_gaps(facts, words, moment))


def _gaps(facts: Row, words: Words, moment: datetime) -> Iterator[str]:
    span = facts["span"]
    last: date = span["last_day"]
    if untold := churn_untold(facts, words):
        yield untold
    behind = (moment.date() - last).days
    if behind > 1:
        yield words("old_data", day=words.day(last, year=True), days=behind)
    known = (last - span["first_known"]).days + 1
    if known < SHORT_HISTORY_DAYS:
        yield words("short_history", days=known)
    if facts["tie_out"]["days_unlike"]:
        yield words(
            "days_unlike",
            days=words.number(facts["tie_out"]["days_unlike"]),
            all=words.number(facts["tie_out"]["days"]),
        )
    if facts["quarantined"]:
        yield words("quarantined", count=words.number(facts["quarantined"]))
    yield from _review_gaps(facts, words)
    yield from _forecast_gaps(facts, words, moment)
    few = [
        name_of(facts, row["metric_code"], words)
        for row in ordered(facts["indicators"])
        if row["status"] == "insufficient_data"
    ]
    if few:
        yield words("too_few", names=", ".join(few))
    for row in facts["fields"]:
        share = row["filled"] / row["calls"]
        if share < UNFILLED_SHARE:
            yield words(
                "unfilled",
                field=words.field(row["field"]),
                share=words.share(share),
                filled=words.number(row["filled"]),
                calls=words.number(row["calls"]),
            )
        if row["not_mapped"]:
            yield words(
                "not_mapped",
                field=words.field(row["field"]),
                count=words.number(row["not_mapped"]),
            )
    if facts["oddities"]:
        told = (
            words(row["check_kind"], field=words.field(row["field"]))
            + f" {words.number(row['flagged'])}"
            for row in facts["oddities"]
        )
        yield words("odd", days=QUALITY_DAYS, list="; ".join(told))
    proxies = [words.named(row) for row in facts["dictionary"].values() if row["is_proxy"]]
    if proxies:
        yield words("proxies", names=", ".join(proxies))


def _review_gaps(facts: Row, words: Words) -> Iterator[str]:
    reviewed = [row for row in facts["indicators"] if row["metric_code"] == "reviewed_share"]
    if reviewed and reviewed[0]["level"] is not None and reviewed[0]["level"] < FEW_REVIEWS:
        yield words("few_reviews", share=words.share(reviewed[0]["level"]))
    run = facts["forecast_run"]
    if run and run["reviews_through"] and run["reviews_through"] < facts["span"]["last_day"]:
        yield words("reviews_through", day=words.day(run["reviews_through"], year=True))


def _forecast_gaps(facts: Row, words: Words, moment: datetime) -> Iterator[str]:
    if not facts["models"]:
        yield words("no_models")
    for row in facts["models"]:
        problems = [what for what in model_states(row) if what != "model_ok"]
        if problems:
            yield words(
                "model_problem",
                name=name_of(facts, row["metric_code"], words),
                what=", ".join(map(words, problems)),
            )
    run = facts["forecast_run"]
    if not run or not facts["outlook"]:
        yield words("no_forecast")
    elif is_forecast_old(facts, moment):
        age = forecast_age(facts, moment)
        yield words("old_forecast", day=words.day(run["made_at"], year=True), days=age)


def model_states(row: Row) -> list[str]:
    """Keys of texts: what is wrong with a model, or that it is fine."""
    found = [f"model_{what}" for what in ("stale", "drifted", "miscalibrated") if row[f"is_{what}"]]
    if not row["published"]:
        found.append("model_base")
    return found or ["model_ok"]
