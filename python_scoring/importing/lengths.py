"""Lengths of time in the ways that phone systems and spreadsheets write them, in whole seconds."""

from __future__ import annotations

import re

from python_scoring.importing.texts import is_null

UNITS = ("seconds", "minutes", "clock", "ms")
_FACTORS = {"seconds": 1.0, "minutes": 60.0, "clock": 1.0, "ms": 0.001}
_NUMBER = re.compile(r"-?\d+(?:[.,]\d+)?")
_CLOCK = re.compile(r"(-?)(?:(\d+):)?(\d+):([0-5]?\d)(?:[.,](\d+))?")
_ISO = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:[.,]\d+)?)S)?)?", re.IGNORECASE)
# The longest spelling first; a full stop may follow each.
_WORDS = (
    ("ms", 0.001, r"ms|msec|milliseconds?|мс"),
    ("d", 86_400.0, r"d|days?|tage?|дн(?:ей|я)?|день|сут(?:ки)?|д"),
    ("h", 3_600.0, r"h|hrs?|hours?|std|час(?:а|ов)?|ч"),
    ("m", 60.0, r"min(?:ute)?s?|m|мин(?:ут[аы]?)?|м|'|′"),
    ("s", 1.0, r"sec(?:ond)?s?|s|sek|сек(?:унд[аы]?)?|с|\"|″|''"),
)
_PART = re.compile(
    r"\s*(\d+(?:[.,]\d+)?)\s*(?:" + "|".join(f"(?P<{n}>{w})" for n, _, w in _WORDS) + r")\.?,?\s*",
    re.IGNORECASE,
)
_FACTOR_OF = {name: factor for name, factor, _ in _WORDS}


def seconds_of(text: str, unit: str = "seconds") -> int | None:
    """Seconds, to the nearest; None for a missing value. ValueError says what to write.

    A bare number is in `unit`; h:mm:ss, m:ss, "3 min 12 s", ISO 8601 (PT3M12S) say theirs.
    """
    if text.isdecimal() and unit == "seconds":
        return int(text)
    if is_null(text):
        return None
    text = text.strip().replace("\u00a0", " ").replace("\u202f", " ")
    # Spaces between groups of three digits, as spreadsheets write thousands.
    plain = re.sub(r"(?<=\d) (?=\d{3}(?!\d))", "", text)
    if _NUMBER.fullmatch(plain) and unit != "clock":
        if re.fullmatch(r"-?[1-9]\d{0,2},\d{3}", plain):
            raise ValueError(
                "a comma before three digits can be thousands or a fraction: export plain numbers"
            )
        return rounded(float(plain.replace(",", ".")) * _FACTORS[unit])
    if match := _CLOCK.fullmatch(text):
        sign, hours, minutes, secs, fraction = match.groups()
        if hours and int(minutes) > 59:
            raise ValueError("minutes above 59")
        total = int(hours or 0) * 3600 + int(minutes) * 60 + float(f"{secs}.{fraction or 0}")
        return rounded(-total if sign else total)
    if len(text) > 1 and (iso := _ISO.fullmatch(text)) and any(iso.groups()):
        days, hours, minutes, secs = (float((g or "0").replace(",", ".")) for g in iso.groups())
        return rounded(days * 86_400 + hours * 3600 + minutes * 60 + secs)
    total, place = 0.0, 0
    while place < len(text) and (part := _PART.match(text, place)):
        total += float(part[1].replace(",", ".")) * _FACTOR_OF[str(part.lastgroup)]
        place = part.end()
    if place and place == len(text):
        return rounded(total)
    raise ValueError(f"not a length in {unit}")


def rounded(value: float) -> int:
    """To the nearest whole second, halves up: 0.5 s of talk is an answered call."""
    return int(value + 0.5) if value >= 0 else -int(-value + 0.5)
