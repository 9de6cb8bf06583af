"""dbt-mysql 1.7.0, its last release, on a dbt-core that is still supported.

dbt-core 1.8 moved what adapters build upon. This package gives back the five names that dbt-mysql
imports, each at its old place, and then is dbt-mysql's adapter: its connections, its macros. The
profile's `type: operabot_mysql` loads it, for MySQL, MariaDB, OceanBase and the embedded engine.

It can go, and the profile say `type: mysql` again, when a release of dbt-mysql names a supported
dbt-core. `tests/python/test_dbt_adapter.py` says which name has moved when a new one breaks it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dbt.events
import dbt.exceptions
import dbt.utils
import mysql.connector as mysql_connector
from dbt.adapters.base import AdapterPlugin, available
from dbt.adapters.events.logging import AdapterLogger
from dbt.adapters.exceptions import FailedToConnectError
from dbt_common.exceptions import DbtDatabaseError, DbtRuntimeError
from dbt_common.utils.executor import executor
from mysql.connector import Error as DriverError

from python_scoring.base import caller_salt, tls
from python_scoring.base.errors import LmError
from python_scoring.base.tls import Tls

# The other two old places are modules: dbt/contracts/connection and dbt/clients/agate_helper here.
OLD_PLACES: dict[Any, dict[str, Any]] = {
    dbt.events: {"AdapterLogger": AdapterLogger},
    dbt.exceptions: {
        "DbtDatabaseError": DbtDatabaseError,
        "FailedToConnectError": FailedToConnectError,
    },
    dbt.utils: {"executor": executor},
}
for _module, _names in OLD_PLACES.items():
    vars(_module).update(_names)

from dbt.adapters import mysql  # noqa: E402
from dbt.include import operabot_mysql  # noqa: E402

TYPE = "operabot_mysql"
# The connection is gone: no refusal.
LOST = (-1, 2006, 2013, 2055)


@dataclass(init=False)
class OperabotMySQLCredentials(mysql.MySQLCredentials):
    """What dbt-mysql's profile takes, and TLS (python_scoring/base/tls.py)."""

    ssl_mode: str | None = None
    ssl_ca: str | None = None
    ssl_cert: str | None = None
    ssl_key: str | None = None

    @property
    def type(self) -> str:
        return TYPE

    def tls(self) -> Tls:
        # dbt runs in the project's folder.
        return tls.from_settings(vars(self), Path.cwd(), has_server=bool(self.server))


class OperabotMySQLConnectionManager(mysql.MySQLConnectionManager):
    TYPE = TYPE

    @classmethod
    def open(cls, connection: Any) -> Any:
        """As dbt-mysql's, which knows no TLS."""
        if connection.state == "open":
            return connection
        credentials = cls.get_credentials(connection.credentials)
        options = {
            "user": credentials.username,
            "password": credentials.password,
            "buffered": True,
            "port": credentials.port,
            "charset": credentials.charset,
            "collation": credentials.collation,
        }
        if credentials.server:
            options["host"] = credentials.server
        else:
            options["unix_socket"] = credentials.unix_socket
        try:
            secured = credentials.tls()
            options |= secured.driver_options()
            given = {name: value for name, value in options.items() if value is not None}
            try:
                handle = mysql_connector.connect(**given)
            except DriverError:
                # Some accounts may log in to their schema alone.
                handle = mysql_connector.connect(**given, database=credentials.schema)
            secured.require(handle)
        except (DriverError, LmError) as error:
            connection.handle = None
            connection.state = "fail"
            raise FailedToConnectError(str(error)) from error
        connection.handle = handle
        connection.state = "open"
        return connection


# dbt finds the adapter's version by this name, in dbt.adapters.mysql.
class MySQLAdapter(mysql.MySQLAdapter):
    ConnectionManager = OperabotMySQLConnectionManager

    @available
    def refusal_of(self, sql: str) -> int:
        """Run a statement; 0, or the number of the error with which the server refused it.

        Jinja can't catch errors. For statements that may wait for others in vain.
        """
        cursor = self.connections.get_thread_connection().handle.cursor()
        try:
            cursor.execute(sql)
        except mysql_connector.DatabaseError as error:
            if error.errno in LOST:
                raise
            return int(error.errno)
        finally:
            cursor.close()
        return 0

    def get_catalog(self, relation_configs: Any, used_schemas: Any) -> Any:
        """dbt-core 1.7 gave one argument: all schemas that the relations lie in are read."""
        return super().get_catalog(relation_configs)

    @available.parse_none
    def set_caller_salt(self, fingerprint: str | None) -> str:
        """Key the session's caller_key() for a database whose keys have this fingerprint.

        Returns the fingerprint of the salt that is used. Salt and pads are in no Jinja context, and
        dbt logs a statement without its bindings.
        """
        try:
            salt = caller_salt.find(Path(self.config.project_root), fingerprint)
        except LmError as error:
            raise DbtRuntimeError(str(error)) from error
        self.connections.add_query(
            "set @lm_caller_inner_pad = unhex(%s), @lm_caller_outer_pad = unhex(%s)",
            auto_begin=False,
            bindings=salt.pads,
        )
        return salt.fingerprint

    @available.parse_none
    def forget_caller_salt(self, fingerprint: str) -> None:
        """Delete the file of a salt that is no longer used."""
        caller_salt.forget(Path(self.config.project_root), fingerprint)


Plugin = AdapterPlugin(
    adapter=MySQLAdapter,
    credentials=OperabotMySQLCredentials,
    include_path=operabot_mysql.PACKAGE_PATH,
    dependencies=["mysql"],
)
