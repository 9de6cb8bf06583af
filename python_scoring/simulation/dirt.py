"""How the simulated tables are soiled: the traps real rows set.

Every helper takes whole arrays and the run's random generator.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Texts = npt.NDArray[np.object_]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

# What a writer that stringifies everything leaves where a null should be.
NULL_TEXTS: tuple[str | None, ...] = (None, "None", "nan", "null", "")
NULL_SHARES = (0.45, 0.20, 0.15, 0.08, 0.12)
HIDDEN_NUMBERS = ("", "anonymous", "Anonymous", "unknown", "0")

# No subscriber of the Russian numbering plan has area code 000, 001 or 002.
CLIENT_AREA, MACHINE_AREA, CLINIC_AREA = "000", "001", "002"
NUMBER_STEP = 7_919_317


def objects(values: Sequence[Any]) -> Texts:
    """A list as an object array, nulls kept as None."""
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def choice(random: np.random.Generator, values: Sequence[Any], n: int, p: Any = None) -> Texts:
    weights = None if p is None else np.asarray(p, dtype=float) / np.sum(p)
    return objects(values)[random.choice(len(values), n, p=weights)]


def where(random: np.random.Generator, share: float | Floats, n: int) -> Flags:
    return np.asarray(random.random(n) < share)


def blank(random: np.random.Generator, n: int) -> Texts:
    """Nulls, most of them written as some text."""
    return choice(random, NULL_TEXTS, n, NULL_SHARES)


def with_blanks(random: np.random.Generator, values: Texts, keep: Flags) -> Texts:
    """The values where `keep`, elsewhere and where null some writing of a null."""
    present = np.array([v is not None for v in values]) & keep
    return np.asarray(np.where(present, values, blank(random, len(values))))


def soil(random: np.random.Generator, values: Texts, share: float) -> Texts:
    """Stray spaces, another case, ё for е and back, on a share of the texts."""
    ways: tuple[Callable[[str], str], ...] = (
        lambda text: f" {text}",
        lambda text: f"{text}  ",
        lambda text: text.replace(" ", "  "),
        str.upper,
        str.lower,
        lambda text: text.replace("приеме", "приёме").replace("Алёна", "Алена"),
    )
    result = values.copy()
    for i in np.flatnonzero(random.random(len(values)) < share):
        if isinstance(result[i], str):
            result[i] = ways[int(random.integers(len(ways)))](result[i])
    return result


def phone_digits(caller: int) -> str:
    """Ten digits of a caller: a fixed shuffle, so that neighbours look unlike."""
    if caller < 0:
        return f"{MACHINE_AREA}{-caller:07d}"
    return f"{CLIENT_AREA}{caller * NUMBER_STEP % 10_000_000:07d}"


def phones(random: np.random.Generator, digits: Sequence[str]) -> Texts:
    """The same number is written in different ways from call to call."""
    style = random.choice(5, len(digits), p=[0.45, 0.25, 0.15, 0.1, 0.05])
    return objects([write_phone(d, int(s)) for d, s in zip(digits, style, strict=True)])


def write_phone(digits: str, style: int) -> str:
    a, b, c, d = digits[:3], digits[3:6], digits[6:8], digits[8:]
    return (
        f"7{digits}",
        f"+7{digits}",
        f"8{digits}",
        f"+7 ({a}) {b}-{c}-{d}",
        f"8 {a} {b} {c} {d}",
    )[style]
