"""Services for anchors, on loopback: a time-stamping authority and a calendar.

The authority is OpenSSL's (`openssl ts`), with certificates made for the test; the
calendar is as much of one as its protocol needs.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from opentimestamps.core.notary import (
    BitcoinBlockHeaderAttestation,
    PendingAttestation,
)
from opentimestamps.core.op import OpPrepend, OpSHA256
from opentimestamps.core.serialize import BytesSerializationContext
from opentimestamps.core.timestamp import Timestamp

Answer = tuple[int, bytes]
Service = Callable[[str, bytes], Answer]
"""`service(path, body)`; a GET has no body."""

CONFIG = """
[req]
distinguished_name = dn
prompt = no
[dn]
CN = nobody
[ca]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
[tsa]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
[ts]
default_tsa = authority
[authority]
serial = serial
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
accuracy = secs:2, millisecs:500
ess_cert_id_alg = sha256
"""


@contextmanager
def serving(service: Service) -> Iterator[str]:
    """The URL under which the service answers."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer()

        def do_POST(self) -> None:
            self.answer()

        def answer(self) -> None:
            size = int(self.headers.get("content-length", 0))
            status, body = service(self.path, self.rfile.read(size))
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            if status in (301, 307):
                self.send_header("location", "/elsewhere")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: a client that hangs up is part of some tests."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Authority:
    """OpenSSL's time-stamping authority under a root of its own, in a folder."""

    def __init__(self, folder: Path) -> None:
        if shutil.which("openssl") is None:
            if os.environ.get("CI") == "true":
                pytest.fail("openssl is needed to run a time-stamping authority")
            pytest.skip("there is no openssl to run a time-stamping authority with")
        self.folder = folder
        (folder / "openssl.cnf").write_text(CONFIG)
        (folder / "serial").write_text("01\n")
        new = "-newkey rsa:2048 -nodes -config openssl.cnf"
        self.run(
            f"req -x509 {new} -keyout ca.key -out ca.pem -days 2 -extensions ca",
            "-subj",
            "/CN=Root for tests",
        )
        self.run(
            f"req {new} -keyout tsa.key -out tsa.csr",
            "-subj",
            "/CN=Authority for tests",
        )
        self.run(
            "x509 -req -in tsa.csr -CA ca.pem -CAkey ca.key -CAcreateserial"
            " -out tsa.pem -days 2 -extfile openssl.cnf -extensions tsa"
        )

    def run(self, line: str, *more: str) -> None:
        command = ["openssl", *line.split(), *more]
        done = subprocess.run(
            command, cwd=self.folder, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr

    def root(self) -> bytes:
        return (self.folder / "ca.pem").read_bytes()

    def answer(self, question: bytes) -> bytes:
        """The response, signed now."""
        (self.folder / "q.tsq").write_bytes(question)
        self.run(
            "ts -reply -queryfile q.tsq -out r.tsr -signer tsa.pem -inkey tsa.key"
            " -config openssl.cnf -section authority"
        )
        return (self.folder / "r.tsr").read_bytes()

    def service(self, path: str, body: bytes) -> Answer:
        return 200, self.answer(body)


@dataclass
class CalendarServer:
    """A calendar that promises at once, and attests when `height` is set."""

    url: str = ""
    height: int | None = None
    asked: list[str] = field(default_factory=list)

    def service(self, path: str, body: bytes) -> Answer:
        self.asked.append(path)
        if path == "/digest":
            stamp = Timestamp(body)
            inner = stamp.ops.add(OpPrepend(b"calendar")).ops.add(OpSHA256())
            inner.attestations.add(PendingAttestation(self.url))
            return 200, serialized(stamp)
        if self.height is None or not path.startswith("/timestamp/"):
            return 404, b"not yet"
        stamp = Timestamp(bytes.fromhex(path.removeprefix("/timestamp/")))
        top = stamp.ops.add(OpPrepend(b"block")).ops.add(OpSHA256())
        top.attestations.add(BitcoinBlockHeaderAttestation(self.height))
        return 200, serialized(stamp)


def serialized(stamp: Timestamp) -> bytes:
    context = BytesSerializationContext()
    stamp.serialize(context)
    data: bytes = context.getbytes()
    return data


@contextmanager
def calendar() -> Iterator[CalendarServer]:
    """A calendar that answers at its `url`."""
    server = CalendarServer()
    with serving(server.service) as url:
        server.url = url
        yield server
