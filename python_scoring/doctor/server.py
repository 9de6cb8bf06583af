"""Checks of the server: its kind, its version, its clock."""

from __future__ import annotations

import re
from collections.abc import Iterator

from python_scoring.base.database import Probe
from python_scoring.base.profile import Target
from python_scoring.doctor.findings import Finding, fail, ok, warn

MYSQL_OLDEST = (8, 0, 22)
MARIADB_OLDEST = (10, 6)


def check_server(target: Target, probe: Probe) -> Iterator[Finding]:
    version, comment = probe.one("select version(), @@version_comment")
    yield judge_version(version, comment)


def judge_version(version: str, comment: str) -> Finding:
    """The server's version against the oldest that works."""
    number = tuple(map(int, re.findall(r"\d+", version)[:3]))
    name = f"{version} ({comment})"
    if "oceanbase" in name.lower():
        return ok("server", name)
    oldest = MARIADB_OLDEST if "mariadb" in name.lower() else MYSQL_OLDEST
    if number < oldest:
        return fail("server", name, f"upgrade to {'.'.join(map(str, oldest))} or later")
    return ok("server", name)


def check_time_zone(target: Target, probe: Probe) -> Iterator[Finding]:
    ours = target.utc_offset
    zone = probe.one("select @@global.time_zone")[0]
    probe.do("set time_zone = @@global.time_zone")
    minutes = probe.one("select timestampdiff(minute, utc_timestamp(), now())")[0]
    probe.do(f"set time_zone = '{ours}'")
    server = f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
    name = "timezone" if target.vars.get("timezone") else "utc_offset"
    if server == ours:
        yield ok("time zone", f"server {server} ({zone}), {name} {ours}")
    else:
        yield warn(
            "time zone",
            f"server {server} ({zone}), {name} {ours}",
            f"see that {name} is the clinic's; call times follow it, created_at and updated_at"
            " follow the server",
        )
