"""The demo keeps off other people's calls, and its summary says what the tables say."""

from __future__ import annotations

import pytest
from conftest import TestTarget
from pipeline_cases import execute, own_database, own_schema, relations

from python_scoring.base.database import Probe
from python_scoring.demo.summary import summary

TABLES = (
    "create table fct_call (history_id int, call_started_at datetime, call_date date,"
    " direction varchar(8), is_answered int, await_sec int, talk_sec int, is_short_abandon int,"
    " outcome varchar(32), is_booked int, wants_booking int)",
    "create table lm_value (history_id int, metric_code varchar(64), metric_group varchar(32),"
    " value_numeric decimal(10,4), value_label varchar(255), value_json json)",
    "create table vw_lm_call_explained (history_id int, metric_code varchar(64),"
    " metric_group varchar(32), value_numeric decimal(10,4), value_label varchar(255),"
    " reasons_ru varchar(255), reasons_en varchar(255),"
    " gate_ru varchar(255), gate_en varchar(255))",
    "create table vw_lm_period_summary (period_days int, period_start date, period_end date,"
    " dimension varchar(16), metric_code varchar(64), level double, value_count int,"
    " level_change double, is_change_significant int, status varchar(32))",
    "create table lm_kpi_dictionary (kpi_code varchar(64), name_ru varchar(64),"
    " name_en varchar(64), kind varchar(16))",
    "create table vw_lm_action_list (list_name_ru varchar(64), history_id int,"
    " operator_name varchar(64), due_at datetime, reasons_ru varchar(64), action_ru varchar(64),"
    " sort_key int)",
    "create table vw_lm_outlook (days int, dimension varchar(16), "
    + ", ".join(
        f"{name}{part} double"
        for name in ("calls", "bookings", "lost", "risky", "talk_minutes")
        for part in ("", "_lo80", "_hi80", "_before")
    )
    + ")",
    "insert into vw_lm_outlook (days, dimension, bookings, bookings_lo80, bookings_hi80,"
    " bookings_before) values (7, 'all', 12.34, 8, 17, 11), (7, 'source', 98, 98, 98, 98)",
    "insert into vw_lm_period_summary values"
    " (7, '2026-03-05', '2026-03-11', 'all', 'asa_sec', 20.04, 2, -1.5, 0, 'good'),"
    " (7, '2026-03-05', '2026-03-11', 'all', 'service_level', 0.3333, 3, -0.2, 1, 'bad'),"
    " (7, '2026-03-05', '2026-03-11', 'operator', 'asa_sec', 99, 2, 0, 0, 'good'),"
    " (30, '2026-03-05', '2026-03-11', 'all', 'asa_sec', 98, 2, 0, 0, 'good')",
    "insert into lm_kpi_dictionary values ('asa_sec', 'Ожидание', 'ASA', 'mean'),"
    " ('service_level', 'Сервис', 'SL', 'share')",
    "insert into vw_lm_action_list values"
    " ('Жалоба', 7, 'Анна', '2026-03-12 10:00', 'Клиент пожаловался.', 'Разобрать', 2),"
    " ('Перезвонить', 8, 'Ольга', '2026-03-12 09:00', 'Пропущен.', 'Перезвонить', 1)",
    "insert into fct_call values"
    " (1, '2026-03-10 10:00', '2026-03-10', 'in', 1, 10, 60, 0, 'record', 1, 1),"
    " (2, '2026-03-10 11:00', '2026-03-10', 'in', 1, 30, 90, 0, 'lead_no_record', 0, 1),"
    " (3, '2026-03-10 12:00', '2026-03-10', 'in', 0, 40, 0, 0, null, null, null),"
    " (4, '2026-03-10 13:00', '2026-03-10', 'in', 0, 2, 0, 1, null, null, null),"
    " (5, '2026-03-10 14:00', '2026-03-10', 'out', 1, 5, 20, 0, 'info_only', 0, 0),"
    " (6, '2026-01-10 14:00', '2026-01-10', 'in', 1, 5, 20, 0, 'record', 1, 1)",
    "insert into lm_value values"
    " (2, 'lost_opportunity_score', 'conversion', 62.5, 'high',"
    '  \'{"reasons": [{"code": "NO_SLOT", "points": 30}]}\'),'
    " (3, 'lost_opportunity_score', 'conversion', null, null, '{\"reasons\": [\"NO_REVIEW\"]}')",
    "insert into vw_lm_call_explained values"
    " (2, 'lost_opportunity_score', 'conversion', 62.5, 'high',"
    "  'Не было времени (+30).', 'No free time (+30).', null, null),"
    " (2, 'churn_risk_level', 'risk', null, null, null, null, 'Звонок не проверен', 'No review')",
)


def test_summary_of_a_small_week(target: TestTarget) -> None:
    for statement in TABLES:
        target.rows(statement)
    shown = summary(Probe(target.connect()), target.load(), "2026-03-12 00:00:00")
    lines = [" ".join(line.split()) for line in shown.splitlines()]
    for line in (
        "conversion 1 2 2 1",
        "the last week, 2026-03-05 to 2026-03-11 (vw_lm_period_summary)",
        "Сервис SL 33.3 % 3 -20.0 % real bad",
        "Ожидание ASA 20.0 2 -1.5 chance good",
        "7 bookings 12.3 8.0 17.0 11.0",
        "the first 2 of 2 calls to act on (vw_lm_action_list)",
        "Перезвонить 8 Ольга 2026-03-12 09:00:00 Пропущен. Перезвонить",
        "one call: 2, 2026-03-10 11:00:00, waited 30 s, talked 90 s, lead_no_record",
        "lost_opportunity_score: 62.5000 high",
        "Не было времени (+30).",
        "No free time (+30).",
        "churn_risk_level: no value",
        "Звонок не проверен",
    ):
        assert line in lines, shown
    assert "98" not in shown and "99" not in shown


def test_calls_of_others_are_left_alone(target: TestTarget) -> None:
    target.rows("create table call_history (history_id int)")
    done = target.lm("demo", "--days", "1")
    assert done.returncode == 2
    assert "has calls that are not the demo's" in done.stderr
    assert target.rows("select count(*) from call_history") == [(0,)]


CALLS = (
    "create table call_history (history_id int primary key)",
    "insert into call_history values (1)",
)
MARKED = (
    "create table lm_demo_data (days int, seed bigint, calls int, as_of datetime)",
    "insert into lm_demo_data values (1, 7, 1, '2026-03-12 00:00:00')",
)


@pytest.mark.parametrize(
    ("tables", "values"),
    [
        # Where a real run builds, its sources elsewhere.
        ((), "(7, 'churn_risk_level')"),
        # The demo's, and a run that read its calls elsewhere.
        ((*CALLS, *MARKED), "(2, 'churn_risk_level')"),
        # A demo that was broken off long before any value.
        ((*MARKED, "delete from lm_demo_data"), "(7, 'churn_risk_level')"),
    ],
    ids=["no demo", "the demo's calls", "a demo begun"],
)
def test_values_of_others_are_left_alone(
    target: TestTarget, tables: tuple[str, ...], values: str
) -> None:
    with own_schema(target, "real") as here:
        for statement in (
            *tables,
            "create table lm_value (history_id int, metric_code varchar(64))",
            f"insert into lm_value values {values}",
        ):
            here.rows(statement)
        before = relations(here)
        done = here.lm("demo", "--days", "1", "--seed", "7")
        assert done.returncode == 2
        assert "that are not the demo's" in done.stderr
        assert relations(here) == before
        assert len(here.rows("select * from lm_value")) == 1


def test_values_of_other_calls_of_the_same_ids_are_left_alone(target: TestTarget) -> None:
    """Their foreign key leads to another schema."""
    with own_schema(target, "real") as here, own_database(target, f"{here.schema}_pbx") as pbx:
        execute(here, f"create table `{pbx}`.call_history (history_id int primary key)")
        execute(here, f"insert into `{pbx}`.call_history values (1)")
        for statement in (
            *CALLS,
            *MARKED,
            "create table lm_value (history_id int, constraint fk_lm_value_call_history"
            f" foreign key (history_id) references `{pbx}`.call_history (history_id))",
            "insert into lm_value values (1)",
        ):
            here.rows(statement)
        done = here.lm("demo", "--days", "2", "--seed", "7")
        assert done.returncode == 2
        assert "that are not the demo's" in done.stderr
        assert here.rows("select * from lm_value") == [(1,)]
        here.rows("drop table lm_value")


def test_sources_elsewhere_are_no_place_for_the_demo(target: TestTarget) -> None:
    with own_schema(target, "real") as here:
        done = here.lm("demo", "--days", "1", "--vars", "{source_schema: clinic}")
        assert done.returncode == 2
        assert "clinic.call_history" in done.stderr
        assert relations(here) == []


def test_commands_keep_the_demo_s_time(target: TestTarget) -> None:
    """As long as the schema holds the demo's calls alone, and nobody says otherwise."""
    target.rows("drop table if exists call_history")
    for statement in (
        "create table call_history (history_id int)",
        "insert into call_history values (1)",
        "create table lm_demo_data (days int, seed bigint, calls int, as_of datetime)",
        "insert into lm_demo_data values (1, 7, 1, '2026-03-12 00:00:00')",
    ):
        target.rows(statement)
    its_time = "it is 2026-03-12 00:00:00 there"
    assert its_time in target.lm("doctor").stderr
    assert its_time not in target.lm("doctor", "--vars", "{as_of: '2026-03-10'}").stderr
    target.rows("insert into call_history values (2)")
    assert its_time not in target.lm("doctor").stderr
