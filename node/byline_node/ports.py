"""Whether an address can be listened on, and why not."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from byline_node.errors import ConfigError

EXAMPLE = "/ip4/127.0.0.1/tcp/4737"
_FORM = re.compile(r"/(ip4|ip6)/([^/]+)/tcp/([0-9]{1,5})(?:/ws)?")


def reuse_address_only(sock: socket.socket) -> None:
    """SO_REUSEADDR, so that a restart need not wait for old connections to time out.

    Never SO_REUSEPORT, which libp2p would set for hole punching: with it a second node
    on the same port starts without an error, and takes half of the connections.
    """
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)


def check_can_listen(addresses: Sequence[str]) -> None:
    """ConfigError with the reason, unless all are free TCP ports of this machine."""
    with ExitStack() as stack:
        for address in addresses:
            # Held until all are bound: two of the addresses may be on one port.
            stack.enter_context(_probe(address))


@contextmanager
def _probe(address: str) -> Iterator[None]:
    match = _FORM.fullmatch(address)
    if match is None:
        raise ConfigError(
            f"expected an address to listen on like {EXAMPLE}, got {address!r}"
        )
    family = socket.AF_INET6 if match[1] == "ip6" else socket.AF_INET
    try:
        probe = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise _cannot_listen(address, error) from None
    with probe:
        reuse_address_only(probe)
        if family == socket.AF_INET6:
            probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        try:
            probe.bind((match[2], int(match[3])))
            probe.listen(1)
        except (OSError, OverflowError) as error:
            raise _cannot_listen(address, error) from None
        yield


def _cannot_listen(address: str, error: Exception) -> ConfigError:
    reason = getattr(error, "strerror", None) or str(error)
    return ConfigError(
        f"cannot listen on {address}: {reason}",
        hint="is a node running already? else choose another port in node.toml",
    )
