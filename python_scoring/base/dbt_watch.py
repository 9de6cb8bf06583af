"""One line of progress, and the warnings and errors, out of all that dbt says.

`python -m python_scoring.base.dbt_watch ARGUMENTS` is dbt so watched, in a process of its own.
"""

from __future__ import annotations

import sys
import threading
from collections import Counter
from collections.abc import Sequence
from types import TracebackType
from typing import Any

from python_scoring.base.progress import ProgressLine, progress

# dbt's events of a node. The end of a test does not tell how many nodes there are.
START = "LogStartLine"
SKIP = "SkippingDetails"
ENDS = (
    *("LogModelResult", "LogSeedResult", "LogTestResult", "LogNodeResult", "LogNodeNoOpResult"),
    SKIP,
)
GRAVE = ("warn", "error")
# In the order of the summary; what dbt calls them in its events, whatever the case.
WORDS = {
    "pass": "passed",
    "success": "built",
    "warn": "warned",
    "fail": "failed",
    "error": "in error",
    "skip": "skipped",
}


class Watch:
    """A callback for dbtRunner; as a context, it shows what it sees when `shows`.

    First a line of progress, then what dbt warned of, then what came of its nodes, all on the
    standard error. dbt's threads call it.
    """

    def __init__(self, name: str, *, shows: bool = True) -> None:
        self.name = name
        self.shows = shows
        self.counts: Counter[str] = Counter()
        self._complaints: list[str] = []
        self._line = ProgressLine(name)
        self._total = 0
        self._lock = threading.Lock()

    def __enter__(self) -> Watch:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._line.__exit__(kind, error, trace)
        if not self.shows:
            return
        if self._complaints:
            progress(self.complaints())
        progress(self.summary())

    def __call__(self, event: Any) -> None:
        with self._lock:
            if event.info.name in (START, SKIP):
                self._total = event.data.total
            if event.info.name in ENDS:
                self.counts[_status(event)] += 1
            if event.info.name in (START, *ENDS):
                self._show(event.data.node_info.node_name)
            elif event.info.level in GRAVE and event.info.msg.strip():
                self._complaints.append(event.info.msg.strip("\n"))

    def add(self, error: BaseException | None) -> None:
        """What dbt raised, unless it has said it in an event."""
        if error is not None and str(error).strip() not in self.complaints():
            self._complaints.append(str(error).strip())

    def complaints(self) -> str:
        """dbt's warnings and errors, whole."""
        return "\n".join(self._complaints)

    def summary(self) -> str:
        """The step in one line: what came of its nodes, and its seconds."""
        came = [
            f"{self.counts[status]} {word}" for status, word in WORDS.items() if self.counts[status]
        ]
        return f"{self.name}: {', '.join(came) or 'done'}, {self._line.seconds:.0f} s"

    def _show(self, node: str) -> None:
        if self.shows:
            bad = self.counts["error"] + self.counts["fail"]
            failed = f" ({bad} failed so far)" if bad else ""
            self._line.show(self.counts.total(), self._total, node + failed)


def invoke(words: Sequence[str], watch: Watch, *, manifest: Any = None, says: str = "none") -> Any:
    """dbt's result of a command in this process, on a project that is parsed already if given.

    `says` is the least level of what dbt itself prints; what it raises goes to the watch anyway.
    """
    # Takes seconds, which commands without dbt need not wait for.
    from dbt.cli.main import dbtRunner

    level = ["--log-level", says]
    if says == "none":
        level.append("--no-use-colors")
    done = dbtRunner(manifest=manifest, callbacks=[watch]).invoke([*words, *level])
    if isinstance(done.exception, KeyboardInterrupt):
        raise done.exception
    watch.add(done.exception)
    return done


def _status(event: Any) -> str:
    if event.info.name == SKIP:
        return "skip"
    # "INSERT 0" and the like are a model's success.
    status = str(event.data.status).lower().split(" ")[0]
    return status if status in WORDS else "success"


if __name__ == "__main__":
    with Watch(f"dbt {sys.argv[1]}") as own:
        is_done = invoke(sys.argv[1:], own).success
    raise SystemExit(not is_done)
