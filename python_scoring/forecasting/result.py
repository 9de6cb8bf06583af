"""What one series gives, and its rows."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from python_scoring.forecasting.accuracy import measures, naive_scale
from python_scoring.forecasting.intervals import total_bounds
from python_scoring.forecasting.methods import NAIVE
from python_scoring.forecasting.series import KEY_COLUMNS, Key
from python_scoring.forecasting.settings import TOTAL_DAYS, Settings
from python_scoring.forecasting.windows import PUBLISHED, Windows, window_bounds

ROW_COLUMNS = [
    *KEY_COLUMNS,
    "period_start",
    "horizon",
    "yhat",
    "yhat_lo80",
    "yhat_hi80",
    "yhat_lo95",
    "yhat_hi95",
    "model",
    "trained_through",
]
BACKTEST_COLUMNS = [
    *KEY_COLUMNS,
    "model",
    "origin",
    "horizon",
    "n",
    "mase",
    "rmsse",
    "wape",
    "smape",
    "pinball80",
    "coverage80",
    "coverage95",
    "chosen",
]
NOTE_COLUMNS = [*KEY_COLUMNS, "code", "text_en", "text_ru"]
TOTAL_COLUMNS = [
    "target",
    "dimension",
    "dimension_value",
    "days",
    "yhat",
    "lo80",
    "hi80",
    "lo95",
    "hi95",
]


@dataclass(frozen=True)
class Result:
    """Forecast of one series.

    yhat     (days,) from the day after `trained_through` on
    bounds   (4, days): lo95, lo80, hi80, hi95
    totals   days from the first to forecast on -> (yhat, lo95, lo80, hi80, hi95) of their
             sum; of rates and levels their weighted mean
    backtest rows of BACKTEST_COLUMNS without the key
    notes    codes and figures of the notes
    windows  all origins, where there was a backtest
    values   the regular history
    skip     days between the end of the history and the first day to forecast
    """

    key: Key
    kind: str
    trained_through: pd.Timestamp
    yhat: np.ndarray
    bounds: np.ndarray
    model: str
    totals: dict[int, np.ndarray]
    backtest: pd.DataFrame
    notes: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    windows: Windows | None = None
    skip: int = 0
    values: pd.Series | None = None


def sums(
    yhat: np.ndarray, past: np.ndarray, actual: np.ndarray, kind: str, step: float, skip: int
) -> dict[int, np.ndarray]:
    """Sums over 7, 14 and 28 days with bounds from errors of such sums.

    past, actual (windows, days), NaN where not known; `step` days between windows; the
    sums begin after `skip` days, which lie before the first day to forecast. Where
    fewer than four windows of a length are finished, the spread of the next shorter one is
    taken, as if errors went on in the same direction.
    """
    result = {}
    used_past, used_actual = np.empty(0), np.empty(0)
    for days in TOTAL_DAYS:
        span = slice(skip, skip + days)
        if span.stop > len(yhat):
            continue
        complete = np.isfinite(actual[:, span]).all(axis=1)
        if complete.sum() >= 4 or not len(used_past):
            used_past = past[complete, span].sum(axis=1)
            used_actual = actual[complete, span].sum(axis=1)
        total = float(yhat[span].sum())
        limits = total_bounds(total, used_past, used_actual, kind, max(days / step, 1.0))
        result[days] = np.concatenate([[total], limits])
    return result


def backtest_rows(
    windows: Windows,
    days: pd.DatetimeIndex,
    raw: np.ndarray,
    kind: str,
    settings: Settings,
    names: set[str] | None = None,
) -> pd.DataFrame:
    """One row a method, origin and part of the horizon (days 1 to 7, 8 to 14: named by its end).

    Intervals at an origin come from windows finished before it; with fewer than
    `min_windows` of them coverage is left out. `names`: models to report, all by default;
    the one published now, what was published then and the naive always are.
    """
    horizon = settings.backtest_horizon
    full = np.isfinite(windows.actual[:, :1]).any(axis=1)
    numbers = np.flatnonzero(full & (windows.origins + horizon <= len(raw)))
    current = windows.chosen[-1]
    rows = []
    for number in numbers[-settings.origins :]:
        origin = int(windows.origins[number])
        scale = naive_scale(raw[:origin])
        finished = int((windows.origins[:number] < origin).sum())
        for name, forecasts in windows.forecasts.items():
            if names is not None and name not in {*names, current, PUBLISHED, NAIVE}:
                continue
            limits = np.full((4, forecasts.shape[1]), np.nan)
            if finished >= settings.min_windows:
                limits = window_bounds(windows, name, number, kind)
            for start in range(0, horizon, 7):
                part = slice(start, min(start + 7, horizon))
                rows.append(
                    {
                        "model": name,
                        "origin": days[origin - 1].date(),
                        "horizon": part.stop,
                        **measures(
                            windows.actual[number, part],
                            forecasts[number, part],
                            limits[:, part],
                            scale,
                        ),
                        "chosen": int(name in (current, PUBLISHED)),
                    }
                )
    return pd.DataFrame(rows)


def value_rows(result: Result) -> pd.DataFrame:
    """Rows of ROW_COLUMNS of one series' days."""
    count = len(result.yhat)
    start = result.trained_through + pd.Timedelta(days=1)
    lo95, lo80, hi80, hi95 = result.bounds
    return pd.DataFrame(
        {
            **result.key.as_dict(),
            "period_start": pd.date_range(start, periods=count, freq="D"),
            "horizon": np.arange(1, count + 1),
            "yhat": result.yhat,
            "yhat_lo80": lo80,
            "yhat_hi80": hi80,
            "yhat_lo95": lo95,
            "yhat_hi95": hi95,
            "model": result.model,
            "trained_through": result.trained_through.date(),
        }
    )[ROW_COLUMNS]


def total_rows(result: Result) -> pd.DataFrame:
    """Rows of TOTAL_COLUMNS of one series."""
    rows = []
    for days, (yhat, lo95, lo80, hi80, hi95) in result.totals.items():
        key = {k: v for k, v in result.key.as_dict().items() if k != "grain"}
        values = {"yhat": yhat, "lo80": lo80, "hi80": hi80, "lo95": lo95, "hi95": hi95}
        rows.append({**key, "days": days, **values})
    return pd.DataFrame(rows, columns=TOTAL_COLUMNS)
