"""The manager's page: words, findings and gaps, from facts made by hand."""

from __future__ import annotations

import json
import re
from datetime import date, datetime, timedelta
from html.parser import HTMLParser
from string import Formatter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from python_scoring.report import charts, content, page
from python_scoring.report.inputs import OUTLOOK_TARGETS
from python_scoring.report.texts import FIELDS, LANGUAGES, TEXTS, UNITS, Words

LAST = date(2026, 3, 29)
MOMENT = datetime(2026, 3, 29, 23, 59, 59)
WORKLIST = {
    "clients": 0,
    "today": 0,
    "expected_rub": 0.0,
    "minutes": 0.0,
    "free_minutes": 0.0,
    "not_worth_it": 0,
    "no_minutes": 0,
    "rows": [],
}
MONEY = ("bookings", "booked_value", "lost_calls", "lost_value", "expected_value")


def term(code: str, direction: str = "higher_better", is_proxy: int = 0) -> dict[str, Any]:
    texts = {
        f"{what}_{lang}": f"{code} {lang}" for what in ("name", "description") for lang in LANGUAGES
    }
    return {"code": code, **texts, "unit": "share", "direction": direction, "is_proxy": is_proxy}


def indicator(code: str, level: float | None, **values: Any) -> dict[str, Any]:
    empty = dict.fromkeys(
        (
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
        )
    )
    return {
        "metric_group": "kpi",
        "metric_code": code,
        "calls": 100,
        "value_count": 80,
        "level": level,
        **empty,
        **values,
    }


def call(history_id: int, operator: str) -> dict[str, Any]:
    return {
        "history_id": history_id,
        "call_started_at": MOMENT,
        "operator_name": operator,
        "service_name": None,
        "due_at": MOMENT,
        "is_overdue": 1,
        "loss_rub": None,
        "reasons_ru": "причина",
        "reasons_en": "reason",
        "action_ru": "дело",
        "action_en": "action",
    }


def facts(**changes: Any) -> dict[str, Any]:
    """A page with next to nothing on it, and what a test adds."""
    days = [LAST - timedelta(days=n) for n in range(28)][::-1]
    known: dict[str, Any] = {
        "span": {
            "last_day": LAST,
            "first_known": LAST - timedelta(days=400),
            "period_start": LAST - timedelta(days=6),
            "period_end": LAST,
            "calls": 700,
            "period_days": 7,
        },
        "money": dict.fromkeys(MONEY, 0.0),
        "indicators": [],
        "churn_bands": [],
        "worklist": WORKLIST,
        "lists": [],
        "history": [
            {
                "stat_date": day,
                "calls": 100,
                "bookings": 10,
                "lost": 5,
                "talk_minutes": 90.0,
                "reviewed_talks": 50,
                "talk_calls": 50,
            }
            for day in days
        ],
        "ahead": [],
        "outlook": [],
        "alerts": [],
        "operators": [],
        "refusals": [],
        "hours": [],
        "models": [],
        "forecast_run": None,
        "last_run": {
            "started_at": MOMENT,
            "bad_steps": [],
            "good_at": MOMENT,
            "is_stale": False,
            "is_dead": False,
        },
        "backtest": [],
        "fields": [],
        "oddities": [],
        "quarantined": 0,
        "tie_out": {"days": 30, "source_calls": 3000, "days_unlike": 0},
        "dictionary": {code: term(code) for code in ("service_level", "conversion_rate")},
    }
    return known | changes


class Tags(HTMLParser):
    """Fails on a page whose tags do not close in order; keeps what is in it."""

    VOID = ("meta", "br", "line", "polyline", "polygon", "circle")

    def __init__(self, told: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.feed(told)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.ids += [value or "" for name, value in attrs if name == "id"]
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)


@pytest.mark.parametrize("table", [TEXTS, FIELDS, UNITS])
def test_both_languages_say_the_same_things(table: dict[str, tuple[str, str]]) -> None:
    for key, texts in table.items():
        fields = [{name for _, name, _, _ in Formatter().parse(text) if name} for text in texts]
        assert all(texts) and fields[0] == fields[1], key
        assert not re.search("[а-яё]", texts[1], re.IGNORECASE), key


def test_numbers_are_written_as_the_language_does() -> None:
    ru, en = Words("ru"), Words("en")
    assert (ru.number(-1234.56, 1), en.number(-1234.56, 1)) == ("−1\u202f234,6", "−1,234.6")
    assert ru.number(-0.04, 1) == "0,0"
    assert (ru.share(0.1234, 1), en.share(None)) == ("12,3\u00a0%", "—")
    assert (ru.signed(0.021, "share"), en.signed(-0.021, "share")) == (
        "+2,1\u00a0п.п.",
        "−2.1\u00a0pp",
    )
    assert en.signed(3.4, "percent") == "+3.4\u00a0pp"
    assert (ru.day(LAST, year=True), en.day(LAST, year=True)) == ("29.03.2026", "29 Mar 2026")


@given(st.floats(1e-6, 1e9))
def test_axes_end_at_or_above_the_highest_value(top: float) -> None:
    ticks = charts.axis_ticks(top)
    assert ticks[0] == 0 and ticks[-1] >= top * 0.99
    assert 2 <= len(ticks) <= charts.MOST_TICKS + 2
    assert ticks[-2] < top * 1.01


def test_what_burns_comes_in_order_and_only_what_burns() -> None:
    found = content.burning(
        facts(
            lists=[
                {"list_code": "callback", "list_name_ru": "Звонки", "total": 5, "overdue": 0},
                {"list_code": "complaint", "list_name_ru": "Жалобы", "total": 3, "overdue": 2},
            ],
            indicators=[
                indicator("conversion_rate", 0.5, status="bad", red_from=0.55),
                indicator("service_level", 0.61, status="bad", red_from=0.7),
                indicator("other", 0.9, status="good"),
                indicator(
                    "better",
                    0.9,
                    status="warning",
                    is_change_significant=1,
                    previous_level=0.8,
                    level_change=0.1,
                ),
                indicator(
                    "worse",
                    0.7,
                    status="warning",
                    is_change_significant=1,
                    previous_level=0.8,
                    level_change=-0.1,
                ),
            ],
            alerts=[
                {"dimension": "all", "reason_ru": "Звонков станет меньше."},
                {"dimension": "source", "reason_ru": "не сюда"},
            ],
            dictionary={code: term(code) for code in ("service_level", "conversion_rate", "better")}
            | {"worse": term("worse")},
        ),
        Words("ru"),
        MOMENT,
    )
    assert [one["kind"] for one in found] == ["overdue", "bad", "bad", "worse", "alert"]
    assert found[0]["text"] == "Жалобы: просрочено 2 из 3"
    assert found[1]["text"].startswith("service_level ru: 61,0")
    assert "граница 70,0" in found[1]["text"] and "n = 80" in found[1]["text"]


def test_metrics_are_judged_by_the_share_that_gave_the_status() -> None:
    row = indicator(
        "conversion_rate",
        30.0,
        status="bad",
        status_measure="high_share",
        high_share=0.4,
        red_from=0.3,
    )
    text = content.burning(facts(indicators=[row]), Words("en"), MOMENT)[0]["text"]
    assert "40.0" in text and "30.0\u00a0%" in text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "Вероятностей ещё нет"),
        ({}, "Прогноза нет"),
        (
            {"indicators": [indicator("service_level", None, status="insufficient_data")]},
            "service_level ru",
        ),
        ({"indicators": [indicator("reviewed_share", 0.4)]}, "Проверено 40"),
        ({"tie_out": {"days": 30, "source_calls": 1, "days_unlike": 2}}, "В 2 из 30 дней"),
        (
            {"fields": [{"field": "source", "calls": 200, "filled": 50, "not_mapped": 3}]},
            "«источник» заполнено в 25",
        ),
        (
            {"fields": [{"field": "source", "calls": 200, "filled": 200, "not_mapped": 3}]},
            "3 значений нет в справочнике",
        ),
        ({"dictionary": {"aht_sec": term("aht_sec", is_proxy=1)}}, "aht_sec ru"),
    ],
)
def test_gaps_are_told(changes: dict[str, Any], words: str) -> None:
    assert any(words in gap for gap in content.gaps(facts(**changes), Words("ru"), MOMENT))


def test_old_data_old_forecasts_and_sick_models_are_told() -> None:
    model = {
        "metric_code": "service_level",
        "published": 1,
        "is_stale": 1,
        "is_drifted": 0,
        "is_miscalibrated": 1,
        "trained_at": MOMENT,
    }
    run = {"reviews_through": LAST - timedelta(days=4), "made_at": MOMENT - timedelta(days=9)}
    known = facts(models=[model], forecast_run=run, outlook=[{"days": 7}])
    gaps = content.gaps(known, Words("en"), MOMENT + timedelta(days=3))
    told = "\n".join(gaps)
    assert "3 days before the report" in told
    assert "complete through 25 Mar 2026" in told
    assert "12 days before the report" in told
    assert "service_level en': stale, off what came" in told


def week_ahead() -> dict[str, Any]:
    parts = ("", "_lo80", "_hi80", "_before")
    return {
        "days": 7,
        "period_start": LAST + timedelta(days=1),
        "period_end": LAST + timedelta(days=7),
    } | {name + part: 0.5 for name in OUTLOOK_TARGETS for part in parts}


def test_the_days_of_an_old_forecast_are_not_called_the_next() -> None:
    alert = {"dimension": "all", "reason_en": "Fewer calls in the next 7 days.", "reason_ru": ""}
    known = facts(
        forecast_run={"reviews_through": LAST, "made_at": MOMENT + timedelta(seconds=1)},
        outlook=[week_ahead()],
        alerts=[alert],
    )
    for make in (page.html, page.text):
        fresh = make(known, Words("en"), MOMENT).lower()
        assert "the next 7 days" in fresh and "fewer calls" in fresh
        assert "out of date" not in fresh
        old = make(known, Words("en"), MOMENT + timedelta(days=9)).lower()
        assert "next 7 days" not in old and "fewer calls" not in old
        assert "out of date: forecast of 30 mar to 5 apr 2026" in old
        assert "run `lm forecast`" in old


def test_days_without_reviews_are_drawn_apart() -> None:
    known = facts(forecast_run={"reviews_through": LAST - timedelta(days=2), "made_at": MOMENT})
    bookings, calls = content.series(known, "bookings"), content.series(known, "calls")
    assert [point["open"] for point in bookings["past"]][-3:] == [False, True, True]
    assert not any(point["open"] for point in calls["past"])
    assert bookings["total"] == 280


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_is_whole_and_keeps_to_itself(language: str) -> None:
    evil = "<script>alert('x')</script>"
    known = facts(
        lists=[
            {
                "list_code": "callback",
                "list_name_ru": "Звонки",
                "list_name_en": "Calls",
                "total": 4,
                "overdue": 4,
                "rows": [call(number, evil) for number in range(4)],
            }
        ],
        indicators=[indicator("service_level", 0.8, status="good", level_low=0.7, level_high=0.9)],
    )
    told = page.html(known, Words(language), MOMENT)
    tags = Tags(told)
    assert "script" not in tags.tags and "&lt;script&gt;" in told
    assert not re.search(r"https?://|url\(|@import", told)
    assert all(link.startswith("#") for link in tags.links)
    assert {link[1:] for link in tags.links} <= set(tags.ids)
    assert tags.tags.count("svg") == len(page.CHARTS)
    assert len(tags.ids) == len(set(tags.ids))


def test_without_a_call_the_page_says_what_to_do() -> None:
    empty: dict[str, Any] = {"span": None, "dictionary": {}}
    for told in (
        page.html(empty, Words("en"), MOMENT),
        page.text(empty, Words("en"), MOMENT),
        json.dumps(page.document(empty, Words("en"), MOMENT), default=str),
    ):
        assert "lm run" in told


def test_a_message_stays_short_however_much_is_wrong() -> None:
    fields = [
        {"field": name, "calls": 10, "filled": 1, "not_mapped": 5} for name in list(FIELDS) * 5
    ]
    told = page.text(facts(fields=fields), Words("ru"), MOMENT)
    assert len(told) <= page.MOST_CHARACTERS and "ЧТО ГОРИТ" in told


@pytest.mark.parametrize("is_out_of_order", [0, 1])
def test_a_churn_risk_that_foretells_nothing_is_not_red(is_out_of_order: int) -> None:
    churn = indicator("churn_risk_level", 40.0, status="bad", red_from=0.3, metric_group="risk")
    call = {
        "history_id": 1,
        "call_started_at": MOMENT,
        "operator_name": "unknown",
        "service_name": "unknown",
        "due_at": MOMENT,
        "is_overdue": 1,
        "loss_rub": None,
        "reasons_ru": "",
        "reasons_en": "",
        "action_ru": "",
        "action_en": "",
    }
    names = {"list_name_ru": "Риск ухода", "list_name_en": "Churn risk"}
    bands = [
        {"band": "low", "no_return_90d": 0.41, "is_out_of_order": 0},
        {"band": "high", "no_return_90d": 0.40, "is_out_of_order": is_out_of_order},
    ]
    known = facts(
        dictionary={"churn_risk_level": term("churn_risk_level", "lower_better")},
        indicators=[churn],
        lists=[{"list_code": "churn", **names, "total": 1, "overdue": 1, "rows": [call]}],
        churn_bands=bands,
    )
    words = Words("ru")
    burning = content.burning(known, words, MOMENT)
    shown = page.html(known, words, MOMENT)
    assert bool(burning) is not bool(is_out_of_order)
    assert ("status bad" in shown) is not bool(is_out_of_order)
    told = "не вернулись за 90 дней — низкий 41\u00a0%, высокий 40\u00a0%"
    assert (told in shown) is bool(is_out_of_order)
    assert any(told in gap for gap in content.gaps(known, words, MOMENT)) is bool(is_out_of_order)
