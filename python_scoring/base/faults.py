"""What a database's error means to the one who runs `lm`: a sentence, what to do, an exit code."""

from __future__ import annotations

import errno
import re
from dataclasses import dataclass

import mysql.connector

from python_scoring.base.errors import BusyError, ConfigurationError, LmError


@dataclass(frozen=True)
class Fault:
    """A kind of trouble: the servers' error numbers, and words that one of them must come with."""

    codes: tuple[int, ...]
    what: str
    todo: str
    error: type[LmError]
    words: str = ""

    def matches(self, code: int | None, message: str) -> bool:
        return code in self.codes and bool(re.search(self.words, message, re.IGNORECASE))

    def sentence(self, message: str = "") -> str:
        said = f" ({' '.join(message.split())})" if message else ""
        return f"{self.what}{said}: {self.todo}"


# Of the servers: a row changed meanwhile, too many connections, shutdown, lock wait, deadlock,
# interrupted, a definition that is being changed, killed, offline; of the client: no connection
# (2002, 2003), gone, lost, lost in the handshake (2055).
PASSING = Fault(
    (
        *(1020, 1040, 1053, 1080, 1205, 1213, 1317, 1684, 1927, 3032, 3169),
        *(2002, 2003, 2006, 2013, 2055),
    ),
    "the database was lost, locked or stopped the statement",
    "what is committed stays; run again, `lm run` goes on from there",
    BusyError,
)
READ_ONLY = Fault(
    (1290, 1792, 1836, 1874),
    "the server takes no changes now, it is read-only",
    "name the server that is written to in LM_HOST, or end its read-only mode; then run again",
    ConfigurationError,
    r"read.only",
)
FULL = Fault(
    (3, 1021, 1026, 1030, 1041, 1114, 1135),
    "the server has no room left, on its disk or in its memory",
    "make room there, then run again: what is committed stays",
    LmError,
    r"full|space|28|memory|writing",
)
DENIED = Fault(
    (1044, 1045, 1142, 1143, 1227, 1370, 1698),
    "the account lacks a right",
    "`lm doctor` says which, and how to grant it",
    ConfigurationError,
)
MISSING = Fault(
    (1049, 1054, 1146, 1356),
    "a table or column is not there",
    "run `lm run` or `dbt build` first; `lm doctor` looks at the sources",
    LmError,
)
OTHER = Fault((), "the database refused a statement", "`lm doctor` checks what is needed", LmError)
KINDS = (PASSING, READ_ONLY, FULL, DENIED, MISSING)

# As dbt writes a server's error: its number and SQL state.
NUMBERED = re.compile(r"\b(\d{1,4}) \(\w+\):")
# The same of the driver, whose words may come without a number.
LOST = re.compile(
    r"\b(2002|2003|2006|2013|2055)\b.*(connect|server)"
    r"|MySQL Connection not available|Lost connection|server has gone away",
    re.IGNORECASE,
)


def kind_of(error: mysql.connector.Error) -> Fault:
    """The kind of what the driver raised."""
    message = str(error)
    for fault in KINDS:
        if fault.matches(error.errno, message):
            return fault
    return PASSING if LOST.search(message) else OTHER


def kind_in(message: str) -> Fault:
    """The kind of what a message of dbt tells; OTHER if it names none of the servers' errors."""
    for number in NUMBERED.findall(message):
        for fault in KINDS:
            if fault.matches(int(number), message):
                return fault
    return PASSING if LOST.search(message) else OTHER


def told(error: mysql.connector.Error) -> LmError:
    """The driver's error as one sentence, with its exit code."""
    fault = kind_of(error)
    return fault.error(fault.sentence(str(error)))


def told_of_file(error: OSError) -> LmError:
    """The same of a file or folder of this machine."""
    place = f"{error.filename}: " if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return LmError(f"{place}this machine's disk is full: make room, then run again")
    return ConfigurationError(
        f"{place}{error.strerror or error}: see that the file or folder is there and that this"
        " user may read and write it"
    )
