"""What the project's seeds say and the published ones do not, and how far that reaches."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from python_scoring.base.database import Probe, quoted
from python_scoring.base.profile import Target
from python_scoring.versions.scratch import LEARNT, OF_CALLS, dbt, dbt_folder

PARAMS = "lm_rule_params"
NODE = "model.operabot_lm."


def manifest(here: Target) -> dict[str, Any]:
    """dbt's nodes by id, as the last command of the comparison left them."""
    path = dbt_folder(here) / "manifest.json"
    nodes: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["nodes"]
    return nodes


def behind(nodes: Mapping[str, Any], names: Iterable[str]) -> set[str]:
    """Names of the seeds that these models stand on."""
    queue = [NODE + name for name in names]
    seen: set[str] = set()
    while queue:
        node = queue.pop()
        if node in nodes and node not in seen:
            seen.add(node)
            queue.extend(nodes[node]["depends_on"].get("nodes") or [])
    return {nodes[node]["name"] for node in seen if nodes[node]["resource_type"] == "seed"}


def changed_seeds(
    probe: Probe, published: Target, scratch: Target, names: Iterable[str]
) -> list[str]:
    """Those of the seeds `names` whose rows differ between the two schemas."""
    return [
        name
        for name in sorted(names)
        if _rows(probe, published.schema, name) != _rows(probe, scratch.schema, name)
    ]


def _rows(probe: Probe, schema: str, table: str) -> Counter[str] | None:
    """The rows as texts with their columns' names; None without the table."""
    columns = [
        name
        for (name,) in probe.rows(
            "select column_name from information_schema.columns"
            " where table_schema = %s and table_name = %s order by column_name",
            (schema, table),
        )
    ]
    if not columns:
        return None
    rows = probe.rows(f"select {', '.join(map(quoted, columns))} from {quoted(schema, table)}")
    return Counter(repr(dict(zip(columns, row, strict=True))) for row in rows)


def changed_params(probe: Probe, published: Target, scratch: Target) -> list[dict[str, Any]]:
    """Numbers of lm_rule_params that differ, are new or are gone (None)."""
    old, new = (
        {
            (param, calc_profile): value
            for param, calc_profile, value in probe.rows(
                f"select param, calc_profile, value from {quoted(schema, PARAMS)}"
            )
        }
        for schema in (published.schema, scratch.schema)
    )
    return [
        {"param": key[0], "calc_profile": key[1], "old": old.get(key), "new": new.get(key)}
        for key in sorted(old.keys() | new.keys())
        if old.get(key) != new.get(key) or (key in old) != (key in new)
    ]


def not_shown(
    here: Target,
    variables: Mapping[str, Any],
    seeds: Iterable[str],
    params: Iterable[Mapping[str, Any]],
) -> list[str]:
    """What the changes also reach, where calls and constants were taken over: names with why."""
    nodes = manifest(here)
    layers = {"the calls (fct_call)": OF_CALLS, "the learnt constants (lm_reference)": LEARNT}
    own = {
        what: behind(nodes, models)
        - {PARAMS}
        - (behind(nodes, OF_CALLS) if models is LEARNT else set())
        for what, models in layers.items()
    }
    found = [
        f"{seed} also reaches {what}"
        for seed in seeds
        for what, names in own.items()
        if seed in names
    ]
    # Only the default profile's numbers are read before a call's profile is known.
    names = {param["param"] for param in params if param["calc_profile"] == "default_v1"}
    if names:
        dbt(here, ["compile", "--select", *OF_CALLS, *LEARNT], variables)
        nodes = manifest(here)
        for what, models in layers.items():
            text = " ".join(nodes[NODE + model]["compiled_code"] for model in models)
            found += [
                f"{PARAMS}.{name} also reaches {what}"
                for name in sorted(names)
                if re.search(rf"\bparams\.{name}\b|'{name}'", text)
            ]
    return found
