"""One line of progress, and the warnings and errors, out of all that dbt says.

`python -m python_scoring.base.dbt_watch [--verbose] ARGUMENTS` is dbt so watched, in a process of
its own, which ends with PassingError's exit code where that was the end of it.
"""

from __future__ import annotations

import sys
import threading
from collections import Counter
from collections.abc import Sequence
from types import TracebackType
from typing import Any

from python_scoring.base import faults
from python_scoring.base.errors import EXIT_OK, EXIT_PROBLEM, PassingError
from python_scoring.base.progress import ProgressLine, progress

# dbt's events of a node. The end of a test does not tell how many nodes there are.
START = "LogStartLine"
SKIP = "SkippingDetails"
ENDS = (
    *("LogModelResult", "LogSeedResult", "LogTestResult", "LogNodeResult", "LogNodeNoOpResult"),
    SKIP,
)
GRAVE = ("warn", "error")
VERBOSE = "--verbose"
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
    PassingError if it lost the database outside of its nodes: no result of it tells that.
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
    if faults.kind_in(str(done.exception)) is faults.PASSING:
        raise PassingError(f"{watch.name} failed: {faults.PASSING.what}") from done.exception
    return done


def _status(event: Any) -> str:
    if event.info.name == SKIP:
        return "skip"
    # "INSERT 0" and the like are a model's success.
    status = str(event.data.status).lower().split(" ")[0]
    return status if status in WORDS else "success"


def main(words: Sequence[str]) -> int:
    """The exit code of dbt with these arguments; `--verbose` before them shows all that it says."""
    is_verbose = words[0] == VERBOSE
    arguments = words[is_verbose:]
    try:
        with Watch(f"dbt {arguments[0]}", shows=not is_verbose) as watch:
            done = invoke(arguments, watch, says="info" if is_verbose else "none")
    except PassingError as error:
        return error.exit_code
    return EXIT_OK if done.success else EXIT_PROBLEM


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
