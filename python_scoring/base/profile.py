"""The dbt profile, read as dbt reads it, and connections made from it."""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import jinja2
import mysql.connector
from mysql.connector.abstracts import MySQLConnectionAbstract

from python_scoring.base import engine, tls, yaml_text
from python_scoring.base.errors import ConfigurationError, LmError
from python_scoring.base.project import parse_vars, project_dir, project_vars
from python_scoring.base.tls import Tls
from python_scoring.base.yaml_text import YamlError

PROFILE = "operabot_lm"
EXAMPLE = "profiles.example.yml"
DEFAULT_CHARSET = "utf8mb4"
# The one collation of utf8mb4 that MySQL, MariaDB and the embedded engine share.
DEFAULT_COLLATION = "utf8mb4_general_ci"
DEFAULT_OFFSET = "+00:00"


@dataclass(frozen=True)
class Target:
    """One target of the profile, with the project's variables."""

    name: str
    type: str
    schema: str
    user: str
    password: str = field(repr=False)
    host: str
    port: int | None
    socket: Path | None
    charset: str
    collation: str
    project_dir: Path
    profiles_dir: Path
    vars: dict[str, Any]
    tls: Tls = field(default_factory=Tls)

    @property
    def is_embedded(self) -> bool:
        return self.name == "embedded"

    @property
    def place(self) -> str:
        """Where the server is, for messages; never the password."""
        if self.host:
            return f"{self.host}:{self.port or 3306}"
        return str(self.socket)

    @property
    def zone(self) -> tzinfo:
        """The clinic's time: the var timezone, else utc_offset."""
        name = str(self.vars.get("timezone") or "")
        if name:
            try:
                return ZoneInfo(name)
            except (ZoneInfoNotFoundError, ValueError, OSError):
                raise ConfigurationError(
                    f"timezone must be like 'Europe/Berlin', got {name!r}"
                ) from None
        offset = str(self.vars.get("utc_offset") or DEFAULT_OFFSET)
        if not re.fullmatch(r"[+-](0\d|1[0-4]):[0-5]\d", offset):
            raise ConfigurationError(f"utc_offset must be like '+03:00', got {offset!r}")
        span = timedelta(hours=int(offset[1:3]), minutes=int(offset[4:6]))
        return timezone(-span if offset[0] == "-" else span)

    @property
    def utc_offset(self) -> str:
        """The clinic's offset from UTC at this moment, as `+03:00`."""
        return f"{datetime.now(self.zone):%z}"[:3] + ":" + f"{datetime.now(self.zone):%z}"[3:5]

    @property
    def source_schema(self) -> str:
        return str(self.vars.get("source_schema") or self.schema)

    def source_table(self, name: str) -> str:
        """The table's own name for `call_history` or `call_scores`."""
        return str(self.vars.get(f"{name}_identifier") or name)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`--target`, `--vars` and `--profiles-dir`, as dbt takes them."""
    parser.add_argument("--target", help="target of the profile (default: the profile's own)")
    parser.add_argument("--vars", metavar="YAML", help="project variables, as dbt takes them")
    parser.add_argument(
        "--profiles-dir", type=Path, help="folder of profiles.yml (default: as dbt looks for it)"
    )


def from_args(args: argparse.Namespace, overrides: Mapping[str, Any] | None = None) -> Target:
    """The target that the arguments of `add_arguments` name."""
    variables = {**parse_vars(args.vars), **(overrides or {})}
    return load(args.target, variables, args.profiles_dir)


def find_profiles_dir(project: Path, named: Path | None = None) -> Path:
    """The folder of profiles.yml by dbt's rules; without any, one with the example in it."""
    if named is None and (setting := os.environ.get("DBT_PROFILES_DIR")):
        named = Path(setting)
    if named is not None:
        if not (named / "profiles.yml").is_file():
            raise ConfigurationError(f"no profiles.yml in {named}")
        return named.resolve()
    if (project / "profiles.yml").is_file():
        return project
    home = Path.home() / ".dbt"
    if (home / "profiles.yml").is_file() and PROFILE in _read(home / "profiles.yml"):
        return home
    if not (project / EXAMPLE).is_file():
        raise ConfigurationError(f"no profiles.yml and no {EXAMPLE} in {project}")
    fallback = project / ".lm" / "profiles"
    fallback.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(project / EXAMPLE, fallback / "profiles.yml")
    return fallback


def load(
    target: str | None = None,
    variables: Mapping[str, Any] | None = None,
    profiles_dir: Path | None = None,
) -> Target:
    """Target `target` of the profile (None: its default), with the project's variables."""
    project = project_dir()
    folder = find_profiles_dir(project, profiles_dir)
    path = folder / "profiles.yml"
    render = _renderer(variables or {})
    profile = _read(path).get(PROFILE)
    if not isinstance(profile, dict):
        raise ConfigurationError(f"{path} has no profile {PROFILE!r}")
    outputs = profile.get("outputs") or {}
    name = target or render(profile.get("target") or "default")
    if name not in outputs:
        raise ConfigurationError(f"no target {name!r} in {path}: there are {', '.join(outputs)}")
    values = {key: render(value) for key, value in outputs[name].items()}
    socket = values.get("unix_socket") or ""
    host = values.get("server") or values.get("host") or ""
    return Target(
        name=name,
        type=values.get("type", ""),
        schema=values.get("schema", ""),
        user=values.get("username") or values.get("user") or values.get("UID") or "",
        password=values.get("password") or values.get("PWD") or "",
        host=host,
        port=_port(values.get("port")),
        # dbt-mysql ignores the socket when there is a server; dbt runs in the project's folder.
        socket=(project / socket) if socket and not host else None,
        charset=values.get("charset") or DEFAULT_CHARSET,
        collation=values.get("collation") or DEFAULT_COLLATION,
        project_dir=project,
        profiles_dir=folder,
        vars=project_vars(project, variables),
        tls=tls.from_settings(values, project, has_server=bool(host)),
    )


def connect(target: Target, schema: str | None = None) -> MySQLConnectionAbstract:
    """A connection with autocommit whose session runs on the clinic's time.

    The embedded engine is started when it does not run.
    """
    offset = target.utc_offset
    options: dict[str, Any] = {
        "user": target.user,
        "password": target.password,
        "charset": target.charset,
        "collation": target.collation,
        "autocommit": True,
        "time_zone": offset,
    }
    if schema:
        options["database"] = schema
    where: contextlib.AbstractContextManager[None] = contextlib.nullcontext()
    if target.host:
        options["host"] = target.host
        options["port"] = target.port or 3306
        options |= target.tls.driver_options()
    elif target.socket:
        if target.is_embedded:
            engine.ensure(engine.dir_of_socket(target.socket))
        # By its bare name: a Unix socket's path may not be longer than about 100 bytes.
        options["unix_socket"] = target.socket.name
        where = contextlib.chdir(target.socket.parent) if target.socket.parent.is_dir() else where
    else:
        raise ConfigurationError(f"target {target.name}: neither a server nor a unix_socket")
    try:
        with where:
            connection = mysql.connector.connect(**options)
        assert isinstance(connection, MySQLConnectionAbstract)
        target.tls.require(connection)
    except mysql.connector.Error as error:
        raise LmError(f"cannot connect to {target.place} as {target.user!r}: {error}") from error
    return connection


def _read(path: Path) -> dict[str, Any]:
    try:
        content = yaml_text.load_file(path)
    except (OSError, YamlError) as error:
        raise ConfigurationError(f"cannot read {path}: {error}") from error
    return content if isinstance(content, dict) else {}


def _renderer(variables: Mapping[str, Any]) -> Any:
    """A function that renders one value of the profile, as text."""

    def env_var(name: str, default: str | None = None) -> str:
        value = os.environ.get(name, default)
        if value is None:
            raise ConfigurationError(f"the profile needs the environment variable {name}")
        return value

    def var(name: str, default: Any = None) -> Any:
        return variables.get(name, default)

    # dbt's filters for types: the values are turned into numbers where they are used.
    environment = jinja2.Environment(autoescape=False)  # noqa: S701 (settings, no page)
    environment.globals.update(env_var=env_var, var=var)
    for name in ("as_number", "as_bool", "as_text", "as_native"):
        environment.filters[name] = str

    def render(value: Any) -> str:
        if value is None:
            return ""
        try:
            return environment.from_string(str(value)).render()
        except jinja2.TemplateError as error:
            raise ConfigurationError(f"the profile's {value!r} does not render: {error}") from error

    return render


def _port(text: str | None) -> int | None:
    if not text:
        return None
    try:
        return int(text)
    except ValueError:
        raise ConfigurationError(f"the port must be a number, got {text!r}") from None
