"""How the packages of python_scoring stand on each other."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import pytest
from conftest import ROOT

PACKAGE = "python_scoring"
# From the ground up. A package imports from lower floors, never from its own or a higher one.
FLOORS = (
    ("base",),
    ("probability", "model_registry", "simulation", "dictionary", "shell", "importing", "privacy"),
    ("scoring", "forecasting", "staffing", "report", "versions"),
    ("doctor", "whatif", "daily"),
    ("demo",),
    ("cli",),
    ("__main__",),
)
# What a package offers to those above it; the rest is its own affair.
OPEN_TO_ALL = ("base", "probability", "model_registry")
OFFERED = {
    "demo.marker",
    "scoring.score",
    "scoring.train",
    "forecasting.store",
    "staffing.erlang",
    "staffing.patience",
    "simulation.simulate",
    "cli",
}


class Import(NamedTuple):
    """Of module `what` by module `by`, both as their paths in the package: 'scoring.train'."""

    by: str
    what: str

    @property
    def rooms(self) -> tuple[str, str]:
        return self.by.partition(".")[0], self.what.partition(".")[0]


@cache
def imports() -> tuple[Import, ...]:
    found = []
    for path in sorted((ROOT / PACKAGE).rglob("*.py")):
        by = ".".join(path.relative_to(ROOT / PACKAGE).with_suffix("").parts)
        tree = ast.parse(path.read_text(encoding="utf-8"))
        found += [Import(by, module) for module in _imported(tree)]
    return tuple(one for one in found if one.rooms[0] != one.rooms[1])


def _imported(tree: ast.AST) -> Iterator[str]:
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    for name in names:
        head, *parts = name.split(".")
        if head == PACKAGE and parts:
            path = ROOT.joinpath(PACKAGE, *parts)
            # The last name may be a function's or a class's.
            is_module = path.is_dir() or path.with_suffix(".py").is_file()
            yield ".".join(parts if is_module else parts[:-1])


def floor(room: str) -> int:
    return next(number for number, rooms in enumerate(FLOORS) if room in rooms)


def test_every_package_has_its_floor() -> None:
    found = {path.stem for path in (ROOT / PACKAGE).iterdir() if path.suffix == ".py"}
    found |= {path.parent.name for path in (ROOT / PACKAGE).glob("*/__init__.py")}
    assert found - {"__init__"} == {room for rooms in FLOORS for room in rooms}


@pytest.mark.parametrize("rooms", FLOORS, ids=lambda rooms: rooms[0])
def test_imports_lead_downwards(rooms: tuple[str, ...]) -> None:
    wrong = [
        f"{one.by} imports {one.what}"
        for one in imports()
        if one.rooms[0] in rooms and floor(one.rooms[1]) >= floor(one.rooms[0])
    ]
    assert wrong == [], "move what both use to a lower floor, such as base"


def test_packages_use_what_others_offer() -> None:
    wrong = [
        f"{one.by} imports {one.what}"
        for one in imports()
        if one.rooms[1] not in OPEN_TO_ALL
        and one.what not in OFFERED
        and not one.what.endswith(".command")
    ]
    assert wrong == [], "move it to a lower floor, or name it in OFFERED"
