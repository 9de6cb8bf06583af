"""Draw another salt: with the next run every caller gets a new key, and no old one stays."""

from __future__ import annotations

import argparse
import contextlib
import os

from python_scoring.base import caller_salt, profile
from python_scoring.base.database import Probe, require_tables
from python_scoring.base.errors import EXIT_OK, ConfigurationError
from python_scoring.base.watermarks import Watermarks


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "rotate-salt",
        help="draw another salt for the keys of callers",
        description=__doc__
        + " Where LM_CALLER_SALT is set there is nothing to draw: give it another value instead.",
    )
    profile.add_arguments(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    if os.environ.get(caller_salt.VARIABLE):
        raise ConfigurationError(
            f"{caller_salt.VARIABLE} is set: to rotate, give it another long random text and run"
            " `lm run`"
        )
    target = profile.from_args(args)
    with contextlib.closing(profile.connect(target)) as connection:
        probe = Probe(connection)
        require_tables(probe, target.schema, ["lm_watermark"])
        marks = Watermarks(probe, target, "int_calls")
        old = marks.get("caller_salt").fingerprint
        # Before the file: a run in between finds the old salt, or draws one as this does.
        marks.delete("caller_salt")
        caller_salt.forget(target.project_dir, old)
    print(
        "the salt is forgotten: the next `lm run` draws another, reads all calls again and gives"
        " every caller a new key"
    )
    return EXIT_OK
