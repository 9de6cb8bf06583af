"""Macros of the adapter: dbt-mysql's, but for what dbt-core has asked for since."""

from pathlib import Path

PACKAGE_PATH = str(Path(__file__).parent)
