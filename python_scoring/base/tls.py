"""TLS to the server, in the mysql client's words: what the driver is told, what is made sure of.

mode             encrypted                  the server's certificate
disabled         never                      -
preferred        where the server offers it not looked at (the default without a CA)
required         or no connection           not looked at
verify_ca        or no connection           must be signed by the CA (the default with a CA)
verify_identity  or no connection           and must carry the name that was connected to
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mysql.connector
from mysql.connector.abstracts import MySQLConnectionAbstract

from python_scoring.base.errors import ConfigurationError

MODES = ("disabled", "preferred", "required", "verify_ca", "verify_identity")
VERIFYING = ("verify_ca", "verify_identity")
# Names in the profile, and the variables that profiles.example.yml fills them from.
SETTINGS = {
    "ssl_mode": "LM_SSL_MODE",
    "ssl_ca": "LM_SSL_CA",
    "ssl_cert": "LM_SSL_CERT",
    "ssl_key": "LM_SSL_KEY",
}


@dataclass(frozen=True)
class Tls:
    """Settings of one connection; paths as the driver takes them, or ''."""

    mode: str = "preferred"
    ca: str = ""
    cert: str = ""
    key: str = ""

    @property
    def verifies(self) -> bool:
        return self.mode in VERIFYING

    def driver_options(self) -> dict[str, Any]:
        """Arguments of mysql.connector.connect."""
        if self.mode == "disabled":
            return {"ssl_disabled": True}
        options: dict[str, Any] = {}
        if self.cert:
            options |= {"ssl_cert": self.cert, "ssl_key": self.key}
        if self.verifies:
            options |= {"ssl_ca": self.ca, "ssl_verify_cert": True}
        if self.mode == "verify_identity":
            options["ssl_verify_identity"] = True
        elif self.mode == "verify_ca":
            # The driver's C half takes verify_ca for a wish: to a server that offers no TLS it logs
            # in unencrypted. Its Python half, slower with large results, does not.
            options["use_pure"] = True
        return options

    def require(self, connection: MySQLConnectionAbstract) -> None:
        """InterfaceError of the driver, and no connection, where it is not encrypted as asked."""
        if self.mode in ("required", *VERIFYING) and not is_encrypted(connection):
            connection.close()
            raise mysql.connector.InterfaceError(
                f"the server offers no TLS, and ssl_mode is {self.mode}", errno=2026
            )


def from_settings(values: Mapping[str, Any], folder: Path, has_server: bool = True) -> Tls:
    """Of a target in the profile. ConfigurationError names a setting that cannot be.

    `folder`: where relative paths count from. Without a server, on a Unix socket, nothing is
    encrypted: nothing leaves the machine.
    """
    if not has_server:
        return Tls("disabled")
    given = {name: str(values.get(name) or "").strip() for name in SETTINGS}
    mode = given["ssl_mode"].lower().replace("-", "_") or (
        "verify_ca" if given["ssl_ca"] else "preferred"
    )
    if mode not in MODES:
        raise ConfigurationError(
            f"ssl_mode ({SETTINGS['ssl_mode']}) is {given['ssl_mode']!r}: write one of"
            f" {', '.join(MODES)}"
        )
    if mode in VERIFYING and not given["ssl_ca"]:
        raise ConfigurationError(
            f"ssl_mode {mode} needs ssl_ca ({SETTINGS['ssl_ca']}): the file with the certificate of"
            " the authority that signed the server's"
        )
    if bool(given["ssl_cert"]) != bool(given["ssl_key"]):
        raise ConfigurationError(
            f"ssl_cert and ssl_key ({SETTINGS['ssl_cert']}, {SETTINGS['ssl_key']}) come together"
        )
    paths = {name: _path(name, given[name], folder) for name in SETTINGS if name != "ssl_mode"}
    return Tls(mode, paths["ssl_ca"], paths["ssl_cert"], paths["ssl_key"])


def is_encrypted(connection: MySQLConnectionAbstract) -> bool:
    """As this side knows it: the server's word would be that of whoever sits between."""
    driver = getattr(connection, "_cmysql", None)
    return bool(driver.get_ssl_cipher() if driver is not None else connection.is_secure)


def _path(name: str, text: str, folder: Path) -> str:
    if not text:
        return ""
    path = folder / Path(text).expanduser()
    if not path.is_file():
        raise ConfigurationError(f"{name} ({SETTINGS[name]}): there is no file {path}")
    return str(path)
