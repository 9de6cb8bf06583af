"""Markdown as dbt's documentation shows it: tables, links to its pages, sentences of reasons."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

PROJECT = "operabot_lm"
SEEDS = ("lm_metric_dictionary", "lm_reason_dictionary", "lm_rule_params", "lm_calc_profiles")
SOURCES = {"lm_model_run": "python_scoring"}


def link(name: str, text: str = "", kind: str = "") -> str:
    """A link to a page: `kind` is metric, model, seed or source; else the name tells."""
    if name in SOURCES:
        return f"[{text or name}](#!/source/source.{PROJECT}.{SOURCES[name]}.{name})"
    kind = kind or ("seed" if name in SEEDS else "model")
    return f"[{text or name}](#!/{kind}/{kind}.{PROJECT}.{name})"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; '' when it has no rows."""
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    if not lines:
        return ""
    top = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    return "\n".join(top + lines)


def number(value: Any, language: str = "en") -> str:
    """At most one decimal, as the views of the database write it."""
    text = f"{float(value):.1f}".removesuffix(".0")
    return text.replace(".", ",") if language == "ru" else text


def sentence(text: str, reason: Mapping[str, Any], language: str) -> str:
    """A sentence of lm_reason_dictionary with the numbers of one reason, as vw_lm_call_explained.

    `reason` has points, and value and ref where it has them.
    """
    for mark, name, factor in (
        ("value", "value", 1),
        ("value%", "value", 100),
        ("ref", "ref", 1),
        ("points", "points", 1),
        ("points%", "points", 100),
    ):
        if name in reason:
            shown = number(factor * reason[name], language)
            text = text.replace("{" + mark + "}", shown)
    told = f": {number(reason['value'], language)}" if "value" in reason else ""
    text = text.replace("{told}", told)
    percent = {"ru": " п.п.", "en": " pp"}[language]
    for mark, factor, unit in (("signed", 1, ""), ("signed%", 100, percent)):
        points = factor * reason["points"]
        sign = f" ({'+' if points > 0 else ''}{number(points, language)}{unit})" if points else ""
        text = text.replace("{" + mark + "}", sign)
    return text


def pattern(text: str) -> str:
    """A sentence of lm_reason_dictionary without its numbers: dots in their place."""
    return re.sub(r"\{[^}]*\}", "…", text.replace("{told}", ": …"))


def codes(text: str) -> str:
    """Names divided by bars as code, divided by commas."""
    return ", ".join(f"`{code}`" for code in text.split("|") if code)
