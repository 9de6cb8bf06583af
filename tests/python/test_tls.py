"""Who is let in between `lm` or dbt and the server: nobody, once a CA is named."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import TestTarget
from tls_proxy import Authority, Proxy, authority, proxy

from python_scoring.base import tls
from python_scoring.base.errors import ConfigurationError, LmError

OPENSSL = shutil.which("openssl") or ""
pytestmark = pytest.mark.skipif(not OPENSSL, reason="no openssl here to make certificates with")


@pytest.fixture(scope="module")
def authorities(tmp_path_factory: pytest.TempPathFactory) -> tuple[Authority, Authority]:
    """The clinic's own, and somebody else's."""
    folder = tmp_path_factory.mktemp("authorities")
    return authority(folder, OPENSSL, "clinic"), authority(folder, OPENSSL, "stranger")


@contextlib.contextmanager
def behind(
    target: TestTarget, owner: Authority | None, **settings: str | Path
) -> Iterator[tuple[TestTarget, Proxy]]:
    """The target as a client with these settings sees it through a proxy."""
    real = target.load()
    server = (real.host, real.port or 3306) if real.host else str(real.socket)
    with proxy(server, owner) as between:
        named = {f"LM_{name.upper()}": str(value) for name, value in settings.items()}
        place = {
            "LM_HOST": "127.0.0.1",
            "LM_PORT": str(between.port),
            "LM_USER": real.user,
            "LM_PASSWORD": real.password,
            # As a client of the server: the engine's own socket has no TLS to speak of.
            "LM_SOCKET": "",
        }
        name = "mysql" if target.name == "embedded" else target.name
        yield replace(target, name=name, settings=place | named), between


def asked(here: TestTarget) -> tuple[bool, int]:
    """Whether the connection is encrypted, and what the server answers."""
    with closing(here.connect()) as connection, closing(connection.cursor()) as cursor:
        cursor.execute("select 41 + 1")
        return tls.is_encrypted(connection), cursor.fetchone()[0]


def dbt_asks(here: TestTarget) -> tuple[int, str]:
    done = here.dbt("show", "--inline", "select 41 + 1 as answer", check=False)
    return done.returncode, done.stdout + done.stderr


MODES = ("preferred", "required", "verify_ca", "verify_identity")


@pytest.mark.parametrize("mode", MODES)
def test_the_right_authority_lets_in(
    target: TestTarget, authorities: tuple[Authority, Authority], mode: str
) -> None:
    ours, _ = authorities
    with behind(target, ours, ssl_mode=mode, ssl_ca=ours.ca) as (here, _):
        assert asked(here) == (True, 42)


def test_dbt_and_doctor_come_in_by_the_right_authority(
    target: TestTarget, authorities: tuple[Authority, Authority]
) -> None:
    """By the CA alone: then it is verified, as the mysql client does."""
    ours, _ = authorities
    with behind(target, ours, ssl_ca=ours.ca) as (here, _):
        code, said = dbt_asks(here)
        assert code == 0 and "42" in said, said
        assert "verify_ca" in here.lm("doctor").stdout


@pytest.mark.parametrize("mode", ["", "verify_ca", "verify_identity"])
def test_another_authority_is_refused_before_any_login(
    target: TestTarget, authorities: tuple[Authority, Authority], mode: str
) -> None:
    ours, stranger = authorities
    with behind(target, stranger, ssl_mode=mode, ssl_ca=ours.ca) as (here, between):
        with pytest.raises(LmError, match=r"(?i)certificate"):
            asked(here)
        code, said = dbt_asks(here)
        assert code != 0
        assert "certificate" in said.lower()
        assert between.logins == []


@pytest.mark.parametrize("mode", ["verify_ca", "verify_identity"])
def test_a_server_without_tls_gets_no_password(
    target: TestTarget, authorities: tuple[Authority, Authority], mode: str
) -> None:
    """Who sits between may leave out the offer: the login must not go on without it."""
    ours, _ = authorities
    with behind(target, None, ssl_mode=mode, ssl_ca=ours.ca) as (here, between):
        with pytest.raises(LmError, match="SSL is required"):
            asked(here)
        assert dbt_asks(here)[0] != 0
        assert between.logins == []


def test_required_is_no_wish(target: TestTarget) -> None:
    with behind(target, None, ssl_mode="required") as (here, _):
        with pytest.raises(LmError, match="offers no TLS"):
            asked(here)
        code, said = dbt_asks(here)
        assert code != 0 and "offers no TLS" in said
    with behind(target, None) as (here, _):
        assert asked(here) == (False, 42)


def test_disabled_asks_for_none(
    target: TestTarget, authorities: tuple[Authority, Authority]
) -> None:
    ours, _ = authorities
    with behind(target, ours, ssl_mode="disabled") as (here, _):
        assert asked(here) == (False, 42)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"ssl_mode": "sometimes"}, "write one of disabled, preferred"),
        ({"ssl_mode": "verify_identity"}, "needs ssl_ca"),
        ({"ssl_ca": "/nowhere/ca.pem"}, "there is no file /nowhere/ca.pem"),
        ({"ssl_cert": __file__}, "come together"),
    ],
)
def test_settings_that_cannot_be_are_told(
    tmp_path: Path, settings: dict[str, str], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        tls.from_settings(settings, tmp_path)


def test_a_socket_needs_no_authority(tmp_path: Path) -> None:
    found = tls.from_settings({"ssl_mode": "verify_ca"}, tmp_path, has_server=False)
    assert found.driver_options() == {"ssl_disabled": True}
