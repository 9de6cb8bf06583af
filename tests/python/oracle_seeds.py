"""The project's seeds as the oracle reads them: plain CSV, the same text rules."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from statistics import fmean, median
from typing import Any

NULL_WORDS = frozenset({"", "none", "nan", "null"})
SPACES = re.compile(r"[ \t\r\n\f\v]+")


def normalised(text: Any) -> str | None:
    """Trim, one space between words, lower case, ё as е; the words of nothing are null."""
    if text is None:
        return None
    clean = SPACES.sub(" ", str(text)[:1000]).strip().lower().replace("ё", "е")
    return None if clean in NULL_WORDS else clean


def as_float(text: Any) -> float | None:
    clean = str(text if text is not None else "").strip()
    return float(clean) if clean and clean.lower() not in NULL_WORDS else None


def as_date(text: Any) -> date | None:
    clean = str(text or "").strip()
    return date.fromisoformat(clean[:10]) if clean else None


def read_seed(folder: Path, name: str) -> list[dict[str, str]]:
    """Rows of a seed; no rows where the seed is absent (tests of parts of the project)."""
    path = folder / f"{name}.csv"
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@dataclass(frozen=True)
class Service:
    group: str
    ticket: float | None
    recurrence: str
    name: str | None = None


@dataclass(frozen=True)
class Seeds:
    """Maps and parameters, keyed by normalised text."""

    params: list[dict[str, str]]
    profiles: list[dict[str, str]]
    outcomes: Mapping[str, str]
    directions: Mapping[str, str]
    call_types: Mapping[str, str]
    category_labels: Mapping[str, str]
    category_numbers: Mapping[int, str]
    excluded: frozenset[str]
    refusals: Mapping[str, str]
    services_by_id: Mapping[int, Service]
    services_by_name: Mapping[str, Service]
    services_by_speciality: Mapping[str, Service]
    affinity: Mapping[str, list[float]]
    calibration: list[tuple[date, date | None, float, float]]
    checklists: Mapping[str, list[tuple[date | None, list[float]]]]
    days: Mapping[date, bool] = field(default_factory=dict)  # True: a working day

    def default_params(self) -> dict[str, float | None]:
        return {
            row["param"]: as_float(row["value"])
            for row in self.params
            if row["calc_profile"] == "default_v1"
        }

    @property
    def median_ticket(self) -> float | None:
        """Median over the groups of the mean ticket of a group; None without prices."""
        tickets: dict[str, list[float]] = {}
        for service in self.services_by_id.values():
            if service.ticket is not None:
                tickets.setdefault(service.group, []).append(service.ticket)
        return median(fmean(values) for values in tickets.values()) if tickets else None

    def is_weekend(self, day: date) -> bool:
        return day.weekday() >= 5 and not self.days.get(day, False)

    def is_holiday(self, day: date) -> bool:
        return self.days.get(day) is False

    def is_working_day(self, day: date) -> bool:
        return self.days.get(day, day.weekday() < 5)


def load_seeds(folder: Path) -> Seeds:
    """Read every seed the oracle needs from the project's seeds folder."""
    categories = read_seed(folder, "call_categories")
    services = read_seed(folder, "lm_services")

    def first(column: str, key: Callable[[Any], Any]) -> dict[Any, Service]:
        found: dict[Any, Service] = {}
        for row in sorted(services, key=lambda item: int(item["service_id"])):
            name = key(row.get(column))
            if name is not None:
                found.setdefault(name, _service(row))
        return found

    numbers: dict[int, str] = {}
    for row in categories:
        if (value := as_float(row.get("number_category"))) is not None:
            numbers.setdefault(int(value), row["call_category"])
    return Seeds(
        params=read_seed(folder, "lm_rule_params"),
        profiles=read_seed(folder, "lm_calc_profiles"),
        outcomes=_mapping(folder, "call_outcomes", "label", "outcome"),
        directions=_mapping(folder, "call_directions", "label", "direction"),
        call_types=_mapping(folder, "call_types", "label", "call_type"),
        category_labels=_mapping(folder, "call_categories", "label", "call_category"),
        category_numbers=numbers,
        excluded=frozenset(
            row["call_category"] for row in categories if str(row["is_excluded"]).strip() == "1"
        ),
        refusals=_mapping(folder, "refusal_reasons", "refusal_reason", "refusal_code"),
        services_by_id=first("service_id", _integer),
        services_by_name=first("service_name", normalised),
        services_by_speciality=first("doctor_speciality", normalised),
        affinity=_affinity(folder),
        calibration=_calibration(folder),
        checklists=_checklists(folder),
        days=_days(folder),
    )


def _integer(text: Any) -> int | None:
    value = as_float(text)
    return None if value is None else int(value)


def _service(row: Mapping[str, str]) -> Service:
    return Service(
        group=normalised(row.get("service_group")) or "unknown",
        ticket=as_float(row.get("avg_ticket")),
        recurrence=normalised(row.get("recurrence")) or "unknown",
        name=str(row.get("service_name") or "").strip() or None,
    )


def _mapping(folder: Path, seed: str, label: str, code: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for row in read_seed(folder, seed):
        if (text := normalised(row[label])) is not None:
            found.setdefault(text, row[code])
    return found


def _affinity(folder: Path) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for row in read_seed(folder, "lm_service_affinity"):
        if (confidence := as_float(row.get("confidence"))) is not None:
            found.setdefault(str(row["service_group"]), []).append(confidence)
    return found


def _calibration(folder: Path) -> list[tuple[date, date | None, float, float]]:
    rows = []
    for row in read_seed(folder, "lm_score_calibration"):
        since = as_date(row["valid_from"])
        if since is not None:
            offset = as_float(row.get("offset") or row.get("score_offset")) or 0.0
            scale = as_float(row.get("scale") or row.get("score_scale"))
            until = as_date(row["valid_to"])
            rows.append((since, until, 1.0 if scale is None else scale, offset))
    return rows


def _checklists(folder: Path) -> dict[str, list[tuple[date | None, list[float]]]]:
    grouped: dict[tuple[str, date | None], list[tuple[int, float]]] = {}
    for row in read_seed(folder, "lm_checklist"):
        key = (normalised(row["checklist"]) or "unknown", as_date(row.get("valid_from")))
        grouped.setdefault(key, []).append((int(row["item_no"]), float(row["weight"])))
    found: dict[str, list[tuple[date | None, list[float]]]] = {}
    for (name, since), items in sorted(grouped.items(), key=lambda item: str(item[0])):
        found.setdefault(name, []).append((since, [weight for _, weight in sorted(items)]))
    return found


def _days(folder: Path) -> dict[date, bool]:
    """Days of lm_holidays: whether they are worked. Any column is_working* or *kind* may say."""
    found: dict[date, bool] = {}
    for row in read_seed(folder, "lm_holidays"):
        column = next(name for name in row if "date" in name or name == "day")
        day = as_date(row[column])
        if day is None:
            continue
        working = next((row[name] for name in row if name.startswith("is_work")), None)
        kind = next((row[name] for name in row if "kind" in name), "")
        found[day] = working.strip() == "1" if working is not None else "work" in kind
    return found
