"""The keys that stand for callers: HMAC-SHA-256 as Python has it, and where the salt lies."""

from __future__ import annotations

import hashlib
import hmac
import os
import stat
from contextlib import closing
from pathlib import Path
from unittest import mock

import pytest
from conftest import ROOT, TestTarget
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment

from python_scoring.base import caller_salt
from python_scoring.base.caller_salt import CallerSalt
from python_scoring.base.errors import ConfigurationError

SALTS = st.one_of(st.binary(max_size=80), st.sampled_from([b"a" * 64, b"a" * 65, "соль".encode()]))
NUMBERS = st.lists(st.text("0123456789", min_size=1, max_size=10), min_size=1, max_size=20)


def mac(secret: bytes, digits: str) -> str:
    return hmac.new(secret, digits.encode(), hashlib.sha256).hexdigest()[:32]


def test_sql_computes_hmac(target: TestTarget) -> None:
    """Salts longer and shorter than a block, of any bytes, in the very SQL of int_calls."""
    text = (ROOT / "macros" / "shared" / "caller_salt.sql").read_text("utf-8")
    text = text.partition("{% macro set_caller_salt()")[0]
    template = Environment(autoescape=True).from_string(text + "{{ caller_key('%s') }}")
    expression = template.render()
    pads = "set @lm_caller_inner_pad = unhex(%s), @lm_caller_outer_pad = unhex(%s)"
    with closing(target.connect()) as connection, closing(connection.cursor()) as cursor:

        @given(SALTS, NUMBERS)
        def as_python_does(secret: bytes, numbers: list[str]) -> None:
            cursor.execute(pads, CallerSalt(secret).pads)
            cursor.execute("select " + ", ".join([expression.strip()] * len(numbers)), numbers)
            assert list(cursor.fetchone()) == [mac(secret, number) for number in numbers]

        as_python_does()


@given(SALTS, st.text(max_size=30))
def test_python_computes_the_same(secret: bytes, number: str) -> None:
    digits = "".join(sign for sign in number if sign in "0123456789")[-10:]
    assert CallerSalt(secret).caller_key(number) == mac(secret, digits)


def test_salts_show_themselves_nowhere() -> None:
    salt = CallerSalt(b"pepper")
    assert "pepper" not in repr(salt)
    assert salt.fingerprint != CallerSalt(b"peppar").fingerprint
    assert salt.fingerprint != mac(b"pepper", "")


@pytest.fixture
def no_salt_set(tmp_path: Path) -> Path:
    with mock.patch.dict(os.environ, {"LM_CALLER_SALT": "", "LM_CALLER_SALT_DIR": ""}):
        yield tmp_path


def test_a_drawn_salt_is_its_owner_s_alone(no_salt_set: Path) -> None:
    drawn = caller_salt.find(no_salt_set, None)
    another = caller_salt.find(no_salt_set, None)
    assert drawn.secret != another.secret
    # 256 random bits.
    assert len(set(drawn.secret)) > 8 and len(drawn.secret) == 64
    for salt in (drawn, another):
        path = caller_salt.file_of(no_salt_set, salt.fingerprint)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert caller_salt.find(no_salt_set, salt.fingerprint) == salt
    caller_salt.forget(no_salt_set, another.fingerprint)
    assert [path.name for path in path.parent.iterdir()] == [drawn.fingerprint]


def test_a_lost_salt_is_never_replaced_in_silence(no_salt_set: Path) -> None:
    drawn = caller_salt.find(no_salt_set, None)
    path = caller_salt.file_of(no_salt_set, drawn.fingerprint)
    path.write_bytes(b"another")
    with pytest.raises(ConfigurationError, match="rotate-salt"):
        caller_salt.find(no_salt_set, drawn.fingerprint)
    path.unlink()
    with pytest.raises(
        ConfigurationError, match=r"LM_CALLER_SALT is not set, and .* does not hold"
    ):
        caller_salt.find(no_salt_set, drawn.fingerprint)
    # What was in the file serves in the environment too.
    with mock.patch.dict(os.environ, {"LM_CALLER_SALT": drawn.secret.decode()}):
        assert caller_salt.find(no_salt_set, drawn.fingerprint) == drawn
        assert not list(path.parent.iterdir()), "a salt is drawn though one is set"


def test_a_folder_that_takes_no_file_is_told(no_salt_set: Path) -> None:
    (no_salt_set / ".lm").write_text("no folder")
    with pytest.raises(ConfigurationError, match="LM_CALLER_SALT_DIR"):
        caller_salt.find(no_salt_set, None)
