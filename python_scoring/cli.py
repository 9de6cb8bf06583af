"""The command line `lm`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from importlib import import_module

import mysql.connector

from python_scoring.base import faults
from python_scoring.base.errors import LmError
from python_scoring.base.private_files import keep_private
from python_scoring.base.progress import progress
from python_scoring.base.project import dump_vars, parse_vars, project_dir
from python_scoring.demo.marker import clock

# In the order of `lm --help`: the command, and its module. Each has add_parser(subparsers), and its
# parser's default `run` is a function (args) -> exit code. Imported when asked for: all of them
# take seconds.
COMMANDS = {
    "demo": "demo.command",
    "run": "daily.command",
    "doctor": "doctor.command",
    "import": "importing.command",
    "compare-versions": "versions.command",
    "train": "scoring.train",
    "score": "scoring.score",
    "forecast": "forecasting.command",
    "staff": "staffing.command",
    "what-if": "whatif.command",
    "report": "report.command",
    "forget": "privacy.forget",
    "rotate-salt": "privacy.rotate",
    "dictionary": "dictionary.command",
    "shell": "shell.command",
    "engine": "base.engine",
}
# Which make or fill a database, or only look at it.
KEEP_THE_CLOCK = ("demo", "import", "shell")

EPILOG = """\
exit codes:
  0    done, nothing wrong
  1    the run failed, or a check found a problem
  2    wrong usage or configuration
  3    lm run: the time limit is reached; the next run goes on from there
  4    lm run: another run is at work, or the database was lost or locked: try again later
  5    lm run: done, but calls whose rows fail a check are left out: see lm_quarantine
  130  interrupted

Settings come from the dbt profile (profiles.example.yml, filled from LM_HOST, LM_PORT, LM_USER,
LM_PASSWORD, LM_SCHEMA, LM_SOCKET) and the variables of dbt_project.yml.
"""


def build_parser(commands: Iterable[str] = COMMANDS) -> argparse.ArgumentParser:
    """The parser of these commands, all by default."""
    parser = argparse.ArgumentParser(
        prog="lm",
        description="Call metrics over call_history and call_scores.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    subparsers = parser.add_subparsers(
        title="commands", metavar="COMMAND", dest="command", required=True
    )
    for command in commands:
        import_module(f"python_scoring.{COMMANDS[command]}").add_parser(subparsers)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    words = list(sys.argv[1:] if argv is None else argv)
    asked = words[:1] if words and words[0] in COMMANDS else COMMANDS
    args = build_parser(asked).parse_args(words)
    try:
        keep_private(project_dir())
        _keep_demo_time(args)
        code: int = args.run(args)
    except LmError as error:
        return _tell(error)
    except mysql.connector.Error as error:
        return _tell(faults.told(error))
    except KeyboardInterrupt:
        print("lm: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader (head, less) went away: not an error, and nothing left to flush.
        sys.stderr.close()
        return 0
    except OSError as error:
        return _tell(faults.told_of_file(error))
    return code


def _tell(error: LmError) -> int:
    print(f"lm: {error}", file=sys.stderr)
    return error.exit_code


def _keep_demo_time(args: argparse.Namespace) -> None:
    """On the demo's calls "now" is their end, for every command that does not say otherwise."""
    if "vars" not in args or args.command in KEEP_THE_CLOCK:
        return
    given = parse_vars(args.vars)
    if "as_of" not in given and (moment := clock(args)):
        args.vars = dump_vars({**given, "as_of": moment})
        progress(f"the demo's calls: it is {moment} there")


if __name__ == "__main__":
    raise SystemExit(main())
