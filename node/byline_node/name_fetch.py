"""Fetching where a stranger's profile points, and no further.

Rule (docs/spec/names.md, "How it is fetched"; docs/adr/0031): https alone, no redirect
to another host, few bytes, a total time, and no address of this machine or its network:
a host is looked up once, all its addresses must be public, and one of those very
addresses is connected to.  Python's own client lets an address be given apart from the
host's name, which is why it is used here and not httpx.
"""

from __future__ import annotations

import contextlib
import http.client
import queue
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urljoin, urlsplit

from byline_ledger.did_document import MAX_FETCHED
from byline_ledger.errors import UsageError
from byline_ledger.name_check import Fetched
from byline_ledger.name_proofs import HTTPS_PORT, MAX_PORT, is_domain
from byline_ledger.peer_address import Reach, reach_of_ip

FETCH_SECONDS: Final = 10.0
"""From the look-up of the host to the last byte, over all redirects."""
MAX_REDIRECTS: Final = 3
MAX_ADDRESSES: Final = 4
"""Addresses of a host that are tried."""
PIECE: Final = 8192
MOVED: Final = frozenset({301, 302, 303, 307, 308})
GONE: Final = frozenset({404, 410})
AGENT: Final = "byline"

Address = tuple[str, int]
"""An IP address and a port."""


@dataclass(frozen=True, slots=True)
class Ways:
    """What the reader says of their own network, and is believed; usually nothing."""

    hosts: Mapping[Address, Address] = field(default_factory=dict)
    """Host and port to the address that stands for it, whatever network it is in."""
    ca_file: Path | None = None
    """Certificate authorities to go by instead of the system's."""
    name_server: Address | None = None


def parse_way(text: str) -> tuple[Address, Address]:
    """`HOST=ADDRESS:PORT` or `HOST:PORT=ADDRESS:PORT`; UsageError."""
    named, _, target = text.partition("=")
    host, colon, port = named.partition(":")
    is_port = port.isascii() and port.isdigit() and 1 <= int(port) <= MAX_PORT
    if not is_domain(host) or (colon and not is_port):
        raise UsageError(f"expected HOST=ADDRESS:PORT, got {text[:80]!a}")
    return (host, int(port) if colon else HTTPS_PORT), parse_address(target)


def parse_address(text: str) -> Address:
    """`ADDRESS:PORT`, an IP address in brackets if it is of version 6; UsageError."""
    address, _, port = text.rpartition(":")
    ip = address.removeprefix("[").removesuffix("]")
    is_port = port.isascii() and port.isdigit() and 1 <= int(port) <= MAX_PORT
    try:
        socket.getaddrinfo(ip, None, flags=socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        ip = ""
    if not ip or not is_port:
        raise UsageError(f"expected ADDRESS:PORT, got {text[:80]!a}")
    return ip, int(port)


def fetch(url: str, ways: Ways, end: float) -> Fetched:
    """What an https URL gives, by the monotonic time `end` at the latest."""
    end = min(end, time.monotonic() + FETCH_SECONDS)
    via = ""
    try:
        for _ in range(MAX_REDIRECTS + 1):
            host, port, path = _place(url)
            given = ways.hosts.get((host, port))
            via = f"{given[0]}:{given[1]}" if given else ""
            addresses = [given] if given else look_up(host, port, end)
            answer = _get(host, port, path, addresses, ways.ca_file, end)
            if isinstance(answer, Fetched):
                return Fetched(answer.data, answer.failed, via)
            url = _moved(url, answer)
    except _FetchError as error:
        return Fetched(failed=f"{url}: {error}", via=via)
    return Fetched(failed=f"{url}: more than {MAX_REDIRECTS} redirects", via=via)


class _FetchError(Exception):
    """Why nothing is known; one line."""


def look_up(host: str, port: int, end: float) -> list[Address]:
    """The addresses of a host, all of them public; raises _FetchError."""
    found: queue.SimpleQueue[list[str] | OSError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            info = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found.put([str(one[4][0]) for one in info])
        except (OSError, UnicodeError) as error:
            found.put(OSError(str(error)))

    # The system's resolver keeps its own time: who waits for it must not.
    threading.Thread(target=ask, name="look-up", daemon=True).start()
    try:
        answer = found.get(timeout=max(0.0, end - time.monotonic()))
    except queue.Empty:
        raise _FetchError("no answer in time") from None
    if isinstance(answer, OSError):
        raise _FetchError("its host has no address")
    for address in answer:
        if reach_of_ip(address.partition("%")[0]) is not Reach.PUBLIC:
            raise _FetchError("its host has an address that is not public")
    return [(address, port) for address in dict.fromkeys(answer)][:MAX_ADDRESSES]


def _place(url: str) -> tuple[str, int, str]:
    """Host, port and path of a URL of ours, or of one that a host moved us to."""
    try:
        parts = urlsplit(url)
        port = parts.port or HTTPS_PORT
    except ValueError:
        raise _FetchError("no URL") from None
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    is_sound = parts.scheme == "https" and "@" not in parts.netloc and path.isascii()
    if not is_sound or not path.isprintable() or " " in path:
        raise _FetchError("no https URL")
    host = parts.hostname or ""
    if not is_domain(host):
        raise _FetchError("its host is no public name")
    return host, port, path


def _moved(url: str, location: str) -> str:
    """Where a redirect leads, if that may be followed."""
    try:
        new = urljoin(url, location)
        old_parts, new_parts = urlsplit(url), urlsplit(new)
        same_port = (old_parts.port or HTTPS_PORT) == (new_parts.port or HTTPS_PORT)
    except ValueError:
        raise _FetchError("redirected to what is no URL") from None
    old_host, new_host = (
        (one.hostname or "").removeprefix("www.") for one in (old_parts, new_parts)
    )
    if new_parts.scheme != "https" or not same_port or old_host != new_host:
        raise _FetchError("redirected to another host, which cannot speak for it")
    return new


def _get(
    host: str,
    port: int,
    path: str,
    addresses: list[Address],
    ca_file: Path | None,
    end: float,
) -> Fetched | str:
    """What there is, or where a redirect leads; raises _FetchError."""
    connection = _Connection(host, port, addresses, ca_file, end)
    try:
        connection.request(
            "GET",
            path,
            headers={"accept-encoding": "identity", "user-agent": AGENT},
        )
        response = connection.getresponse()
        moved = response.status in MOVED
        answer = response.headers.get("location", "") if moved else _read(response)
        if time.monotonic() >= end:
            raise TimeoutError  # what was cut looks like what came to its end
        return answer
    except ssl.SSLCertVerificationError as error:
        reason = f"its certificate does not hold: {error.verify_message}"
        raise _FetchError(reason) from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        late = time.monotonic() >= end or isinstance(error, TimeoutError)
        reason = "no answer in time" if late else "it cannot be reached"
        raise _FetchError(reason) from None
    finally:
        connection.close()


def _read(response: http.client.HTTPResponse) -> Fetched:
    if response.status in GONE:
        return Fetched()
    if response.status != http.client.OK:
        raise _FetchError(f"it answers with HTTP status {response.status}")
    encoding = response.headers.get("content-encoding", "identity")
    if encoding.strip().lower() != "identity":
        raise _FetchError("it answers compressed, which was not asked for")
    data = bytearray()
    while piece := response.read(PIECE):
        data += piece
        if len(data) > MAX_FETCHED:
            raise _FetchError(f"it answers with more than {MAX_FETCHED} bytes")
    if response.length:
        raise _FetchError("its answer was cut short")
    return Fetched(bytes(data))


class _Connection(http.client.HTTPSConnection):
    """A connection to given addresses that is cut when its time is over.

    A time-out of the socket alone would begin again with each byte.
    """

    def __init__(
        self,
        host: str,
        port: int,
        addresses: list[Address],
        ca_file: Path | None,
        end: float,
    ) -> None:
        super().__init__(host, port)
        self._addresses = addresses
        self._end = end
        cafile = None if ca_file is None else str(ca_file)
        try:
            self._tls = ssl.create_default_context(cafile=cafile)
        except (OSError, ssl.SSLError) as error:
            raise UsageError(f"{ca_file}: no certificates: {error.strerror}") from None
        self._watch: threading.Timer | None = None

    def connect(self) -> None:
        """Connect to the first address that answers; TLS is for the host's name."""
        raw = self._reach()
        tls = self._tls.wrap_socket(
            raw, server_hostname=self.host, do_handshake_on_connect=False
        )
        self.sock = tls
        self._watch = threading.Timer(self._left(), _cut, (tls,))
        self._watch.daemon = True
        self._watch.start()
        tls.do_handshake()

    def _reach(self) -> socket.socket:
        for address in self._addresses[:-1]:
            try:
                return socket.create_connection(address, self._left() / 2)
            except OSError:
                continue
        return socket.create_connection(self._addresses[-1], self._left())

    def _left(self) -> float:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def close(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
        super().close()


def _cut(tls: ssl.SSLSocket) -> None:
    """Ends all waiting on the socket, from another thread than the one that waits."""
    with contextlib.suppress(OSError):  # it was closed meanwhile
        socket.socket.shutdown(tls, socket.SHUT_RDWR)
