"""A comparison as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def render(document: Mapping[str, Any]) -> str:
    published = document["published"]
    versions = ", ".join(f"{name} ({n:,} rows)" for name, n in published["lm_versions"].items())
    lines = [
        f"published  {published['schema']} as of {published['as_of']}: {versions or 'no rows'}",
        f"project    {document['lm_version']}, "
        + (
            "calls and constants computed anew from the sources"
            if document["whole"]
            else "over the published calls and constants"
        ),
        f"compared   {document['from']} to {document['to']}: {document['calls']:,} calls,"
        f" {document['calls_moved']:,} would move",
        *_changes(document),
        "",
        f"{'metric':<26}{'compared':>10}{'moved':>9}{'':>7}   mean, median, p90",
    ]
    for metric, found in document["metrics"].items():
        share = found["moved_share"] or 0
        line = f"{metric:<26}{found['compared']:>10,}{found['moved']:>9,}{share:>7.1%}"
        if found["moved"]:
            old, new = found["old"], found["new"]
            line += "   " + ", ".join(
                _change(old[name], new[name]) for name in ("mean", "p50", "p90")
            )
        lines.append(line)
        lines += [f"    {text}" for text in _details(found)]
    return "\n".join(lines)


def _changes(document: Mapping[str, Any]) -> Iterator[str]:
    for param in document["changed_params"]:
        yield (
            f"changed    lm_rule_params.{param['param']} ({param['calc_profile']}):"
            f" {_number(param['old'])} -> {_number(param['new'])}"
        )
    for seed in document["changed_seeds"]:
        yield f"changed    seed {seed}"
    for what in document["not_shown"]:
        yield f"! {what}, taken over as published: --whole shows that too"
    changed = document["changed_params"] or document["changed_seeds"] or document["calls_moved"]
    if changed and document["lm_version"] in document["published"]["lm_versions"]:
        yield f"! lm_version is {document['lm_version']} as before: publish under a new one"
    if len(document["published"]["lm_versions"]) > 1:
        yield "! the published rows are of several versions: a backfill is not done yet"
    for metric, n in document["only_published"].items():
        yield f"! {metric}: {n:,} published rows that the project would not make"


def _details(found: Mapping[str, Any]) -> Iterator[str]:
    if found["only_new"]:
        yield f"{found['only_new']:,} calls have no published row"
    if found["only_reasons_moved"]:
        yield f"{found['only_reasons_moved']:,} calls keep the value with other reasons or inputs"
    if not found["moved"]:
        return
    shares = [found[side]["label_shares"] for side in ("old", "new")]
    if shares[0] != shares[1]:
        yield "labels: " + ", ".join(
            f"{label} {shares[0].get(label, 0):.1%} -> {shares[1].get(label, 0):.1%}"
            for label in sorted(shares[0].keys() | shares[1].keys())
        )
    moves = [
        f"{move['from'] or 'none'} -> {move['to'] or 'none'} {move['calls']:,}"
        for move in found["label_moves"]
    ]
    if moves:
        yield "calls by label: " + ", ".join(moves[:8])
    if found["gates_opened"] or found["gates_closed"]:
        yield (
            f"gates: {found['gates_opened']:,} calls get a value,"
            f" {found['gates_closed']:,} lose theirs ("
            + ", ".join(
                f"{move['from'] or 'value'} -> {move['to'] or 'value'} {move['calls']:,}"
                for move in found["gate_moves"][:5]
            )
            + ")"
        )
    days = found["days"]
    if largest := days["largest"]:
        yield (
            f"by day: {days['means_changed']} of {days['days']} means change, most on"
            f" {largest['day']}: {_change(largest['old_mean'], largest['new_mean'])}"
        )
    for mover in found["movers"]:
        yield (
            f"call {mover['history_id']}: {_value(mover['old'])} -> {_value(mover['new'])}"
            f"   {_reasons(mover['old'])} -> {_reasons(mover['new'])}"
        )


def _value(value: Mapping[str, Any]) -> str:
    if value["gate"]:
        return str(value["gate"])
    words = [_number(value["value"])] if value["value"] is not None else []
    return " ".join([*words, *([value["label"]] if value["label"] else [])]) or "none"


def _reasons(value: Mapping[str, Any]) -> str:
    reasons = [f"{reason['code']} {_number(reason['points'])}" for reason in value["reasons"]]
    return f"[{', '.join(reasons)}]"


def _change(old: float | None, new: float | None) -> str:
    return _number(old) if old == new else f"{_number(old)} -> {_number(new)}"


def _number(value: Any) -> str:
    return "-" if value is None else f"{float(value):.6g}"
