"""How far to forecast and how to judge it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

WEEK = 7
TOTAL_DAYS = (7, 14, 28)


@dataclass(frozen=True)
class Settings:
    """All lengths are days unless they say otherwise.

    first_day          first day to forecast; what a series has from there on is not used
    days               days to forecast
    hour_days          of these, days that are also forecast by hour
    origins            reported windows of the backtest, a week apart
    error_origins      windows whose errors make the intervals and the choice of the model
    backtest_horizon   length of a reported window
    jobs               processes
    min_days           shorter histories get the mean of what there is
    min_backtest_days  shorter histories get the mean of the last weeks, without a choice
    min_windows        finished windows before own errors make the intervals
    small_mean         a day's mean below which a part is shared out of its total
    max_missing_days   a series that ended longer ago gets no forecast
    min_part_total     a part with fewer in the last `part_days` days joins 'other'
    """

    first_day: date
    days: int = 28
    hour_days: int = 14
    origins: int = 12
    error_origins: int = 30
    backtest_horizon: int = 14
    jobs: int = 2
    min_days: int = 14
    min_backtest_days: int = 56
    min_windows: int = 8
    small_mean: float = 5.0
    min_part_total: float = 30.0
    part_days: int = 90
    max_missing_days: int = 180

    def __post_init__(self) -> None:
        for name in ("days", "hour_days", "origins", "backtest_horizon", "jobs"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}, expected 1 or more")
