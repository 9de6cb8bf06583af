"""The old place of what dbt-mysql imports from here (see dbt.adapters.operabot_mysql)."""

import sys

from dbt_common.exceptions import DbtRuntimeError


class OldAdapterError(DbtRuntimeError, ImportError):
    """Told to whoever runs dbt; an ImportError for `dbt --version`, which tries every adapter."""


# A profile that names dbt-mysql itself comes by here first.
if "dbt.adapters.operabot_mysql" not in sys.modules:
    raise OldAdapterError(
        "The profile says `type: mysql` or `type: mariadb`: dbt-mysql alone knows no supported dbt."
        " Write `type: operabot_mysql`, with all else as it is (profiles.example.yml shows it)."
    )

from dbt.adapters.contracts.connection import (  # noqa: E402, F401
    AdapterResponse,
    Connection,
    Credentials,
)
