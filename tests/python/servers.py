"""The servers that the environment names, for tests and benchmarks.

LM_TEST_MYSQL and LM_TEST_MARIADB are like mysql://user:password@host:port.
"""

from __future__ import annotations

import os
from urllib.parse import unquote, urlsplit

SERVERS = {
    name: os.environ[variable]
    for name, variable in (("mysql", "LM_TEST_MYSQL"), ("mariadb", "LM_TEST_MARIADB"))
    if os.environ.get(variable)
}


def server_settings(name: str) -> dict[str, str]:
    """What the profile's target of that name reads from the environment."""
    url = urlsplit(SERVERS[name])
    return {
        "LM_HOST": url.hostname or "127.0.0.1",
        "LM_PORT": str(url.port or 3306),
        "LM_USER": unquote(url.username or "root"),
        "LM_PASSWORD": unquote(url.password or ""),
    }


def clean_environment() -> dict[str, str]:
    """The environment without the caller's own settings of `lm` and dbt."""
    return {name: value for name, value in os.environ.items() if name[:3] not in ("LM_", "DBT")}
