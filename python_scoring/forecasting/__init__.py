"""Forecasts of daily and hourly series: pure functions, no database, nothing printed."""

from python_scoring.forecasting.calendar import Calendar
from python_scoring.forecasting.forecast import Forecasts, forecast
from python_scoring.forecasting.series import Key, Series
from python_scoring.forecasting.settings import Settings

__all__ = ["Calendar", "Forecasts", "Key", "Series", "Settings", "forecast"]
