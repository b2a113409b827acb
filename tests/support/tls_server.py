"""Web servers with certificates of an authority of their own, on loopback."""

from __future__ import annotations

import datetime as dt
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Page = bytes | int | str | Callable[[BaseHTTPRequestHandler], None]
"""A body, a status, where to go instead, or somebody who answers."""


class Authority:
    """Signs certificates for host names."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = named("authority of a test")
        self.file = folder / "authority.pem"
        constraints = x509.BasicConstraints(ca=True, path_length=None)
        made = self._builder(self._name, self._key).add_extension(constraints, True)
        self._certificate = made.sign(self._key, hashes.SHA256())
        self.file.write_bytes(pem(self._certificate))

    def issue(self, *hosts: str) -> tuple[Path, Path]:
        """Files of a certificate for these hosts and of its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts])
        made = self._builder(named(hosts[0]), key).add_extension(names, False)
        certificate = self._folder / f"{hosts[0]}.pem"
        certificate.write_bytes(pem(made.sign(self._key, hashes.SHA256())))
        secret = self._folder / f"{hosts[0]}.key"
        secret.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return certificate, secret

    def _builder(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey
    ) -> x509.CertificateBuilder:
        now = dt.datetime.now(dt.UTC)
        day = dt.timedelta(days=1)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - day)
            .not_valid_after(now + day)
        )


def named(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


class Handler(BaseHTTPRequestHandler):
    """Answers from a table of host and path, and notes what it was asked."""

    pages: Mapping[str, Page]
    asked: list[tuple[str, dict[str, str]]]

    def do_GET(self) -> None:
        place = f"{self.headers['host'].partition(':')[0]}{self.path}"
        self.asked.append((place, dict(self.headers)))
        page = self.pages.get(place, 404)
        if callable(page):
            page(self)
            return
        status = (
            page if isinstance(page, int) else 302 if isinstance(page, str) else 200
        )
        body = page if isinstance(page, bytes) else b""
        self.send_response(status)
        if isinstance(page, str):
            self.send_header("location", page)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Nobody reads it."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, *_arguments: Any) -> None:
        """A client that hangs up is what some tests are about."""


@contextmanager
def tls_server(
    authority: Authority, pages: Mapping[str, Page], *hosts: str
) -> Iterator[tuple[int, list[tuple[str, dict[str, str]]]]]:
    """The port of a server with a certificate for the hosts, and what it was asked."""
    asked: list[tuple[str, dict[str, str]]] = []
    handler = type("Serving", (Handler,), {"pages": pages, "asked": asked})
    server = Server(("127.0.0.1", 0), handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue(*hosts))
    server.socket = context.wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False
    )
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server.server_port, asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
