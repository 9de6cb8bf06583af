"""A server's TLS as somebody between client and server may offer it: for tests of who is let in.

A proxy in front of a real server (MySQL, MariaDB, the embedded engine's socket) that speaks TLS
with the client, with a certificate of its own, and none with the server. MySQL's TLS begins after
the server's greeting, so the greeting is passed on with the mark that TLS is offered, the client's
request for it is answered here, and the numbers of the packets are put right until the login is
done.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

CLIENT_SSL = 0x0800
CONNECT_TIMEOUT = 20.0


@dataclass(frozen=True)
class Authority:
    """A certificate authority of the test's own, and a server's certificate that it has signed."""

    ca: Path
    cert: Path
    key: Path


def authority(folder: Path, openssl: str, name: str) -> Authority:
    """Made with openssl; the certificate is for 127.0.0.1."""
    ca, ca_key = folder / f"{name}.pem", folder / f"{name}.key"
    key, request, cert = (folder / f"{name}-server.{end}" for end in ("key", "csr", "pem"))
    names = folder / f"{name}.cnf"
    names.write_text("subjectAltName = IP:127.0.0.1\n")
    new = [openssl, "req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}"]
    sign = [openssl, "x509", "-req", "-days", "2", "-extfile", names, "-CAcreateserial"]
    for command in (
        [*new, "-x509", "-days", "2", "-keyout", ca_key, "-out", ca],
        [*new, "-keyout", key, "-out", request],
        [*sign, "-in", request, "-CA", ca, "-CAkey", ca_key, "-out", cert],
    ):
        subprocess.run(command, check=True, capture_output=True)
    return Authority(ca, cert, key)


@dataclass
class Proxy:
    """Where it listens, and what clients have said to it before it was closed."""

    port: int = 0
    logins: list[bytes] = field(default_factory=list)


@contextlib.contextmanager
def proxy(server: tuple[str, int] | str, owner: Authority | None) -> Iterator[Proxy]:
    """In front of `server`, host and port or a socket's path; without an owner it has no TLS."""
    state = Proxy()
    listener = socket.create_server(("127.0.0.1", 0))
    state.port = listener.getsockname()[1]
    context = None
    if owner:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(owner.cert, owner.key)

    def serve() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=talk, args=(client,), daemon=True).start()

    def talk(client: socket.socket) -> None:
        with contextlib.suppress(OSError, EOFError), connection_to(server) as backend:
            pass_on(state, client, backend, context)
        with contextlib.suppress(OSError):
            client.close()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield state
    finally:
        listener.close()


def connection_to(server: tuple[str, int] | str) -> socket.socket:
    if isinstance(server, str):
        found = socket.socket(socket.AF_UNIX)
        found.connect(server)
        return found
    return socket.create_connection(server, timeout=CONNECT_TIMEOUT)


def pass_on(
    state: Proxy, client: socket.socket, backend: socket.socket, context: ssl.SSLContext | None
) -> None:
    """The login packet by packet, then bytes both ways."""
    backend.settimeout(None)
    number, greeting = packet(backend)
    send(client, number, offering(greeting, context is not None))
    shift = 0
    number, said = packet(client)
    if context and len(said) == 32 and int.from_bytes(said[:2], "little") & CLIENT_SSL:
        client = context.wrap_socket(client, server_side=True)
        number, said = packet(client)
        shift = 1
    state.logins.append(said)
    flags = int.from_bytes(said[:4], "little") & ~CLIENT_SSL
    send(backend, number - shift, flags.to_bytes(4, "little") + said[4:])
    while True:
        number, told = packet(backend)
        send(client, number + shift, told)
        # OK and error end the login; anything else wants another word of the client's.
        if told[:1] in (b"\x00", b"\xff"):
            break
        if told[:2] == b"\x01\x03":  # "that password is known": an OK follows
            continue
        number, said = packet(client)
        send(backend, number - shift, said)
    back = threading.Thread(target=stream, args=(backend, client), daemon=True)
    back.start()
    stream(client, backend)


def offering(greeting: bytes, is_offered: bool) -> bytes:
    """The server's greeting with TLS among what it can do, or without."""
    at = greeting.index(b"\0", 1) + 1 + 4 + 8 + 1
    flags = int.from_bytes(greeting[at : at + 2], "little")
    flags = flags | CLIENT_SSL if is_offered else flags & ~CLIENT_SSL
    return greeting[:at] + flags.to_bytes(2, "little") + greeting[at + 2 :]


def packet(source: socket.socket) -> tuple[int, bytes]:
    head = exactly(source, 4)
    return head[3], exactly(source, int.from_bytes(head[:3], "little"))


def exactly(source: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        some = source.recv(size - len(found))
        if not some:
            raise EOFError
        found += some
    return found


def send(to: socket.socket, number: int, body: bytes) -> None:
    to.sendall(len(body).to_bytes(3, "little") + bytes([number % 256]) + body)


def stream(source: socket.socket, to: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while some := source.recv(65_536):
            to.sendall(some)
    for one in (source, to):
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
