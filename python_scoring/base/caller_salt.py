"""The salt of caller_key: where it is kept, and the keyed hash that it makes of a number.

LM_CALLER_SALT is the salt where it is set. Elsewhere one is drawn from the system's random bytes
and kept in a file that its owner alone may read, in LM_CALLER_SALT_DIR or `.lm/caller_salts` of the
project's folder. The database never holds a salt, only its fingerprint: which salt its keys were
made with. The file's name is that fingerprint.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import secrets
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from python_scoring.base.errors import ConfigurationError

VARIABLE = "LM_CALLER_SALT"
FOLDER_VARIABLE = "LM_CALLER_SALT_DIR"
# Of a number: what identifies a subscriber of any country well enough, whatever stands before it.
NUMBER_DIGITS = 10
# Hexadecimal digits kept of the 64: RFC 2104 advises half of them at least.
KEY_LENGTH = 32
BLOCK_BYTES = 64
FINGERPRINT_OF = b"operabot-lm: fingerprint of the caller salt"


@dataclass(frozen=True)
class CallerSalt:
    """A salt; it shows itself nowhere."""

    secret: bytes = field(repr=False)

    @property
    def fingerprint(self) -> str:
        """Tells salts apart and gives none away: 32 hexadecimal digits."""
        return hmac.new(self.secret, FINGERPRINT_OF, hashlib.sha256).hexdigest()[:32]

    @property
    def pads(self) -> tuple[str, str]:
        """The key of the inner and of the outer hash as RFC 2104 pads it, in hexadecimal.

        HMAC(number) = H(outer || H(inner || number)): two hashes that SQL can do.
        """
        key = self.secret if len(self.secret) <= BLOCK_BYTES else _sha256(self.secret)
        block = key.ljust(BLOCK_BYTES, b"\0")
        inner, outer = (bytes(byte ^ mask for byte in block) for mask in (0x36, 0x5C))
        return inner.hex(), outer.hex()

    def caller_key(self, number: str) -> str:
        """The caller_key of a number, as models/intermediate/int_calls.sql computes it."""
        digits = number_digits(number).encode()
        return hmac.new(self.secret, digits, hashlib.sha256).hexdigest()[:KEY_LENGTH]


def number_digits(number: str) -> str:
    """The last digits of a number: what is hashed."""
    return "".join(sign for sign in number if sign in "0123456789")[-NUMBER_DIGITS:]


def find(project: Path, fingerprint: str | None) -> CallerSalt:
    """The salt of a database whose keys have this fingerprint; None: of one that has none yet.

    ConfigurationError where LM_CALLER_SALT is not set and the drawn salt is not on this machine:
    with another one every caller would become somebody else.
    """
    if text := os.environ.get(VARIABLE, ""):
        return CallerSalt(text.encode())
    if not fingerprint:
        return _draw(project)
    path = file_of(project, fingerprint)
    try:
        found = CallerSalt(path.read_bytes())
    except FileNotFoundError:
        found = None
    except OSError as error:
        raise ConfigurationError(f"cannot read the salt of caller_key: {error}") from error
    if found is None or found.fingerprint != fingerprint:
        raise ConfigurationError(
            f"the keys of callers in this schema were made with a salt that is not here: {VARIABLE}"
            f" is not set, and {path} does not hold it. Set {VARIABLE} as before, or bring that"
            " file from the machine of the runs so far. If it is lost: `lm rotate-salt` draws"
            " another, with which the next run gives every caller a new key"
        )
    return found


def forget(project: Path, fingerprint: str | None) -> None:
    """Delete the file of a salt that no key is made with any more."""
    if fingerprint:
        with contextlib.suppress(OSError):
            file_of(project, fingerprint).unlink()


def file_of(project: Path, fingerprint: str) -> Path:
    folder = os.environ.get(FOLDER_VARIABLE, "")
    return (Path(folder) if folder else project / ".lm" / "caller_salts") / fingerprint


def _draw(project: Path) -> CallerSalt:
    """A new salt, in its file."""
    salt = CallerSalt(secrets.token_hex(32).encode())
    path = file_of(project, salt.fingerprint)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # 0600 from the first byte on, and whole or not there.
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(salt.secret)
            file.flush()
            os.fsync(file.fileno())
        Path(file.name).replace(path)
    except OSError as error:
        raise ConfigurationError(
            f"cannot keep a salt for caller_key in {path.parent} ({error.strerror}): set {VARIABLE}"
            f" to a long random text, or {FOLDER_VARIABLE} to a folder that this account may write"
        ) from error
    return salt


def _sha256(text: bytes) -> bytes:
    return hashlib.sha256(text).digest()
