"""Lines for a person who waits: standard output belongs to the result."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

import click

Tell = Callable[[str], None]


def progress(line: str) -> None:
    """A line that stays."""
    print(line, file=sys.stderr, flush=True)


class ProgressLine:
    """A step's line, rewritten on a terminal: its name, share, time gone, what is at work, and the
    time left. Elsewhere nothing: the step tells its end.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._started = time.monotonic()
        self._bar: Any = None

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.__exit__(kind, error, trace)
            self._bar = None

    @property
    def seconds(self) -> float:
        """Since the step began."""
        return time.monotonic() - self._started

    def show(self, done: int, total: int, at_work: str = "") -> None:
        """`done` of `total` are done; `at_work` names what is being done."""
        if self._bar is None:
            if not sys.stderr.isatty():
                return
            self._bar = click.progressbar(
                length=total,
                label=self.name,
                item_show_func=self._at_work,
                show_pos=True,
                file=sys.stderr,
            )
            self._bar.__enter__()
        self._bar.update(done - self._bar.pos, at_work)

    def _at_work(self, what: str | None) -> str:
        minutes, seconds = divmod(int(self.seconds), 60)
        return f"{minutes}:{seconds:02} {what or ''}".rstrip()
