"""What `lm doctor` finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "warn", "fail"]


@dataclass(frozen=True)
class Finding:
    """One check's result; `todo` says what to do where it is not ok."""

    status: Status
    check: str
    what: str
    todo: str = ""

    def line(self) -> str:
        label = "FAIL" if self.status == "fail" else self.status
        return f"{label:<4}  {self.check}: {self.what}" + (f" — {self.todo}" if self.todo else "")


def ok(check: str, what: str) -> Finding:
    return Finding("ok", check, what)


def warn(check: str, what: str, todo: str) -> Finding:
    return Finding("warn", check, what, todo)


def fail(check: str, what: str, todo: str) -> Finding:
    return Finding("fail", check, what, todo)
