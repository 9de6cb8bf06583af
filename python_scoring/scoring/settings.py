"""What `lm train` and `lm score` are set to, from the project's variables."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from python_scoring.errors import ConfigurationError
from python_scoring.probability.settings import ProbabilitySettings
from python_scoring.profile import Target

MODEL_DIR_VARIABLE = "LM_MODEL_DIR"
# Field of ProbabilitySettings: variable of dbt_project.yml.
VARIABLES = {
    "booking_days": "lm_booking_days",
    "repeat_days": "lm_repeat_days",
    "complaint_days": "lm_complaint_days",
    "min_rows": "lm_train_min_rows",
    "min_positives": "lm_train_min_positives",
    "history_days": "lm_train_history_days",
    "max_rows": "lm_train_max_calls",
}


def settings(target: Target) -> ProbabilitySettings:
    """The variables as the models take them."""
    return ProbabilitySettings(
        **{field: whole_number(target, name) for field, name in VARIABLES.items()}
    )


def whole_number(target: Target, name: str, least: int = 1) -> int:
    """A variable that must be a whole number from `least` on."""
    value: Any = target.vars.get(name)
    try:
        number = int(str(value))
    except ValueError:
        number = least - 1
    if number < least:
        raise ConfigurationError(
            f"the var {name} must be a whole number from {least} on, got {value!r}"
        )
    return number


def as_of(target: Target) -> datetime:
    """The moment that counts as now, local: the var as_of, else the clock, as dbt's as_of()."""
    text = str(target.vars.get("as_of") or "").replace("T", " ")
    if text:
        if not re.fullmatch(r"\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d)?", text):
            raise ConfigurationError(
                f"the var as_of is {text!r}: write it as '2026-03-31 23:59:59'"
            )
        try:
            return datetime.fromisoformat(text)
        except ValueError as error:
            raise ConfigurationError(f"the var as_of is {text!r}: {error}") from error
    offset = target.utc_offset
    hours, minutes = int(offset[1:3]), int(offset[4:6])
    span = timedelta(hours=hours, minutes=minutes) * (-1 if offset[0] == "-" else 1)
    return datetime.now(UTC).astimezone(timezone(span)).replace(tzinfo=None, microsecond=0)


def model_dir(target: Target) -> Path:
    """The folder of models: the var lm_model_dir, LM_MODEL_DIR, else .lm/models in the project."""
    named = target.vars.get("lm_model_dir") or os.environ.get(MODEL_DIR_VARIABLE)
    if not named:
        return target.project_dir / ".lm" / "models"
    return (target.project_dir / Path(str(named)).expanduser()).resolve()
