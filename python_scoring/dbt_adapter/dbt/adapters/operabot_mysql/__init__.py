"""dbt-mysql 1.7.0, its last release, on a dbt-core that is still supported.

dbt-core 1.8 moved what adapters build upon. This package gives back the five names that dbt-mysql
imports, each at its old place, and then is dbt-mysql's adapter: its connections, its macros. The
profile's `type: operabot_mysql` loads it, for MySQL, MariaDB, OceanBase and the embedded engine.

It can go, and the profile say `type: mysql` again, when a release of dbt-mysql names a supported
dbt-core. `tests/python/test_dbt_adapter.py` says which name has moved when a new one breaks it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import dbt.events
import dbt.exceptions
import dbt.utils
from dbt.adapters.base import AdapterPlugin
from dbt.adapters.events.logging import AdapterLogger
from dbt.adapters.exceptions import FailedToConnectError
from dbt_common.exceptions import DbtDatabaseError
from dbt_common.utils.executor import executor

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


@dataclass(init=False)
class OperabotMySQLCredentials(mysql.MySQLCredentials):
    """What dbt-mysql's profile takes."""

    @property
    def type(self) -> str:
        return TYPE


class OperabotMySQLConnectionManager(mysql.MySQLConnectionManager):
    TYPE = TYPE


# dbt finds the adapter's version by this name, in dbt.adapters.mysql.
class MySQLAdapter(mysql.MySQLAdapter):
    ConnectionManager = OperabotMySQLConnectionManager

    def get_catalog(self, relation_configs: Any, used_schemas: Any) -> Any:
        """dbt-core 1.7 gave one argument: all schemas that the relations lie in are read."""
        return super().get_catalog(relation_configs)


Plugin = AdapterPlugin(
    adapter=MySQLAdapter,
    credentials=OperabotMySQLCredentials,
    include_path=operabot_mysql.PACKAGE_PATH,
    dependencies=["mysql"],
)
