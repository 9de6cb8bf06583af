"""Check of the forecast of days to come: there, and of these days."""

from __future__ import annotations

from collections.abc import Iterator

from python_scoring.base.database import Probe, table_names
from python_scoring.base.profile import Target
from python_scoring.base.settings import as_of
from python_scoring.doctor.findings import Finding, ok, warn
from python_scoring.forecasting import store as forecast_store

# `lm run` forecasts every night; one may fail.
OLD_DAYS = 2


def check_forecast(target: Target, probe: Probe) -> Iterator[Finding]:
    """One finding; none before the first build."""
    if forecast_store.RUNS not in table_names(probe, target.schema):
        return
    run = forecast_store.newest(probe, target)
    if run is None:
        yield ok("forecast", "none yet: `lm run` and `lm forecast` make it")
        return
    age = (as_of(target) - run.made_at).days
    what = f"run {run.run_id}, {run.days} days from {run.first_day}"
    if age > OLD_DAYS:
        yield warn("forecast", f"{what}, is {age} days old", "run `lm forecast`")
    else:
        yield ok("forecast", what)
