"""Load a call log into source tables, by a mapping of its columns.

Reads csv, tsv, JSON, xlsx and xls, also in gz, bz2, xz and zip, a folder of them, and - for
standard input. Without --mapping it looks at the file, says what it found and proposes a mapping;
nothing is loaded. Bad lines are counted and listed in the reject file by line number and reason;
the rest goes in. A call that is there already is not loaded again: import a grown file and only
its new calls are added. python_scoring/importing/README.md explains it in ten minutes.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from python_scoring.base import profile
from python_scoring.base.errors import EXIT_OK, EXIT_PROBLEM, ConfigurationError
from python_scoring.base.source_tables import CALL_HISTORY, CALL_SCORES
from python_scoring.importing import mapping as import_mapping
from python_scoring.importing import reviews
from python_scoring.importing.loading import Result, import_file
from python_scoring.importing.mapping import MappingFile
from python_scoring.importing.preview import preview_of
from python_scoring.importing.reading import inspect
from python_scoring.importing.review_loading import ReviewResult, import_reviews
from python_scoring.importing.sniffing import Finding, look_at
from python_scoring.importing.store import Table

EXIT_CODES = """\
exit codes:
  0  every line went in, was there already, or was skipped by the mapping; or nothing was to load
  1  some lines were rejected, or the import could not be finished
  2  wrong usage, mapping or configuration; nothing was loaded
"""


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "import",
        help="load a call log of any phone system into source tables",
        description=__doc__,
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", metavar="FILE", nargs="?", help="a file, a folder, or -")
    parser.add_argument(
        "--mapping",
        metavar="MAPPING",
        type=Path,
        help="YAML file with the columns' meaning, or a name that --list shows",
    )
    parser.add_argument("--list", action="store_true", help="show the mappings that come with lm")
    parser.add_argument(
        "--write-mapping", metavar="F", type=Path, help="write the proposed mapping to a file"
    )
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="show five calls as understood, and counts; load nothing",
    )
    parser.add_argument(
        "--update",
        action="store_true",
        help="correct calls that are there and differ from the file",
    )
    parser.add_argument(
        "--reviews",
        action="store_true",
        help="FILE is a quality team's sheet: its marks go into call_scores",
    )
    parser.add_argument("--log", action="store_true", help="show the imports with their ids")
    parser.add_argument("--undo", metavar="ID", type=int, help="take an import back")
    parser.add_argument("--schema", help="schema to load into (default: var source_schema)")
    parser.add_argument(
        "--reject-file",
        metavar="F",
        type=Path,
        help="where to list bad lines (default: FILE's name + .rejects.tsv, in this folder)",
    )
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")
    profile.add_arguments(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    if args.list:
        return show_mappings(args.json)
    target = profile.from_args(args)
    if args.log or args.undo is not None:
        return look_back(args, target)
    if args.file is None:
        raise ConfigurationError("name a FILE (or --list, --log, --undo ID)")
    with a_path(args.file) as path:
        if not path.exists():
            raise ConfigurationError(f"no file {path}")
        if args.reviews:
            return load_reviews(args, files_of(path), target)
        if args.mapping is None:
            return propose(args, path, target)
        mapping = import_mapping.load(args.mapping)
        files = files_of(path)
        if args.dry_run:
            clinic = target.zone
            previews = [
                preview_of(inspect(f, mapping.encoding or None), mapping, clinic) for f in files
            ]
            show(args.json, previews)
            return EXIT_OK
        return load_all(args, files, mapping, target)


def load_all(
    args: argparse.Namespace, files: list[Path], mapping: MappingFile, target: profile.Target
) -> int:
    results: list[Result] = []
    with closing(profile.connect(target)) as connection:
        for path in files:
            results.append(
                import_file(
                    connection,
                    path,
                    mapping,
                    args.schema or target.source_schema,
                    clinic=target.zone,
                    reject_file=reject_file_of(args, path),
                    call_history=target.source_table(CALL_HISTORY),
                    call_scores=target.source_table(CALL_SCORES),
                    update=args.update,
                )
            )
    show(args.json, results)
    return EXIT_PROBLEM if any(result.rejected for result in results) else EXIT_OK


def load_reviews(args: argparse.Namespace, files: list[Path], target: profile.Target) -> int:
    if args.mapping is None:
        known = ", ".join(f"{m.name} ({m.title})" for m in reviews.bundled())
        raise ConfigurationError(f"--reviews needs --mapping: a YAML file, or {known}")
    mapping = reviews.load(args.mapping)
    results: list[ReviewResult] = []
    with closing(profile.connect(target)) as connection:
        for path in files:
            results.append(
                import_reviews(
                    connection,
                    path,
                    mapping,
                    args.schema or target.source_schema,
                    clinic=target.zone,
                    reject_file=reject_file_of(args, path),
                    call_history=target.source_table(CALL_HISTORY),
                    call_scores=target.source_table(CALL_SCORES),
                    update=args.update,
                    dry_run=args.dry_run,
                )
            )
    show(args.json, results)
    if args.dry_run:
        return EXIT_OK
    return EXIT_PROBLEM if any(r.rejected or r.unmatched for r in results) else EXIT_OK


def reject_file_of(args: argparse.Namespace, path: Path) -> Path:
    reject_file: Path = args.reject_file or Path(f"{path.name}.rejects.tsv")
    if reject_file.resolve() == path.resolve():
        raise ConfigurationError("the reject file must not be the file that is read")
    return reject_file


def show(as_json: bool, results: list[Any]) -> None:
    """A summary a file; JSON of a single file is its object, of a folder a list."""
    if as_json:
        found = [result.as_dict() for result in results]
        print(json.dumps(found[0] if len(found) == 1 else found, ensure_ascii=False))
        return
    for result in results:
        print(result.as_text())


def propose(args: argparse.Namespace, path: Path, target: profile.Target) -> int:
    """Say what a file is and how it would be read; load nothing."""
    if path.is_dir():
        raise ConfigurationError("a folder needs --mapping: look at one of its files first")
    finding: Finding = look_at(inspect(path))
    if args.write_mapping:
        if args.write_mapping.exists():
            raise ConfigurationError(f"{args.write_mapping} is there already: name another file")
        args.write_mapping.write_text(finding.mapping_text, encoding="utf-8")
    if args.json:
        print(json.dumps(finding.as_dict(), ensure_ascii=False))
        return EXIT_OK
    print(finding.as_text())
    if finding.mapping is not None and not finding.open_questions:
        print(preview_of(finding.content, finding.mapping, target.zone).as_text())
    name = args.write_mapping or finding.system or "MAPPING.yml"
    if not finding.system and not args.write_mapping:
        print("\n" + finding.mapping_text)
        print(f"Nothing was loaded. Keep the mapping: lm import {args.file} --write-mapping {name}")
    else:
        print(f"Nothing was loaded. Load it: lm import {args.file} --mapping {name}")
    return EXIT_OK


def show_mappings(as_json: bool) -> int:
    found = [*import_mapping.bundled(), *reviews.bundled()]
    if as_json:
        print(json.dumps([{"name": m.name, "title": m.title} for m in found], ensure_ascii=False))
    else:
        width = max(len(m.name) for m in found)
        print("\n".join(f"{m.name:<{width}}  {m.title}" for m in found))
    return EXIT_OK


def look_back(args: argparse.Namespace, target: profile.Target) -> int:
    """--log and --undo."""
    with closing(profile.connect(target)) as connection:
        schema = args.schema or target.source_schema
        table = Table(connection, schema, target.source_table(CALL_HISTORY))
        if args.undo is not None:
            with table.locked():
                gone = table.undo(args.undo, target.source_table(CALL_SCORES))
            if args.json:
                print(json.dumps({"undone": args.undo, **gone}))
                return EXIT_OK
            what = "reviews" if "reviews" in gone else "calls"
            print(f"import {args.undo} undone: {gone[what]} {what} taken out of {schema}.")
            if gone.get("corrected"):
                print(f"The {gone['corrected']} calls it corrected stay as they are: import the"
                      " right file with --update.")  # fmt: skip
            print("The models follow: lm run --vars '{lm_sweep: true}'")
            return EXIT_OK
        names = (
            "import",
            "started",
            "file",
            "mapping",
            "inserted",
            "corrected",
            "rejected",
            "state",
        )
        rows = [dict(zip(names, row, strict=True)) for row in table.log()]
        if args.json:
            print(json.dumps(rows, ensure_ascii=False, default=str))
        else:
            print(
                "\n".join("\t".join(map(str, r)) for r in [names, *(row.values() for row in rows)])
            )
    return EXIT_OK


def files_of(path: Path) -> list[Path]:
    """The file, or the files of a folder by name."""
    if not path.is_dir():
        return [path]
    files = sorted(
        f for f in path.iterdir()
        if f.is_file() and not f.name.startswith((".", "~")) and not f.name.endswith(".rejects.tsv")
    )  # fmt: skip
    if not files:
        raise ConfigurationError(f"no files in {path}")
    return files


@contextmanager
def a_path(name: str) -> Iterator[Path]:
    """The file's path; standard input is kept in a file for as long as it is read."""
    if name != "-":
        yield Path(name)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "stdin"
        with path.open("wb") as stream:
            shutil.copyfileobj(sys.stdin.buffer, stream)
        yield path
