"""Write the documentation's pages of metrics and KPIs from the seeds; --check only compares.

To be run after a change of a dictionary seed, of lm_rule_params or of a macro's description.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from python_scoring.base.errors import EXIT_OK, EXIT_PROBLEM
from python_scoring.base.project import project_dir
from python_scoring.dictionary.files import files
from python_scoring.dictionary.seeds import load


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "dictionary",
        help="write the pages of the metrics for the documentation",
        description=__doc__,
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="write nothing; exit code 1 when a page is not up to date",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    folder = project_dir()
    stale = outdated(folder)
    if args.check:
        for path in stale:
            print(f"{path} is not up to date: run lm dictionary", file=sys.stderr)
        return EXIT_PROBLEM if stale else EXIT_OK
    for path, text in stale.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
        print(f"{path} written")
    return EXIT_OK


def outdated(folder: Path) -> dict[Path, str]:
    """The pages of the project in `folder` that do not follow from its seeds, as they should be."""
    return {
        path: text
        for path, text in files(load(folder), folder).items()
        if not (folder / path).is_file() or (folder / path).read_text(encoding="utf-8") != text
    }
