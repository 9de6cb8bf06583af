"""What a comparison is given: the log, the forecast and the days; and draws of the forecast."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from python_scoring.whatif.scenario import Known

# Of a normal distribution: half the 80 % and the 95 % interval, in standard deviations.
Z80, Z95 = 1.2816, 1.9600
LEVELS = np.array([-Z95, -Z80, 0.0, Z80, Z95])
ENDS = ["yhat_lo95", "yhat_lo80", "yhat", "yhat_hi80", "yhat_hi95"]
MOST_CORRELATION = 0.95
UNKNOWN = "unknown"


@dataclass(frozen=True)
class World:
    """Frames only: no database.

    calls     chains.CALL_COLUMNS and weekday (0 Monday), day as date.toordinal(): the log
    forecast  target, dimension, dimension_value, day (ordinal) and ENDS: the daily forecast
    totals    target, days and ENDS of the whole: the forecast of sums
    calls_through, reviews_through   last days (ordinals) whose calls and reviews are known
    sla_sec, wrap_up_sec   the rules' time to answer in, and work after a call
    """

    calls: pd.DataFrame
    forecast: pd.DataFrame
    totals: pd.DataFrame
    first_day: date
    days: int
    calls_through: int
    reviews_through: int | None
    sla_sec: float = 20.0
    wrap_up_sec: float = 15.0

    @property
    def first(self) -> int:
        return self.first_day.toordinal()

    def rows(self, target: str, dimension: str = "all", value: str = "all") -> np.ndarray | None:
        """(days, 5) of ENDS, or None when the series is not forecast for all days."""
        table = self.forecast
        own = table[
            (table["target"] == target)
            & (table["dimension"] == dimension)
            & (table["dimension_value"] == value)
        ].set_index("day")
        own = own.reindex(range(self.first, self.first + self.days))
        found: np.ndarray = own[ENDS].to_numpy(float)
        return None if np.isnan(found).any() else found

    def known(self) -> Known:
        """Names that scenarios may use."""
        own = self.calls
        names = {
            "source": own["source"],
            "service": own["service"],
            "service_group": own["service_group"],
            "operator": own.loc[own["operator"] != UNKNOWN, "operator"],
            "code": own.loc[own["is_lost"] == 1, "refusal_code"].replace("", "missing"),
        }
        found = {key: tuple(sorted(map(str, set(values)))) for key, values in names.items()}
        return Known(found, self.first_day, self.days)


def normals(draws: int, days: int, seed: int, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Common luck (draws, 1) of the whole span and own luck (draws, days) of its days."""
    random = np.random.default_rng([seed, number])
    half = random.standard_normal((draws // 2 + 1, 1 + days))
    # In pairs of opposite luck, so that the draws' mean is the forecast.
    both = np.concatenate([half, -half])[:draws]
    return both[:, :1], both[:, 1:]


def paths(
    rows: np.ndarray, total: np.ndarray | None, luck: tuple[np.ndarray, np.ndarray]
) -> np.ndarray:
    """(draws, days) of a forecast with the intervals of its days and, by their correlation, of
    their total."""
    spread = (rows[:, 3] - rows[:, 1]) / (2 * Z80)
    correlation = 0.3
    if total is not None:
        whole = ((total[3] - total[1]) / (2 * Z80)) ** 2
        apart, together = float((spread**2).sum()), float(spread.sum() ** 2)
        if together > apart:
            correlation = (whole - apart) / (together - apart)
    correlation = float(np.clip(correlation, 0, MOST_CORRELATION))
    common, own = luck
    z = np.sqrt(correlation) * common + np.sqrt(1 - correlation) * own
    result = np.empty_like(z)
    for day in range(rows.shape[0]):
        ends = np.maximum.accumulate(rows[day])
        inner = np.interp(z[:, day], LEVELS, ends)
        below = (z[:, day] + Z95) * (ends[1] - ends[0]) / (Z95 - Z80)
        above = (z[:, day] - Z95) * (ends[4] - ends[3]) / (Z95 - Z80)
        result[:, day] = inner + np.minimum(below, 0) + np.maximum(above, 0)
    return np.maximum(result, 0)


def sizes(
    size: float, between: tuple[float, float] | None, draws: int, random: np.random.Generator
) -> np.ndarray:
    """(draws,) of an effect's size: itself, or spread over its 80 % range."""
    z = random.standard_normal(draws)
    if between is None:
        return np.full(draws, size)
    low, high = size - between[0], between[1] - size
    drawn: np.ndarray = size + np.where(z < 0, low, high) * z / Z80
    return drawn
