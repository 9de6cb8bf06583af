"""Variables of dbt_project.yml as every command reads them."""

from __future__ import annotations

import re
from datetime import datetime
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
    return datetime.now(target.zone).replace(tzinfo=None, microsecond=0)


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
