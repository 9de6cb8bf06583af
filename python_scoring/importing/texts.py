"""What a field of a call log says: nothing, a phone number, an extension, a name."""

from __future__ import annotations

import re
from functools import lru_cache

import phonenumbers

# Written where there is nothing.
NULLS = frozenset(
    ("", "-", "--", "—", "–", "n/a", "na", "#n/a", "null", "(null)", "<null>", "none", "nan", "\\n")
)
# Written where the caller hides the number.
HIDDEN = frozenset(
    (
        "anonymous", "anonymous caller", "restricted", "private", "private number", "unavailable",
        "unknown", "unknown caller", "withheld", "blocked", "hidden", "no caller id",
        "anonymous.invalid",
        "скрыт", "скрытый", "скрытый номер", "аноним", "анонимный", "номер скрыт", "не определен",
        "не определён", "неизвестный", "неизвестно", "0",
    )
)  # fmt: skip
_DAMAGED = re.compile(r"[+-]?\d+(?:[.,]\d+)?[eE]\+?\d+")
# Seven digits or more in a row, with the signs that numbers are broken up by.
_PHONE = re.compile(r"\d(?:[\s().+/-]{0,3}\d){6,}")
_EXTENSION = re.compile(r"(?:;ext=|\s*(?:доб|ext|вн|x|#)\.?\s*|,+|;)\d{1,6}\s*$", re.IGNORECASE)
_SCHEME = re.compile(r"^(?:sips?|tel|callto|whatsapp|client):", re.IGNORECASE)
_ANGLE = re.compile(r"<([^<>]*)>\s*$")
DAMAGED = (
    "a spreadsheet shortened the number and its last digits are lost: "
    "export again and do not open the file in a spreadsheet, or import the .xlsx itself"
)


def is_null(text: str) -> bool:
    return text.strip().casefold() in NULLS


def looks_like_phone(text: str) -> bool:
    """Whether a text holds what may be somebody's phone number: seven digits or more."""
    return bool(_PHONE.search(text)) or bool(_DAMAGED.fullmatch(text.strip()))


def masked(text: str) -> str:
    """The text with every phone number in it hidden."""
    return _PHONE.sub("***", text)


@lru_cache(maxsize=100_000)
def number_of(text: str, country: str = "") -> str | None:
    """The digits of a number or extension; '' when hidden or missing, None when it is neither.

    With `country` (DE, RU, ...) national numbers become international ones. Raises ValueError
    for a number that a spreadsheet has damaged.
    """
    text = text.strip().strip("'").strip()
    if is_null(text) or text.casefold() in HIDDEN:
        return ""
    if _DAMAGED.fullmatch(text):
        raise ValueError(DAMAGED)
    if match := _ANGLE.search(text):
        text = match[1].strip()
        if is_null(text) or text.casefold() in HIDDEN:
            return ""
    bare = re.sub(r"[.,]0+$", "", _SCHEME.sub("", text).split("@")[0].split(";")[0])
    bare = _EXTENSION.sub("", bare).strip()
    digits = re.sub(r"\D", "", bare)
    if not digits or re.sub(r"[\d\s().+/*#-]", "", bare):
        return None
    if country and len(digits) > 6:
        try:
            parsed = phonenumbers.parse(bare, country)
        except phonenumbers.NumberParseException:
            return digits
        if phonenumbers.is_possible_number(parsed):
            return f"{parsed.country_code}{phonenumbers.national_significant_number(parsed)}"
    return digits
