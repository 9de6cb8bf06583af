"""`lm what-if`: scenario files, arithmetic of flows and queues, agreement with the simulator."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import whatif_agreement as agreement
from conftest import TestTarget

from python_scoring import cli
from python_scoring.base.errors import ConfigurationError, LmError
from python_scoring.whatif import command
from python_scoring.whatif.chains import IN_MISSED, IN_OTHER, MAX_LAG, OUT_OTHER, Chains, N
from python_scoring.whatif.engine import compare
from python_scoring.whatif.example import example
from python_scoring.whatif.flow import Change, flow
from python_scoring.whatif.queue import roster
from python_scoring.whatif.reading import read_files
from python_scoring.whatif.render import render
from python_scoring.whatif.rows import COUNTS
from python_scoring.whatif.scenario import KINDS, Effect, Known, Scenario
from python_scoring.whatif.world import Z80, World, normals, paths

KNOWN = Known(
    {
        "source": ("2гис", "яндекс карты", "unknown"),
        "operator": ("Иванова Анна", "Петров Сергей"),
        "service": ("УЗИ",),
        "service_group": ("ultrasound",),
        "code": ("PRICE", "missing"),
    },
    date(2026, 1, 1),
    14,
)


def read(tmp_path: Path, text: str) -> list[Scenario]:
    path = tmp_path / "plan.yml"
    path.write_text(text, encoding="utf-8")
    return read_files([path], KNOWN)


def effects(tmp_path: Path, *lines: str) -> tuple[Effect, ...]:
    body = "".join(f"      - {{{line}}}\n" for line in lines)
    return read(tmp_path, f"scenarios:\n  - name: a\n    effects:\n{body}")[0].effects


@pytest.mark.parametrize(
    ("line", "measure", "size"),
    [
        ("kind: traffic, source: 2гис, off: true", "off", 0),
        ("kind: traffic, source: all, add_per_day: 5", "add_per_day", 5),
        ("kind: traffic, source: 2гис, multiply: 1.5, between: [1.2, 2]", "multiply", 1.5),
        ("kind: operator, operator: Иванова Анна, leaves: true", "leaves", 0),
        ("kind: operator, operator: Иванова Анна, hours: [9, 18]", "hours", 0),
        ("kind: new_operator, like: Петров Сергей, weekdays: [mon], hours: [9, 18]", "hours", 0),
        ("kind: answering, answered_share: 0.9", "answered_share", 0.9),
        ("kind: answering, extra_people: -1, hours: [9, 12]", "extra_people", -1),
        ("kind: conversion, service: УЗИ, add_points: 5", "add_points", 5),
        ("kind: conversion, rate: 0.8", "rate", 0.8),
        ("kind: refusal, code: PRICE, removed: 0.5", "removed", 0.5),
        ("kind: call_backs, within_min: 15, share: 0.9", "share", 0.9),
    ],
)
def test_every_kind_is_read(tmp_path: Path, line: str, measure: str, size: float) -> None:
    (effect,) = effects(tmp_path, line)
    assert (effect.measure, effect.size) == (measure, size)
    assert (effect.first, effect.last) == (0, 13)


def test_days_count_from_the_first_forecast_one(tmp_path: Path) -> None:
    (effect,) = effects(
        tmp_path, "kind: traffic, source: 2гис, off: true, from: 2026-01-03, to: 2026-01-14"
    )
    assert (effect.first, effect.last) == (2, 13)


WRONG = [
    ("kind: trafic, source: 2гис, off: true", "effects[1].kind", "did you mean 'traffic'"),
    ("kind: traffic, sorce: 2гис, off: true", "effects[1].sorce", "did you mean 'source'"),
    ("kind: traffic, source: 2гсс, off: true", "effects[1].source", "did you mean '2гис'"),
    ("kind: traffic, source: 7, off: true", "effects[1].source", "put it in quotes"),
    ("kind: traffic, source: 2гис, multiply: -1", "effects[1].multiply", "from 0 to 10, got -1"),
    ("kind: traffic, source: 2гис, multiply: 2x", "effects[1].multiply", "got '2x'"),
    ("kind: traffic, source: 2гис, multiply: .nan", "effects[1].multiply", "got nan"),
    ("kind: traffic, source: 2гис, multiply: 1, off: true", "effects[1]", "both multiply and off"),
    ("kind: traffic, source: 2гис", "effects[1]", "none of them"),
    ("kind: traffic, source: 2гис, off: false", "effects[1].off", "can only be true"),
    ("kind: conversion, rate: 1.2", "effects[1].rate", "from 0 to 1, got 1.2"),
    ("kind: answering, answered_share: 90", "effects[1].answered_share", "from 0 to 1, got 90"),
    ("kind: answering, extra_people: 0.5", "effects[1].extra_people", "whole number"),
    ("kind: call_backs, share: 0.9", "effects[1].within_min", "from 1 to 480, got None"),
    ("kind: operator, operator: Сидорова, leaves: true", "effects[1].operator", "is not known"),
    ("kind: operator, operator: Иванова Анна, hours: [18, 9]", "effects[1].hours", "[9, 18]"),
    ("kind: answering, extra_people: 1, weekdays: [mo]", "effects[1].weekdays", "'mon'"),
    ("kind: traffic, source: all, off: true, from: 2025-12-31", "effects[1].from", "2026-01-01"),
    ("kind: traffic, source: all, off: true, from: soon", "effects[1].from", "must be a date"),
    (
        "kind: traffic, source: all, off: true, from: 2026-01-05, to: 2026-01-04",
        "effects[1].to",
        "before from",
    ),
    ("kind: refusal, code: PRICE, removed: 0.5, between: [0.6, 0.9]", "effects[1].between", "hold"),
    ("kind: traffic, source: all, off: true, between: [0, 1]", "effects[1].between", "not with"),
]


@pytest.mark.parametrize(("line", "path", "message"), WRONG)
def test_a_mistake_is_told_with_its_place(
    tmp_path: Path, line: str, path: str, message: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        effects(tmp_path, line)
    told = str(caught.value)
    assert f"plan.yml, line 4, scenarios[1].{path}: " in told
    assert message in told


def test_all_mistakes_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    texts = {
        "one.yml": "scenarios:\n"
        + "".join(
            f"  - name: s{i}\n    effects:\n      - {{{line}}}\n"
            for i, (line, _, _) in enumerate(WRONG)
        ),
        "empty.yml": "# nothing yet\n",
        "broken.yml": "scenarios:\n  - name: [a\n",
        "list.yml": "- name: a\n",
        "none.yml": "scenarios: []\n",
        "twice.yml": "scenarios:\n  - name: s0\n    name: b\n    effects: 3\n    extra: 1\n",
        "overlap.yml": """scenarios:
  - name: both
    effects:
      - {kind: traffic, source: 2гис, multiply: 2, to: 2026-01-05}
      - {kind: traffic, source: all, multiply: 2, from: 2026-01-05}
""",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        read_files([*(tmp_path / name for name in texts), tmp_path / "gone.yml"], KNOWN)
    told = str(caught.value).splitlines()
    for i, (_, place, message) in enumerate(WRONG):
        where = f"one.yml, line {3 * i + 4}, scenarios[{i + 1}].{place}: "
        assert any(where in line and message in line for line in told), where
    for piece in (
        "empty.yml: is empty",
        "broken.yml, line 3: is no YAML",
        "list.yml, line 1, scenarios: must be a list",
        "none.yml, line 1, scenarios: is empty",
        "twice.yml, line 3, scenarios[1].name: is there twice",
        "twice.yml, line 2, scenarios[1].name: 's0' names two scenarios",
        "twice.yml, line 4, scenarios[1].effects: must be a list",
        "twice.yml, line 5, scenarios[1].extra: 'extra' is not known",
        "overlap.yml, line 5, scenarios[1].effects[2]: traffic of source all is changed twice",
        "gone.yml: can't be read",
    ):
        assert any(piece in line for line in told), piece


def test_parts_of_a_day_or_week_do_not_overlap(tmp_path: Path) -> None:
    assert (
        len(
            effects(
                tmp_path,
                "kind: answering, extra_people: 1, hours: [8, 12]",
                "kind: answering, extra_people: 2, hours: [12, 18]",
                "kind: operator, operator: Иванова Анна, weekdays: [mon], hours: [8, 12]",
                "kind: operator, operator: Иванова Анна, weekdays: [tue], hours: [9, 20]",
            )
        )
        == 4
    )


def table(*transitions: tuple[int, int, int, float]) -> Chains:
    """One draw of chains with these (kind, next kind, days, chance)."""
    next_kind = np.zeros((1, N, N, MAX_LAG + 1))
    for kind, following, lag, chance in transitions:
        next_kind[0, kind, following, lag] = chance
    return Chains(next_kind, {}, np.zeros((1, N)), {}, {}, pd.DataFrame())


def test_flow_by_hand() -> None:
    """8 missed calls: half ring again and are missed again; a quarter is called next day."""
    chains = table((IN_MISSED, IN_MISSED, 0, 0.5), (IN_MISSED, OUT_OTHER, 1, 0.25))
    roots = np.zeros((1, 3, N))
    roots[0, 0, IN_MISSED] = 8
    calls = flow(chains, roots, Change.none(1, 3))
    assert calls[0, :, IN_MISSED] == pytest.approx([16, 0, 0])
    assert calls[0, :, OUT_OTHER] == pytest.approx([0, 4, 0])


def test_answering_more_keeps_first_calls_and_saves_the_redials() -> None:
    """Of 10 calls 5 are missed, odds 1; at odds 1/4 a fifth is: 2, and 1 redial, a fifth missed."""
    chains = table((IN_MISSED, IN_MISSED, 0, 0.25), (IN_MISSED, IN_OTHER, 0, 0.25))
    roots = np.zeros((1, 1, N))
    roots[0, 0, [IN_MISSED, IN_OTHER]] = 5
    change = replace(Change.none(1, 1), missed_odds=np.full((1, 1), 0.25))
    before, after = (flow(chains, roots, one)[0, 0] for one in (Change.none(1, 1), change))
    # x = 5 + x / 4 missed and 5 + x / 4 others; then x = 2 + x / 2 / 5 and 8 + x / 2 * 4 / 5.
    assert before[IN_MISSED] == pytest.approx(20 / 3)
    assert before[IN_OTHER] == pytest.approx(20 / 3)
    assert after[IN_MISSED] == pytest.approx(20 / 9)
    assert after[IN_OTHER] == pytest.approx(80 / 9)


def test_the_roster_knows_weeks_in_turn() -> None:
    first = date(2026, 1, 5).toordinal()
    days = [first - 1 - i for i in range(70)]
    shown = pd.DataFrame(
        [("A" if (day // 7) % 2 else "B", day, 10) for day in days],
        columns=["operator", "day", "hour"],
    )
    found = roster(shown, first, 14, first - 1)
    for day in range(14):
        name, other = ("A", "B") if ((first + day) // 7) % 2 else ("B", "A")
        assert found[name][day, 10] == 1 and found[other][day].sum() == 0


def test_draws_have_the_intervals_of_the_days_and_of_their_sum() -> None:
    day = 100 + 10 * np.array([-1.96, -Z80, 0, Z80, 1.96])
    total = 1400 + 90 * np.array([-1.96, -Z80, 0, Z80, 1.96])
    drawn = paths(np.tile(day, (14, 1)), total, normals(20_000, 14, 1, 2))
    assert np.quantile(drawn, [0.025, 0.1, 0.5, 0.9, 0.975]) == pytest.approx(day, rel=0.01)
    assert np.quantile(drawn.sum(axis=1), [0.1, 0.9]) == pytest.approx(total[[1, 3]], rel=0.01)


@pytest.fixture(scope="module")
def world() -> World:
    """Forty days of the simulated clinic."""
    made = agreement.simulate(42, 5, agreement.START, probabilities=False)
    log = agreement.frame(made.truth)
    begin = date.fromordinal(int(log["day"].max()) + 1)
    return agreement.world_of(log, begin, 14)


def only(world: World, *changes: Effect) -> pd.DataFrame:
    """Totals by target of one scenario."""
    (outcome,) = compare(world, [Scenario("a", changes)], draws=100)
    return outcome.rows[outcome.rows["grain"] == "total"].set_index("target")


def test_a_change_of_nothing_changes_nothing(world: World) -> None:
    total = only(world, Effect("traffic", "source", "2ГИС", "multiply", 1, 0, 13))
    assert (total.filter(like="difference").to_numpy() == 0).all()
    assert (total["baseline"] == total["scenario_value"]).all()


def test_effects_begin_on_their_day_and_days_add_up(world: World) -> None:
    effect = Effect("traffic", "source", "Сайт и другие порталы", "off", 0, 7, 13)
    (outcome,) = compare(world, [Scenario("a", (effect,))], draws=100)
    days = outcome.rows[outcome.rows["grain"] == "day"]
    total = outcome.rows[outcome.rows["grain"] == "total"].set_index("target")
    first = days["period_start"] < pd.Timestamp(world.first_day).date() + pd.Timedelta(days=7)
    assert (days.loc[first, "difference"] == 0).all()
    calls = days[~first & (days["target"] == "calls")]
    assert (calls["difference"] < 0).all()
    for target in COUNTS:
        own = days[days["target"] == target]
        assert own["baseline"].sum() == pytest.approx(total.loc[target, "baseline"])
        # What vw_lm_scenario_outcome takes for a bound of some days' total.
        for part, middle in (("baseline", "baseline"), ("scenario", "scenario_value")):
            for end, sign in (("lo95", -1), ("lo80", -1), ("hi80", 1), ("hi95", 1)):
                added = (own[f"{part}_{end}"] - own[middle]).sum()
                whole = total.loc[target, f"{part}_{end}"] - total.loc[target, middle]
                assert 0 <= sign * whole < sign * added
    ends = [f"difference_{end}" for end in ("lo95", "lo80")] + ["difference", "difference_hi80"]
    assert (np.diff(outcome.rows[ends].to_numpy(float)) >= 0).all()


def test_a_source_takes_later_calls_with_it(world: World) -> None:
    """More calls are lost than the source's own first calls: their followers go, too."""
    calls = world.calls
    first = calls.drop_duplicates("caller")
    own = first[(first["source"] == "Сайт и другие порталы") & (first["direction"] == "in")]
    a_day = len(own) / calls["day"].nunique()
    total = only(world, Effect("traffic", "source", "Сайт и другие порталы", "off", 0, 0, 13))
    assert total.loc["calls", "difference"] < -1.2 * 14 * a_day * 0.8
    assert total.loc["bookings", "difference"] < 0


def test_a_known_difference_is_narrower_than_the_forecast(world: World) -> None:
    total = only(world, Effect("refusal", "code", "all", "removed", 0.2, 0, 13))
    row = total.loc["bookings"]
    assert row["difference_lo80"] > 0
    change = row["difference_hi80"] - row["difference_lo80"]
    assert change < 0.7 * (row["scenario_hi80"] - row["scenario_lo80"])


def test_what_history_cannot_tell_is_refused_or_called_an_assumption(world: World) -> None:
    for effect, message in (
        (Effect("traffic", "source", "Радио", "off", 0, 0, 13), "nobody new called"),
        (Effect("operator", "operator", "Сидорова", "leaves", 0, 0, 13), "is on no shift"),
        (Effect("conversion", "service", "0000", "rate", 0.5, 0, 13), "wanted a booking"),
        (Effect("refusal", "code", "NONE", "removed", 0.5, 0, 13), "has this reason"),
    ):
        with pytest.raises(ConfigurationError, match=message):
            only(world, effect)
    wanting = world.calls[(world.calls["is_booked"] == 1) | (world.calls["is_lost"] == 1)]
    counts = wanting["service"].value_counts()
    rare = str(counts[counts.between(1, 29)].index[0])
    few = Effect("conversion", "service", rare, "rate", 0.9, 0, 13)
    (outcome,) = compare(world, [Scenario("a", (few,))], draws=20)
    said = {one.code: one for one in outcome.said}
    assert said["conversion"].basis == "assumption"
    assert "too few" in said["conversion"].text_en
    assert said["association"].basis == "association"
    with pytest.raises(LmError, match="19 days of calls"):
        compare(replace(world, calls=world.calls[world.calls["day"] >= world.first - 19]), [])


def test_a_log_without_operators_tells_what_it_can(world: World) -> None:
    nameless = replace(world, calls=world.calls.assign(operator="unknown"))
    total = only(nameless, Effect("answering", "", "all", "answered_share", 0.99, 0, 13))
    assert total.loc["answered", "difference"] > 0
    with pytest.raises(ConfigurationError, match="names no operators"):
        only(nameless, Effect("answering", "", "all", "extra_people", 1, 0, 13))


def test_the_simulator_does_what_was_predicted() -> None:
    """One seed; whatif_agreement.py compares more of them."""
    cases = ("source off", "an operator leaves", "conversion up")
    found = agreement.agreement(12, lambda name: name in cases)
    found = found[found["target"].isin(["calls", "answered", "bookings", "lost"])]
    assert found["within"].sum() >= len(found) - 1, found.to_string()
    told = found.set_index(["case", "target"])
    for key in (
        ("source off", "calls"),
        ("source off", "bookings"),
        ("an operator leaves", "answered"),
        ("conversion up", "bookings"),
        ("conversion up", "lost"),
    ):
        row = told.loc[key]
        assert row["within"], key
        # It tells the direction, too: no change is outside.
        assert row["low"] * row["high"] > 0, key


COLUMNS = {
    "contact_key": "varchar(64)",
    "start_epoch": "bigint",
    "call_date": "date",
    "call_hour": "int",
    "direction": "varchar(16)",
    "is_answered": "int",
    "await_sec": "int",
    "talk_sec": "int",
    "operator_name": "varchar(255)",
    "source_channel": "varchar(128)",
    "service_name": "varchar(255)",
    "service_group": "varchar(64)",
    "refusal_code": "varchar(64)",
    "is_booked": "int",
    "is_lost": "int",
    "is_frequent_number": "int",
}


@pytest.fixture(scope="module")
def built(target: TestTarget, world: World) -> TestTarget:
    """The calls and a forecast as if dbt and `lm forecast` had made them."""
    target.dbt("seed", "--select", "lm_rule_params", "lm_holidays", "lm_special_days")
    columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    statements = [
        f"create table fct_call (history_id int primary key, {columns},"
        " wants_booking int) default charset = utf8mb4",
        "create table lm_value (history_id int, metric_code varchar(64), value_label varchar(255),"
        " value_json json, primary key (history_id, metric_code))",
        "create table lm_daily_facts (stat_date date)",
        "create view vw_lm_forecast as select * from lm_forecast where run_id = 'f'",
        "insert ignore into lm_watermark (model_name, feed) values ('lm_value', 'lock')",
        "insert into lm_forecast_run (run_id, made_at, first_day, days, calls_through,"
        " reviews_through, series) select 'f', x.d, x.d, 14, date_sub(x.d, interval 1 day),"
        f" date_sub(x.d, interval 1 day), 1 from (select date('{world.first_day}') as d) as x",
    ]
    calls = world.calls
    rows = [
        (
            i,
            str(row.caller),
            row.epoch,
            date.fromordinal(row.day),
            row.hour,
            row.direction,
            row.is_answered,
            row.wait_sec,
            row.talk_sec,
            row.operator,
            row.source,
            row.service,
            row.service_group,
            row.refusal_code or None,
            row.is_booked,
            row.is_lost,
            row.is_machine,
            row.is_booked + row.is_lost,
        )
        for i, row in enumerate(calls.itertuples())
    ]
    values = [
        (i, "lost_opportunity_score", None, json.dumps({"loss_rub": row.loss_rub}))
        for i, row in enumerate(calls.itertuples())
        if row.is_lost
    ] + [
        (i, "response_speed_score", "within_sla" if row.in_sla else "late", None)
        for i, row in enumerate(calls.itertuples())
        if row.direction == "in"
    ]
    forecast = [
        (
            "f",
            world.first_day,
            world.first_day,
            row.target,
            row.dimension,
            row.dimension_value,
            "day",
            date.fromordinal(row.day),
            1,
            row.yhat_lo95,
            row.yhat_lo80,
            row.yhat,
            row.yhat_hi80,
            row.yhat_hi95,
            "x",
        )
        for row in world.forecast.itertuples()
    ]
    names = "run_id, made_at, trained_through, target, dimension, dimension_value, grain,"
    names += " period_start, horizon, yhat_lo95, yhat_lo80, yhat, yhat_hi80, yhat_hi95, model"
    with closing(target.connect()) as connection, closing(connection.cursor()) as cursor:
        for statement in statements:
            cursor.execute(statement)
        for table_name, data in (
            ("fct_call", rows),
            ("lm_value", values),
            (f"lm_forecast ({names})", forecast),
        ):
            marks = ", ".join(["%s"] * len(data[0]))
            cursor.executemany(f"insert into {table_name} values ({marks})", data)
        connection.commit()
    return target


PLAN = """scenarios:
  - name: без сайта
    effects:
      - {kind: traffic, source: Сайт и другие порталы, off: true}
  - name: all_answered
    title: Nobody waits
    effects:
      - {kind: answering, answered_share: 0.99}
"""


def test_the_command_compares_keeps_and_tells(
    built: TestTarget, world: World, tmp_path: Path
) -> None:
    path = tmp_path / "plan.yml"
    path.write_text(PLAN, encoding="utf-8")
    variables = {"as_of": f"{world.first_day} 00:00:00"}
    done = built.lm("what-if", str(path), "--json", "--vars", json.dumps(variables))
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    kept = built.rows(
        "select scenario, target, grain, period_start, baseline, scenario_value, difference_lo80,"
        f" difference_hi80 from lm_scenario_result where run_id = '{result['run_id']}'"
    )
    shown = {
        (one["name"], row["target"], row["grain"], row["period_start"]): row
        for one in result["scenarios"]
        for row in one["rows"]
    }
    assert len(kept) == len(shown) > 0
    for scenario, target, grain, start, *figures in kept:
        row = shown[scenario, target, grain, str(start)]
        assert figures == pytest.approx(
            [row[n] for n in ("baseline", "scenario_value", "difference_lo80", "difference_hi80")]
        )
    total = {row[1]: row[4:] for row in kept if row[0] == "без сайта" and row[2] == "total"}
    expected = world.forecast[world.forecast["dimension"] == "all"].groupby("target")["yhat"].sum()
    for target in ("calls", "bookings", "lost"):
        assert total[target][0] == pytest.approx(expected[target])
        assert total[target][1] < total[target][0]
    # What the database gives is what the frames of the log give.
    (outcome, _) = compare(world, read_files([path], world.known()))
    same = outcome.rows[outcome.rows["grain"] == "total"].set_index("target")
    for target in ("calls", "bookings", "lost", "service_level", "lost_value"):
        assert total[target][1] == pytest.approx(same.loc[target, "scenario_value"], rel=0.02)


def test_runs_are_kept_apart_and_mistakes_write_nothing(
    built: TestTarget, world: World, tmp_path: Path
) -> None:
    path, wrong = tmp_path / "plan.yml", tmp_path / "wrong.yml"
    path.write_text(PLAN, encoding="utf-8")
    wrong.write_text("scenarios:\n  - name: a\n    effects: [{kind: traffic}]\n", encoding="utf-8")
    loaded = built.load(as_of=f"{world.first_day} 00:00:00")
    with closing(built.connect()) as connection:
        made = [command.build(connection, loaded, [path], 7) for _ in range(2)]
    assert made[0]["run_id"] != made[1]["run_id"]
    texts = [render(made[0], language) for language in ("ru", "en")]
    assert "[своя история]" in texts[0] and "без сайта" in texts[0]
    assert "[own history]" in texts[1] and "Nobody waits" in texts[1]
    count = "select run_id, count(*) from lm_scenario_result group by run_id order by run_id"
    before = built.rows(count)
    rows = dict(before)
    assert rows[made[0]["run_id"]] == rows[made[1]["run_id"]] == 2 * 8 * 8
    with closing(built.connect()) as connection:
        with pytest.raises(ConfigurationError, match="2 mistakes"):
            command.build(connection, loaded, [wrong])
        with pytest.raises(LmError, match="lm forecast --days 30"):
            command.build(connection, loaded, [path], 30)
    assert built.rows(count) == before


@pytest.mark.parametrize("language", ["ru", "en"])
def test_the_example_is_valid_for_the_log(world: World, language: str, tmp_path: Path) -> None:
    path = tmp_path / "example.yml"
    path.write_text(example(world, language), encoding="utf-8")
    scenarios = read_files([path], world.known())
    assert len(scenarios) == 10
    kinds = {effect.kind for one in scenarios for effect in one.effects}
    assert kinds == set(KINDS)
    outcomes = compare(world, scenarios, draws=20)
    for outcome in outcomes:
        assert np.isfinite(outcome.rows.filter(regex="lo|hi|base|value|diff").to_numpy(float)).all()
        assert outcome.said


@pytest.mark.parametrize("arguments", [[], ["a.yml", "--example"], ["a.yml", "--days", "0"]])
def test_wrong_arguments_are_told(arguments: list[str]) -> None:
    assert cli.main(["what-if", *arguments]) == 2
