"""Why a series was refused or fell back: codes with a sentence in English and Russian."""

from __future__ import annotations

import pandas as pd

from python_scoring.forecasting.result import NOTE_COLUMNS
from python_scoring.forecasting.series import Key

TEXTS = {
    "no_history": (
        "No day of this series is known: no forecast.",
        "Ни один день этого ряда не известен: прогноза нет.",
    ),
    "short_history": (
        "Only {days} days of history: an average of what there is, with wide intervals.",
        "История всего {days} дн.: среднее по тому, что есть, с широкими интервалами.",
    ),
    "few_windows": (
        "{days} days of history: the mean of the last four weeks, without a choice of the model.",
        "История {days} дн.: среднее последних четырёх недель, модель не выбиралась.",
    ),
    "all_zero": (
        "All {days} days are zero: the forecast is zero.",
        "Все {days} дн. нулевые: прогноз — ноль.",
    ),
    "ends_early": (
        "The series ends {days} days before the first day to forecast.",
        "Ряд обрывается за {days} дн. до первого дня прогноза.",
    ),
    "ended": (
        "The series ended {days} days before the first day to forecast: no forecast.",
        "Ряд закончился за {days} дн. до первого дня прогноза: прогноза нет.",
    ),
    "future_days": (
        "{days} days on or after the first day to forecast were left out.",
        "{days} дн. не раньше первого дня прогноза отброшены.",
    ),
    "outliers": (
        "{days} days far from their usual value were cut down for the models.",
        "{days} дн. с выбросами приведены к обычному размаху для моделей.",
    ),
    "gap": (
        "{days} days without a record were left out of the models.",
        "{days} дн. без записей исключены из моделей.",
    ),
    "joined_other": (
        "{total} in the last {days} days: too few for a forecast of its own, part of 'other'.",
        "{total} за последние {days} дн.: для своего прогноза мало, входит в «other».",
    ),
    "failed": (
        "The forecast failed ({error}): no forecast.",
        "Прогноз не удался ({error}): прогноза нет.",
    ),
}


def note(key: Key, code: str, figures: dict[str, object]) -> dict[str, str]:
    """One row of NOTE_COLUMNS."""
    english, russian = (text.format(**figures) for text in TEXTS[code])
    return {**key.as_dict(), "code": code, "text_en": english, "text_ru": russian}


def note_rows(rows: list[dict[str, str]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=NOTE_COLUMNS)
