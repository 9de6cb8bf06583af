"""The old place of what dbt-mysql imports from here (see dbt.adapters.operabot_mysql)."""

from dbt_common.clients.agate_helper import DEFAULT_TYPE_TESTER  # noqa: F401
