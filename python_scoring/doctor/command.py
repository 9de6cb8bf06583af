"""Is everything there that the project needs, and what is to do where it is not."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version

from python_scoring.base import profile
from python_scoring.base.database import Probe
from python_scoring.base.errors import EXIT_OK, EXIT_PROBLEM, ConfigurationError, LmError
from python_scoring.base.profile import Target
from python_scoring.base.tls import is_encrypted
from python_scoring.doctor.findings import Finding, fail, ok, warn
from python_scoring.doctor.forecasts import check_forecast
from python_scoring.doctor.last_run import check_last_run, check_steps
from python_scoring.doctor.models import check_models
from python_scoring.doctor.rights import check_references, check_target_schema
from python_scoring.doctor.server import check_server, check_time_zone
from python_scoring.doctor.source import (
    check_quarantine,
    check_refused,
    check_sources,
    check_target_size,
)

SALT_VARIABLE = "LM_CALLER_SALT"
SALT_LENGTH = 16
LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "doctor",
        help="check versions, connection, rights and source tables",
        description=__doc__,
        epilog="Exit code 1 when a check failed (with --last-run: a step); warnings alone give 0.",
    )
    profile.add_arguments(parser)
    parser.add_argument(
        "--last-run", action="store_true", help="only how the last run went, step by step"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    findings: list[Finding] = []
    target = profile.from_args(args)
    for finding in examine_last_run(target) if args.last_run else examine(target):
        findings.append(finding)
        if not args.json:
            print(finding.line(), flush=True)
    worst = max(findings, key=lambda finding: ("ok", "warn", "fail").index(finding.status))
    if args.json:
        document = {"status": worst.status, "checks": [asdict(finding) for finding in findings]}
        print(json.dumps(document, ensure_ascii=False, indent=2))
    return EXIT_PROBLEM if worst.status == "fail" else EXIT_OK


def examine(target: Target) -> Iterator[Finding]:
    """Every check, in an order in which each needs only the ones before."""
    yield from check_packages()
    yield from check_salt(os.environ.get(SALT_VARIABLE, ""))
    yield ok("profile", f"target {target.name} in {target.profiles_dir}, schema {target.schema}")
    try:
        connection = profile.connect(target)
    except ConfigurationError:
        raise
    except LmError as error:
        yield fail(
            "connection",
            str(error),
            "check LM_HOST, LM_PORT, LM_USER, LM_PASSWORD or LM_SOCKET, and that the server is up",
        )
        return
    with contextlib.closing(connection):
        yield ok("connection", f"{target.place} as {target.user}")
        yield judge_tls(target, is_encrypted(connection))
        probe = Probe(connection)
        yield from check_server(target, probe)
        yield from check_time_zone(target, probe)
        yield from check_sources(target, probe)
        yield from check_target_schema(target, probe)
        yield from check_references(target, probe)
        yield from check_target_size(target, probe)
        yield from check_refused(target, probe)
        yield from check_quarantine(target, probe)
        yield from check_last_run(target, probe)
        yield from check_models(target, probe)
        yield from check_forecast(target, probe)


def examine_last_run(target: Target) -> Iterator[Finding]:
    """What lm_run_log tells of the newest run."""
    with contextlib.closing(profile.connect(target)) as connection:
        yield from check_steps(target, Probe(connection))


def check_packages() -> Iterator[Finding]:
    python = ".".join(map(str, sys.version_info[:3]))
    if (3, 11) <= sys.version_info[:2] <= (3, 14):
        yield ok("python", python)
    else:
        yield warn("python", f"{python} is not tested", "use Python 3.11 to 3.14")
    for package, wanted in (("dbt-core", "1.12."), ("dbt-mysql", "1.7.0")):
        try:
            found = version(package)
        except PackageNotFoundError:
            yield fail(package, "not installed", "run make setup")
            continue
        if found.startswith(wanted):
            yield ok(package, found)
        else:
            yield fail(package, f"{found}, but {wanted}* is needed", "run make setup")
    yield ok("mysql-connector-python", version("mysql-connector-python"))


def judge_tls(target: Target, is_encrypted: bool) -> Finding:
    """Who could read along, or pass for the server."""
    if not target.host or (target.host in LOCAL_HOSTS and not target.tls.verifies):
        return ok("TLS", "not needed: the server is on this machine")
    if target.tls.verifies:
        return ok("TLS", f"encrypted, and the server proves who it is ({target.tls.mode})")
    return warn(
        "TLS",
        "encrypted, but anybody could pass for the server" if is_encrypted else "not encrypted",
        "set LM_SSL_CA to the file of the authority that signed the server's certificate, and"
        " LM_SSL_MODE=verify_identity",
    )


def check_salt(salt: str) -> Iterator[Finding]:
    if not salt:
        yield warn(
            SALT_VARIABLE,
            "not set: a salt drawn at random, in a file on this machine, stands in for it",
            "set it to a long random text, or back up .lm/caller_salts: every caller_key needs it",
        )
    elif len(salt) < SALT_LENGTH:
        yield warn(
            SALT_VARIABLE,
            f"only {len(salt)} characters: caller_key could be guessed",
            f"use at least {SALT_LENGTH} random characters",
        )
    else:
        yield ok(SALT_VARIABLE, "set")
