"""Kills at random moments of a first load and of nights, against a life without any.

    .venv/bin/python tests/bench/kills.py --target mysql --kills 20

Counts what was in flight at each kill, and compares all tables at the end. Half of the kills fall
into the first load, half into the night; with --cuts connections are cut in a statement besides.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(ROOT / "tests" / "python"), str(ROOT)]

from conftest import TestTarget  # noqa: E402
from fault_cases import cut_after, killed_after, life, moments  # noqa: E402
from servers import SERVERS, server_settings  # noqa: E402

from python_scoring.base import profile  # noqa: E402


def trial(name: str, kills: int, cuts: int, seed: int) -> bool:
    """Whether the tables are the same in the end."""
    with tempfile.TemporaryDirectory(prefix="lm-kills-") as place:
        folder = Path(place)
        shutil.copyfile(ROOT / profile.EXAMPLE, folder / "profiles.yml")
        target = TestTarget(name, f"lm_kills_{os.getpid()}", folder, server_settings(name))
        with life(target, "calm") as calm:
            seconds = []
            for part in (0, 1):
                calm.arrive(part)
                end = calm.run(part)
                if end.code:
                    raise SystemExit(f"without a fault: exit {end.code}\n{end.said[-2000:]}")
                seconds.append(end.seconds)
            wanted = calm.state()
        print(f"{name}: {seconds[0]:.0f} s first load, {seconds[1]:.0f} s night", flush=True)
        in_flight: Counter[str] = Counter()
        codes: Counter[int] = Counter()
        with life(target, "killed") as one:
            for part in (0, 1):
                one.arrive(part)
                half = [killed_after(one, at) for at in moments(seed, kills // 2, seconds[part])]
                half += [cut_after(one, at) for at in moments(-seed, cuts // 2, seconds[part])]
                for number, disturb in enumerate(half, start=1):
                    # What is done already is not done again: the later a run, the sooner it ends.
                    end = one.run(part, disturb)
                    in_flight[end.in_flight.partition(":")[0]] += 1
                    codes[end.code] += 1
                    print(f"  {number}: exit {end.code}, {end.in_flight}", flush=True)
                end = one.run(part)
                if end.code:
                    print(f"  the run after them: exit {end.code}\n{end.said[-2000:]}")
                    return False
            unlike = wanted.differences(one.state())
        told = ", ".join(f"{what} {count}" for what, count in in_flight.most_common())
        print(f"{name}: {sum(in_flight.values())} faults, in flight: {told}")
        print(f"  exit codes {dict(codes)}; rows unlike a life without faults: {unlike or 'none'}")
        return not unlike


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", action="append", choices=("mysql", "mariadb"))
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--cuts", type=int, default=0)
    parser.add_argument("--seed", type=int, default=18)
    args = parser.parse_args()
    ends = [trial(name, args.kills, args.cuts, args.seed) for name in args.target or SERVERS]
    return not all(ends)


if __name__ == "__main__":
    raise SystemExit(main())
