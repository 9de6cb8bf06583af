"""How the last run went: whether it is done, and young enough."""

from __future__ import annotations

from collections.abc import Iterator

from python_scoring.base import run_log, watermarks
from python_scoring.base.database import Probe, quoted
from python_scoring.base.profile import Target
from python_scoring.base.run_log import Step
from python_scoring.doctor.findings import Finding, fail, ok, warn

RUN = "run `lm run`"
TODO = {
    "failed": f"see its messages (nightly.log, logs/dbt.log), then {RUN}",
    "killed": f"{RUN}: it goes on where that one stopped",
    "time_limit": f"nothing: the next run goes on; or {RUN} with a longer --time-limit",
    "busy": f"{RUN} again",
    "interrupted": f"{RUN}: it goes on where that one stopped",
}


def check_last_run(target: Target, probe: Probe) -> Iterator[Finding]:
    """One finding: the worst that the newest run has come to, or its age."""
    steps = run_log.last_run(probe, target)
    if not steps:
        yield ok("last run", f"none is noted in {run_log.TABLE} yet")
        return
    name = f"{steps[0].run_id}, begun {steps[0].started_at}"
    bad = run_log.bad_steps(steps)
    if bad:
        worst = next((step for step in bad if step.status == "failed"), bad[0])
        judge = fail if worst.status == "failed" else warn
        yield judge("last run", f"{name}: {shown(worst)}", TODO[worst.status])
        return
    running = [step for step in steps if step.status == "running"]
    if running and is_dead(target, probe, running):
        yield warn("last run", f"{name}: {running[-1].step} was killed", TODO["killed"])
        return
    good = run_log.last_good_end(probe, target)
    if run_log.is_stale(good, run_log.clock(target)):
        since = f"the last good run ended {good}" if good else "no run has ended well yet"
        yield warn("last run", f"{name}; {since}", f"see the scheduler, then {RUN}")
        return
    yield ok("last run", f"{name}, {'at work' if running else f'done {steps[0].ended_at}'}")


def check_steps(target: Target, probe: Probe) -> Iterator[Finding]:
    """A finding for each step of the newest run, then the run as a whole."""
    for step in run_log.last_run(probe, target):
        if step.status in ("done", "running"):
            yield ok(step.step, shown(step))
        else:
            judge = fail if step.status == "failed" else warn
            yield judge(step.step, shown(step), TODO[step.status])
    yield from check_last_run(target, probe)


def shown(step: Step) -> str:
    """A step in one line."""
    ended = f" to {step.ended_at:%H:%M:%S}" if step.ended_at else ""
    counts = [
        f"{count:,} {word}"
        for count, word in ((step.rows_read, "calls read"), (step.rows_written, "rows written"))
        if count is not None
    ]
    words = [f"{step.step} {step.status}, {step.started_at:%Y-%m-%d %H:%M:%S}{ended}", *counts]
    return ", ".join(words) + (f": {step.error}" if step.error else "")


def is_dead(target: Target, probe: Probe, running: list[Step]) -> bool:
    """Whether nobody holds the lock of `lm run`; of plain dbt nobody can say."""
    if all(step.step != run_log.WHOLE for step in running):
        return False
    table = quoted(target.schema, "lm_watermark")
    is_nobodys = watermarks.is_free(probe, table, *watermarks.RUN)
    if is_nobodys:
        probe.do("rollback")
    return is_nobodys
