"""The manager's page: what burns, whom to call today, indicators, the days past and to come.

One HTML file without scripts that opens offline and prints; or a short text for a messenger, or
JSON. Every number comes from the marts, and what they do not know is told too.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from pathlib import Path

from mysql.connector.abstracts import MySQLConnectionAbstract

from python_scoring.base import profile
from python_scoring.base.database import Probe
from python_scoring.base.errors import EXIT_OK, ConfigurationError
from python_scoring.base.profile import Target
from python_scoring.base.settings import as_of
from python_scoring.report import inputs, page
from python_scoring.report.texts import LANGUAGES, Words

FILE = "lm_report.html"
PERIODS = (7, 14, 30, 180)


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "report",
        help="the manager's page: HTML, text for a messenger, or JSON",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    profile.add_arguments(parser)
    parser.add_argument(
        "--format", choices=("html", "text", "json"), default="html", help="what to write (html)"
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help=f"where to (html: target/{FILE} in the project; text and JSON: the screen)",
    )
    parser.add_argument("--lang", choices=LANGUAGES, default="ru", help="language (ru)")
    parser.add_argument(
        "--days", type=int, choices=PERIODS, default=7, help="period of the indicators (7)"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    target = profile.from_args(args)
    with contextlib.closing(profile.connect(target)) as connection:
        text = build(connection, target, args.format, args.lang, args.days)
    path = args.output or (default_path(target) if args.format == "html" else None)
    if path is None:
        print(text)
    else:
        write(path, text)
        print(f"report: {path}", file=sys.stderr if args.format == "json" else sys.stdout)
    return EXIT_OK


def default_path(target: Target) -> Path:
    return target.project_dir / "target" / FILE


def build(
    connection: MySQLConnectionAbstract,
    target: Target,
    form: str = "html",
    language: str = "ru",
    period_days: int = 7,
) -> str:
    """The report of the newest period as text of the form `html`, `text` or `json`."""
    moment, words = as_of(target), Words(language)
    facts = inputs.read(Probe(connection), target, period_days)
    if form == "html":
        return page.html(facts, words, moment)
    if form == "text":
        return page.text(facts, words, moment)
    document = page.document(facts, words, moment)
    return json.dumps(document, ensure_ascii=False, indent=2, default=str)


def write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"cannot write {path}: {error}") from error
