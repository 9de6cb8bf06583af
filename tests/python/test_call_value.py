"""What calls are worth: vw_lm_call_value call by call, and that its sums are the KPIs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal

import pytest
from conftest import TestTarget
from pipeline_cases import NOW, build_clinic, moment

from python_scoring.base.database import Probe

KPIS = ("booked_value_rub", "expected_value_rub", "lost_value_rub")
COLUMNS = ("booked_value", "expected_value", "lost_value")


@pytest.fixture(scope="module")
def built(target: TestTarget) -> Iterator[TestTarget]:
    build_clinic(target)
    yield target


def rows(target: TestTarget, question: str) -> list[tuple]:
    with closing(target.connect()) as connection:
        return Probe(connection).rows(question)


def test_sums_over_calls_are_the_kpis_of_every_day_and_service(built: TestTarget) -> None:
    for dimension, column in (
        ("all", "'all'"),
        ("service", "service_name"),
        ("source", "source_channel"),
    ):
        sums = ", ".join(f"coalesce(sum({name}), 0)" for name in COLUMNS)
        ours = rows(
            built,
            f"select call_date, {column}, {sums} from vw_lm_call_value where call_date is not null"
            " group by 1, 2 order by 1, 2",
        )
        theirs = rows(
            built,
            f"select stat_date, dimension_value, {', '.join(KPIS)} from vw_lm_kpi_daily"
            f" where dimension = '{dimension}' order by 1, 2",
        )
        assert len(ours) > 10
        assert [row[:2] for row in ours] == [row[:2] for row in theirs]
        for mine, kpi in zip(ours, theirs, strict=True):
            assert [float(x) for x in mine[2:]] == pytest.approx(
                [float(x) for x in kpi[2:]], abs=0.02
            )


def test_a_booking_is_worth_its_service(built: TestTarget) -> None:
    found = rows(
        built,
        "select sum(value.booked_value), sum(services.avg_ticket), count(*)"
        " from vw_lm_call_value as value inner join fct_call as calls"
        " on calls.history_id = value.history_id inner join lm_services as services"
        " on services.service_name = calls.service_name where value.booked_value_basis = 'service'",
    )[0]
    assert found[0] == found[1] > 0
    assert (
        rows(built, "select count(*) from fct_call where is_booked = 1 and booked_value is null")[
            0
        ][0]
        == 0
    )
    # Chance by price: what the score says of the call, of the service's price or the median.
    for value, share, ticket in rows(
        built,
        "select value.expected_value, value.expected_share, coalesce(calls.service_ticket,"
        " (select ticket from int_median_ticket)) from vw_lm_call_value as value"
        " inner join fct_call as calls on calls.history_id = value.history_id"
        " where value.expected_value is not null",
    ):
        assert float(value) == pytest.approx(
            float(share) * float(ticket), abs=float(ticket) * 1e-6 + 0.02
        )


def test_nothing_more_is_expected_of_who_has_booked(built: TestTarget) -> None:
    known = "select count(*) from vw_lm_call_value as value inner join fct_call as calls on"
    known += " calls.history_id = value.history_id where expected_value is not null"
    assert rows(built, known)[0][0] > 0
    as_of = moment(NOW)
    assert (
        rows(built, f"{known} and (calls.is_booked = 1 or calls.next_booking_at <= '{as_of}')")[0][
            0
        ]
        == 0
    )
    assert (
        rows(built, f"{known} and calls.call_started_at <= date_sub('{as_of}', interval 14 day)")[
            0
        ][0]
        == 0
    )


def test_visits_stand_beside_the_estimates_where_the_source_is_named(built: TestTarget) -> None:
    without = rows(
        built, "select count(*), count(visit_value), count(visits) from vw_lm_call_value"
    )[0]
    assert without[0] > 0 and without[1:] == (0, 0)
    booked = [
        r[0]
        for r in rows(
            built, "select history_id from fct_call where is_booked = 1 order by 1 limit 2"
        )
    ]
    with closing(built.connect()) as connection:
        cursor = connection.cursor()
        cursor.execute(
            "create table paid_visits (history_id int unsigned null, visit_sum decimal(12, 2))"
        )
        cursor.executemany(
            "insert into paid_visits values (%s, %s)",
            [(booked[0], 1500), (booked[0], 2500.5), (None, 900), (booked[1], -10)],
        )
        connection.commit()
    with_visits = {"as_of": moment(NOW), "visits_identifier": "paid_visits"}
    built.dbt("run", "--select", "vw_lm_call_value", vars=with_visits)
    found = rows(
        built, "select history_id, visit_value, visits from vw_lm_call_value where visits > 0"
    )
    assert found == [(booked[0], Decimal("4000.50"), 2)]
    assert rows(built, "select count(*) from vw_lm_call_value")[0][0] == without[0]
    built.dbt("run", "--select", "vw_lm_call_value", vars={"as_of": moment(NOW)})
    assert rows(built, "select count(visits) from vw_lm_call_value")[0][0] == 0
