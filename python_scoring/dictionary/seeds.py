"""The seeds that the pages are made of, as rows of text; an empty cell is ''."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from python_scoring.base import yaml_text
from python_scoring.base.errors import ConfigurationError

Row = Mapping[str, str]
EXAMPLES = Path(__file__).parent / "examples.yml"
# Reason kinds of lm_reason_dictionary that stand in value_json.
TOLD = ("reason", "closed", "missing")


@dataclass(frozen=True)
class Dictionary:
    """Rows of each seed in the order of the file; `examples` by metric."""

    metrics: tuple[Row, ...]
    reasons: tuple[Row, ...]
    params: tuple[Row, ...]
    kpis: tuple[Row, ...]
    examples: Mapping[str, Mapping[str, Any]]

    def metric(self, code: str) -> Row:
        return next(row for row in self.metrics if row["metric_code"] == code)

    def text(self, code: str, metric: str) -> Row:
        """The text of a reason or gate: the metric's own, else that of all metrics."""
        found = {
            row["metric_code"]: row
            for row in self.reasons
            if row["reason_code"] == code and row["metric_code"] in (metric, "*")
        }
        if not found:
            raise ConfigurationError(f"seeds/lm_reason_dictionary.csv has no {code} for {metric}")
        return found.get(metric) or found["*"]

    def reasons_of(self, metric: str) -> list[Row]:
        """What its value_json may tell, in the order of the seed.

        Reasons of all metrics are those of the probabilities.
        """
        own = {r["reason_code"] for r in self.reasons if r["metric_code"] == metric}
        is_forecast = self.metric(metric)["metric_group"] == "forecast"
        return [
            row
            for row in self.reasons
            if (row["metric_code"] == metric and row["kind"] in TOLD)
            or (
                is_forecast
                and row["metric_code"] == "*"
                and row["kind"] == "reason"
                and row["reason_code"] not in own
            )
        ]

    def params_of(self, metric: str) -> list[Row]:
        """Its own numbers, by profile, and those of all metrics that its formula names."""
        formula = self.metric(metric)["formula"]
        return [
            row
            for row in self.params
            if row["metric_code"] == metric
            or (row["metric_code"] == "*" and row["param"] in formula)
        ]


def load(project: Path) -> Dictionary:
    """Read the seeds of the project. Raises ConfigurationError when a metric lacks its example."""
    examples = yaml_text.load_file(EXAMPLES)
    found = Dictionary(
        metrics=_rows(project, "lm_metric_dictionary"),
        reasons=_rows(project, "lm_reason_dictionary"),
        params=_rows(project, "lm_rule_params"),
        kpis=_rows(project, "lm_kpi_dictionary"),
        examples=examples,
    )
    codes = [row["metric_code"] for row in found.metrics]
    if wrong := set(codes) ^ set(examples):
        raise ConfigurationError(
            f"{EXAMPLES.name} and seeds/lm_metric_dictionary.csv differ: {', '.join(sorted(wrong))}"
        )
    return found


def _rows(project: Path, name: str) -> tuple[Row, ...]:
    with (project / "seeds" / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
        return tuple(csv.DictReader(stream))
