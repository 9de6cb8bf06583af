"""Times of a call log as moments: many formats, epochs, 12 hours, named zones, daylight saving."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from email.utils import parsedate_to_datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from python_scoring.base.errors import ConfigurationError

EPOCH_UNITS = {"epoch": 0, "epoch_s": 1, "epoch_ms": 1_000, "epoch_us": 1_000_000}
WORDS = (*EPOCH_UNITS, "iso", "rfc2822")
TWICE = ("earlier", "later", "reject")
_UTC_NAMES = ("UTC", "GMT", "Z")
_FRACTION = re.compile(r"(:\d\d)[.,]\d+")
_HALF = re.compile(r"\s*([ap])\.?\s?m\.?$", re.IGNORECASE)
_ZONE = re.compile(r"\s*\(?([A-Za-z][A-Za-z_]*(?:/[A-Za-z_+-]+\d*)*)\)?$")
_OFFSET = re.compile(r"([+-])(\d{1,2}):?(\d{2})")


class Ambiguous(ValueError):
    """A local time that comes twice, and the mapping says to reject those."""


def zone_of(name: str) -> tzinfo:
    """Europe/Berlin or +03:00 as a time zone; ConfigurationError when it is neither."""
    if match := _OFFSET.fullmatch(name):
        offset = timedelta(hours=int(match[2]), minutes=int(match[3]))
        return timezone(-offset if match[1] == "-" else offset)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ConfigurationError(
            f"no time zone {name!r}: write one such as Europe/Berlin, or +03:00"
        ) from None


def mistake_in_format(shape: str) -> str | None:
    """Why a format cannot work, with what to write; None when it can."""
    if shape in WORDS:
        return None
    if "%" not in shape:
        return f"a format such as %Y-%m-%d %H:%M:%S, or one of {', '.join(WORDS)}"
    if "%s" in shape:
        return "%s is not read: write epoch, epoch_ms or epoch_us instead of a format"
    if "%p" in shape and "%H" in shape:
        return "%p needs %I: with %H an AM or PM is not heeded"
    if "%I" in shape and "%p" not in shape:
        return "%I needs %p, or write %H for 24 hours"
    if "%Z" in shape and not shape.endswith("%Z"):
        return "%Z must come last"
    try:
        datetime.strptime(datetime(2026, 10, 25, 2, 30).strftime(shape.replace("%Z", "")).strip(),
                          shape.replace("%Z", "").strip())  # fmt: skip
    except ValueError as error:
        return f"not a format: {error}"
    return None


def parser_of(shape: str) -> Callable[[str], datetime]:
    """A function that reads one format; it raises ValueError."""
    if shape in EPOCH_UNITS:
        unit = EPOCH_UNITS[shape]
        return lambda text: from_epoch(text, unit)
    if shape == "iso":
        return from_iso
    if shape == "rfc2822":
        return parsedate_to_datetime
    if shape in ("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S"):
        return from_plain_iso
    zoned = shape.endswith("%Z")
    plain = shape.removesuffix("%Z").rstrip()

    def parse(text: str) -> datetime:
        zone: str | None = None
        if zoned:
            match = _ZONE.search(text)
            if match is None:
                raise ValueError("no zone at the end")
            zone, text = match[1], text[: match.start()]
        if "%p" in plain:
            text = _HALF.sub(lambda m: f" {m[1].upper()}M", text)
        if "%f" not in plain:
            text = _FRACTION.sub(r"\1", text)
        moment = datetime.strptime(text.strip(), plain)
        return moment if zone is None else with_zone_name(moment, zone)

    return parse


def with_zone_name(moment: datetime, zone: str) -> datetime:
    if zone.upper() in _UTC_NAMES:
        return moment.replace(tzinfo=UTC)
    if "/" in zone:
        return moment.replace(tzinfo=zone_of(zone))
    raise ValueError(
        f"zone {zone} is not known: write an offset such as +03:00 or a name such as Europe/Berlin"
    )


def from_plain_iso(text: str) -> datetime:
    # fromisoformat reads much else too: the length keeps it to this one shape.
    if len(text) == 19 and text[4] == "-" and text[13] == ":":
        return datetime.fromisoformat(text)
    if re.fullmatch(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d[.,]\d+", text):
        return datetime.fromisoformat(text[:19])
    raise ValueError("not a time")


def from_iso(text: str) -> datetime:
    """ISO 8601 with any fraction, Z, an offset, or UTC after it."""
    plain = _FRACTION.sub(r"\1", text.strip())
    plain = re.sub(r"\s*(?:UTC|GMT|Z)$", "+00:00", plain)
    if len(plain) < 14:
        raise ValueError("no time of the day")
    return datetime.fromisoformat(re.sub(r"\s+(?=[+-]\d)", "", plain))


def from_epoch(text: str, unit: int = 0) -> datetime:
    """Seconds, milliseconds or microseconds since 1970; unit 0 tells them by their size."""
    number = float(text.replace(",", "."))
    if not unit:
        unit = 1 if number < 1e11 else 1_000 if number < 1e14 else 1_000_000
    if not 0 < number / unit < 4_294_967_295:
        raise ValueError("out of range")
    return datetime.fromtimestamp(int(number // unit), UTC)


# Read where a mapping names no format. Days and months in slashes are told by no one.
GUESSED = (
    "%Y-%m-%d %H:%M:%S", "iso", "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%Y-%m-%d %H:%M",
    "%Y/%m/%d %H:%M:%S", "%d.%m.%y %H:%M:%S", "epoch", "rfc2822",
)  # fmt: skip


class Clock:
    """Reads start times into seconds since 1970 and the clinic's local time."""

    def __init__(
        self, shapes: Sequence[str], zone: tzinfo, clinic: tzinfo, twice: str = "earlier"
    ) -> None:
        self.shapes = list(shapes)
        self.parsers = [parser_of(shape) for shape in self.shapes]
        self.zone, self.clinic, self.twice = zone, clinic, twice
        self.came_twice = 0

    def read(self, text: str) -> datetime:
        """The moment, with its zone; ValueError when no format fits."""
        for place, parser in enumerate(self.parsers):
            try:
                moment = parser(text)
            except (ValueError, TypeError, OverflowError):
                continue
            if place:
                # The format that fits is likely to fit the next line.
                self.parsers.insert(0, self.parsers.pop(place))
                self.shapes.insert(0, self.shapes.pop(place))
            return self.placed(moment)
        raise ValueError(f"not a time as {' or '.join(sorted(self.shapes))}")

    def placed(self, moment: datetime) -> datetime:
        """A time without zone in the file's zone: mind the hours of a change of clocks."""
        if moment.tzinfo is not None:
            return moment.replace(microsecond=0)
        first = moment.replace(tzinfo=self.zone, microsecond=0)
        if isinstance(self.zone, timezone):
            return first
        second = first.replace(fold=1)
        if first.utcoffset() == second.utcoffset():
            return first
        if first.astimezone(UTC).astimezone(self.zone).replace(tzinfo=None) != first.replace(
            tzinfo=None
        ):
            raise ValueError(f"a time that {self.zone} leaves out: the clocks went forward")
        if self.twice == "reject":
            raise Ambiguous(f"a time that comes twice in {self.zone}")
        self.came_twice += 1
        return second if self.twice == "later" else first

    def local(self, moment: datetime) -> datetime:
        return moment.astimezone(self.clinic).replace(tzinfo=None)


def swapped(shape: str) -> str | None:
    """The format with day and month in the other order; None without both as numbers."""
    if "%d" not in shape or "%m" not in shape:
        return None
    return shape.replace("%d", "\0").replace("%m", "%d").replace("\0", "%m")
