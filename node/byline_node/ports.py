"""Whether an address can be listened on, and why not."""

from __future__ import annotations

import re
import socket

from byline_node.errors import ConfigError

EXAMPLE = "/ip4/127.0.0.1/tcp/4737"
_FORM = re.compile(r"/(ip4|ip6)/([^/]+)/tcp/([0-9]{1,5})")


def reuse_address_only(sock: socket.socket) -> None:
    """SO_REUSEADDR, so that a restart need not wait for old connections to time out.

    Never SO_REUSEPORT, which libp2p would set for hole punching: with it a second node
    on the same port starts without an error, and takes half of the connections.
    """
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)


def check_can_listen(address: str) -> None:
    """ConfigError with the reason, unless the address is a free TCP port of ours."""
    match = _FORM.fullmatch(address)
    if match is None:
        raise ConfigError(
            f"expected an address to listen on like {EXAMPLE}, got {address!r}"
        )
    family = socket.AF_INET6 if match[1] == "ip6" else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        reuse_address_only(probe)
        try:
            probe.bind((match[2], int(match[3])))
            probe.listen(1)
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise ConfigError(
                f"cannot listen on {address}: {reason}",
                hint="is a node running already? choose another port in node.toml",
            ) from None
