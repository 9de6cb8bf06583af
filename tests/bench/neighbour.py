"""What the writers of the sources notice of a run: latency with and without it.

    .venv/bin/python tests/bench/neighbour.py --calls 20000 --target mysql

A writer of its own process inserts calls and reviews and edits recent ones, as a phone system does;
it is timed alone, during a first load and during a night. Prints one table.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(ROOT / "tests" / "python"), str(ROOT)]

import mysql.connector  # noqa: E402
from clinic import clinic  # noqa: E402
from database import Database, database, run  # noqa: E402
from measure import arrive  # noqa: E402
from servers import SERVERS  # noqa: E402

from python_scoring.base import profile  # noqa: E402
from python_scoring.base.source_tables import create_source_tables  # noqa: E402

KINDS = ("insert call", "update call", "insert review", "update review")


def write(here: profile.Target, schema: str, seconds_file: Path, rate: float, seed: int) -> None:
    """Write until the file `stop` beside `seconds_file` is there; a line a statement."""
    random_ = random.Random(seed)
    stop = seconds_file.with_suffix(".stop")
    with (
        contextlib.closing(profile.connect(here, schema)) as connection,
        seconds_file.open("w") as out,
    ):
        (calls,) = run(connection, "select max(history_id) from call_history")[0]
        (reviews,) = run(connection, "select max(id) from call_scores")[0]
        begun = time.monotonic()
        number = 0
        while not stop.exists():
            number += 1
            kind = KINDS[number % 4]
            # Half of the edits are of the newest calls, half of any.
            low = max(1, calls - 300) if random_.random() < 0.5 else 1
            call, review = random_.randint(low, calls), random_.randint(1, reviews)
            now = int(time.time())
            statement = {
                "insert call": "insert into call_history (context_type, caller_number,"
                " called_number, talk_duration, await_sec, context_start_time, entry_id,"
                f" created_at) values (1, '+7999{now % 10**7:07}', '70020000002', 30, 5, {now},"
                f" 'neighbour-{seconds_file.stem}-{number}', now())",
                "update call": "update call_history set talk_duration = "
                f"{random_.randint(1, 300)}, updated_at = now() where history_id = {call}",
                "insert review": "insert into call_scores (history_id, call_score, score_date,"
                " call_category, number_category, is_target, outcome) values"
                f" ({call}, 7, now(), 'Лид (без записи)', 2, 1, 'lead_no_record')",
                "update review": f"update call_scores set number_checklist = {number % 9}"
                f" where id = {review}",
            }[kind]
            started = time.monotonic()
            try:
                run(connection, statement)
                failed = ""
            except mysql.connector.Error as error:
                failed = str(error)
            took = time.monotonic() - started
            out.write(json.dumps([started - begun, kind, took, failed]) + "\n")
            time.sleep(max(0.0, begun + number / rate - time.monotonic()))


@contextlib.contextmanager
def writer(here: Database, name: str, rate: float) -> Iterator[list[tuple[float, str, float, str]]]:
    """The seconds of every statement written meanwhile, known at the end."""
    path = here.folder / f"{name}.jsonl"
    found: list[Any] = []
    words = [sys.executable, __file__, "--write", str(path), "--rate", str(rate)]
    environment = here.environment | {"LM_BENCH_TARGET": here.name}
    with subprocess.Popen(words, env=environment, cwd=ROOT) as process:
        time.sleep(2)
        try:
            yield found
        finally:
            path.with_suffix(".stop").touch()
            process.wait(120)
    found += [json.loads(line) for line in path.read_text().splitlines()]
    # Start-up of the writer's own.
    found[:] = [row for row in found if row[0] > 0.5]


def figures(rows: Sequence[Any]) -> dict[str, float]:
    times = sorted(row[2] for row in rows)
    return {
        "writes": len(times),
        "p50": statistics.median(times) * 1000,
        "p99": times[int(0.99 * len(times))] * 1000,
        "max": times[-1] * 1000,
        "failed": sum(bool(row[3]) for row in rows),
    }


def shown(name: str, rows: Sequence[Any]) -> Iterator[str]:
    for kind in ("all", *KINDS):
        some = [row for row in rows if kind in ("all", row[1])]
        if not some:
            continue
        one = figures(some)
        yield (
            f"{name:<28}{kind:<15}{one['writes']:>7.0f}{one['p50']:>9.1f}{one['p99']:>9.1f}"
            f"{one['max']:>10.1f}{one['failed']:>7.0f}"
        )


def measure(name: str, calls: int, rate: float, alone: float) -> None:
    made = clinic(calls)
    with database(name, f"faults_neighbour_{os.getpid()}") as here:
        with here.connected() as connection:
            create_source_tables(connection, here.schema)
        arrive(here, made.stored)
        as_of = datetime.now().replace(microsecond=0)
        print(f"{name}, {calls:,} calls, {rate:g} writes/s; milliseconds", flush=True)
        print(f"{'':<28}{'':<15}{'writes':>7}{'p50':>9}{'p99':>9}{'max':>10}{'failed':>7}")

        def tell(part: str, rows: Sequence[Any]) -> None:
            print("\n".join(shown(part, rows)), flush=True)
            worst = sorted(rows, key=lambda row: -row[2])[:5]
            told = (f"{kind} {took * 1000:.0f} at {at:.1f} s" for at, kind, took, _ in worst)
            print("   worst: " + "; ".join(told))

        words = ("build", "--resource-type", "seed", "--resource-type", "model")
        with writer(here, "alone", rate) as rows:
            time.sleep(alone)
        tell("alone", rows)
        with writer(here, "first", rate) as rows:
            done = here.dbt(*words, as_of=as_of, log="first")
            print(f"   {done.seconds:.0f} s")
        tell("first load", rows)
        with writer(here, "alone2", rate) as rows:
            time.sleep(alone)
        tell("alone again", rows)
        with writer(here, "night", rate) as rows:
            tomorrow = as_of + timedelta(hours=1)
            done = here.lm("run", "--no-report", as_of=tomorrow, log="night")
            print(f"   {done.seconds:.0f} s")
        tell("night (lm run, training)", rows)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=20_000)
    parser.add_argument("--rate", type=float, default=100)
    parser.add_argument("--alone", type=float, default=30, help="seconds of each measure alone")
    parser.add_argument("--target", action="append")
    parser.add_argument("--write", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.write:
        target = profile.load(os.environ["LM_BENCH_TARGET"])
        write(target, target.schema, args.write, args.rate, seed=1)
        return 0
    for name in args.target or list(SERVERS):
        measure(name, args.calls, args.rate, args.alone)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
