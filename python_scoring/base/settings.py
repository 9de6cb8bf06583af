"""Variables of dbt_project.yml as every command reads them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from python_scoring.base.errors import ConfigurationError
from python_scoring.base.profile import Target


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
