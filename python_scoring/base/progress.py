"""Lines for a person who waits."""

from __future__ import annotations

import sys
from collections.abc import Callable

Tell = Callable[[str], None]


def progress(line: str) -> None:
    """For a person who waits: standard output belongs to the result."""
    print(line, file=sys.stderr, flush=True)
