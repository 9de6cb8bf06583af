"""The command line `lm`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import mysql.connector

from python_scoring.base import engine, faults
from python_scoring.base.errors import LmError
from python_scoring.base.progress import progress
from python_scoring.base.project import dump_vars, parse_vars
from python_scoring.daily import command as run
from python_scoring.demo import command as demo
from python_scoring.dictionary import command as dictionary
from python_scoring.doctor import command as doctor
from python_scoring.forecasting import command as forecast
from python_scoring.importing import command as importer
from python_scoring.report import command as report
from python_scoring.scoring import score, train
from python_scoring.shell import command as shell
from python_scoring.staffing import command as staff
from python_scoring.versions import command as versions
from python_scoring.whatif import command as what_if

# In the order of `lm --help`. Each module has add_parser(subparsers), and its
# parser's default `run` is a function (args) -> exit code.
COMMANDS = (
    demo,
    run,
    doctor,
    importer,
    versions,
    train,
    score,
    forecast,
    staff,
    what_if,
    report,
    dictionary,
    shell,
    engine,
)

EPILOG = """\
exit codes:
  0    done, nothing wrong
  1    the run failed, or a check found a problem
  2    wrong usage or configuration
  3    lm run: the time limit is reached; the next run goes on from there
  4    lm run: another run is at work, or the database was lost or locked: try again later
  130  interrupted

Settings come from the dbt profile (profiles.example.yml, filled from LM_HOST, LM_PORT, LM_USER,
LM_PASSWORD, LM_SCHEMA, LM_SOCKET) and the variables of dbt_project.yml.
"""


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lm",
        description="Call metrics over call_history and call_scores.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for module in COMMANDS:
        module.add_parser(subparsers)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    args = build_parser().parse_args(argv)
    try:
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
    if "vars" not in args or args.run in (demo.run, importer.run, shell.run):
        return
    given = parse_vars(args.vars)
    if "as_of" not in given and (moment := demo.clock(args)):
        args.vars = dump_vars({**given, "as_of": moment})
        progress(f"the demo's calls: it is {moment} there")


if __name__ == "__main__":
    raise SystemExit(main())
