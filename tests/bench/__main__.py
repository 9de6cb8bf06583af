"""How long everything takes, beside the plain copy of the same rows: `make bench`.

On the embedded engine and on the servers that LM_TEST_MYSQL and LM_TEST_MARIADB name, like
mysql://user:password@host:port. Prints a table, and writes all figures to target/bench.json. The
seconds are this machine's; ratios travel.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(ROOT / "tests" / "python"), str(ROOT)]

from clinic import clinic  # noqa: E402
from database import database, run  # noqa: E402
from figures import table  # noqa: E402
from measure import Result, measure  # noqa: E402
from servers import SERVERS  # noqa: E402

SIZES = (100_000, 300_000)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument(
        "--calls", type=int, action="append", help="stored calls; may be given again"
    )
    parser.add_argument("--million", action="store_true", help="1,000,000 calls too")
    parser.add_argument(
        "--target", action="append", choices=("mysql", "mariadb", "embedded"), help="only this one"
    )
    parser.add_argument("--output", type=Path, default=ROOT / "target" / "bench.json")
    parser.add_argument("--before", type=Path, help="figures of another commit, to show beside")
    args = parser.parse_args(argv)
    targets = args.target or [*SERVERS, "embedded"]
    if missing := set(targets) - {*SERVERS, "embedded"}:
        parser.error(f"the environment names no {missing.pop()} (LM_TEST_MYSQL, LM_TEST_MARIADB)")
    results: list[Result] = []
    for calls in [*(args.calls or SIZES), *([1_000_000] if args.million else [])]:
        made = clinic(calls)
        for name in targets:
            with database(name, f"lm_bench_{os.getpid()}") as here:

                def tell(line: str, name: str = name, calls: int = calls) -> None:
                    print(f"{datetime.now():%H:%M:%S} {name}, {calls:,} calls: {line}", flush=True)

                with here.connected() as connection:
                    (version,) = run(connection, "select version()")[0]
                started = datetime.now(UTC)
                results.append(
                    {
                        "target": name,
                        "version": version,
                        "calls": calls,
                        "started": f"{started:%Y-%m-%d %H:%M} UTC",
                        "processors": os.cpu_count(),
                        "load_before": round(os.getloadavg()[0], 1),
                        **measure(here, made, tell),
                    }
                )
                # After each, for hours may be lost otherwise.
                args.output.parent.mkdir(parents=True, exist_ok=True)
                args.output.write_text(json.dumps(results, indent=1))
    before = json.loads(args.before.read_text()) if args.before else []
    print(table(results, before))
    print(f"all figures: {args.output}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
