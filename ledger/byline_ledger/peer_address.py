"""Addresses in peer records: their one spelling, and from where they can be reached.

Rule: only literal IP addresses, in their usual shortest form, so that no name and no
second spelling leads where the limits do not look.  Specification:
docs/spec/network.md, "Peer record".
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

from byline_ledger.errors import MalformedError

MAX_ADDRESS = 64
"""Characters; the longest has 60."""
MAX_PORT = 65_535

_Ip: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network


class Reach(IntEnum):
    """From where an address can be dialled; a higher one from everywhere below it."""

    LOOPBACK = 0
    PRIVATE = 1
    PUBLIC = 2


def _networks(*texts: str) -> tuple[_Network, ...]:
    return tuple(map(ipaddress.ip_network, texts))


# Written out: what Python counts as private differs between its versions.
_LOOPBACK = _networks("127.0.0.0/8", "::1/128")
_PRIVATE = _networks(
    "10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"
)
_NOWHERE = _networks(
    "0.0.0.0/8",
    "169.254.0.0/16",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/3",
    "2001::/23",
    "2001:db8::/32",
    "2002::/16",
)
_WORLD = _networks("0.0.0.0/0", "2000::/3")


@dataclass(frozen=True, slots=True)
class PeerAddress:
    """Where a peer says it can be dialled."""

    text: str
    """Such as `/ip4/93.184.216.34/tcp/4737`."""
    reach: Reach
    network: str
    """What is likely to belong to one owner: limits count by it."""

    @property
    def ip(self) -> str:
        """Of the machine: `93.184.216.34`."""
        return ip_in(self.text)

    @classmethod
    def parse(cls, text: str) -> PeerAddress:
        """Strict, else MalformedError."""
        parts = text.split("/")
        if len(text) > MAX_ADDRESS or "%" in text or len(parts) not in (5, 6):
            raise _bad(text)
        ip = _ip(parts[1], parts[2])
        form = ["", parts[1], str(ip), "tcp", _port(parts[4]), "ws"][: len(parts)]
        if ip is None or parts != form:
            raise _bad(text)
        reach = reach_of(ip)
        if reach is None:
            raise MalformedError(f"{text} is an address that nobody can be reached at")
        return cls(text, reach, network_of(ip, reach) or text)


def passing(texts: Iterable[str], least: Reach) -> list[PeerAddress]:
    """Those of these texts that are addresses of this reach or a higher one."""
    found = []
    for text in texts:
        with suppress(MalformedError):
            address = PeerAddress.parse(text)
            if address.reach >= least:
                found.append(address)
    return found


def ip_in(address: str) -> str:
    """The A of `/ip4/A/tcp/P`; empty if there is none."""
    parts = address.split("/")
    return parts[2] if len(parts) > 2 else ""


def reach_of_ip(text: str) -> Reach | None:
    """Of the other end of a connection; None where it is no address, or of no use."""
    try:
        ip = ipaddress.ip_address(text)
    except ValueError:
        return None
    return reach_of(ip)


def network_of_ip(text: str) -> str:
    """The network that the other end of a connection counts to; itself on loopback."""
    reach = reach_of_ip(text)
    if reach is None:
        return text
    return network_of(ipaddress.ip_address(text), reach) or text


def reach_of(ip: _Ip) -> Reach | None:
    """Loopback, private, public; None for all that is nothing of these."""
    for networks, reach in (
        (_LOOPBACK, Reach.LOOPBACK),
        (_PRIVATE, Reach.PRIVATE),
        (_NOWHERE, None),
        (_WORLD, Reach.PUBLIC),
    ):
        if _within(ip, networks):
            return reach
    return None


def network_of(ip: _Ip, reach: Reach) -> str:
    """Empty on loopback, where each address is one."""
    if reach is Reach.LOOPBACK:
        return ""
    is_public, is_short = reach is Reach.PUBLIC, ip.version == 4
    bits = (16 if is_short else 32) if is_public else (24 if is_short else 64)
    return str(ipaddress.ip_network((ip, bits), strict=False))


def _within(ip: _Ip, networks: Sequence[_Network]) -> bool:
    return any(ip in one for one in networks if one.version == ip.version)


def _ip(kind: str, text: str) -> _Ip | None:
    try:
        if kind == "ip4":
            return ipaddress.IPv4Address(text)
        return ipaddress.IPv6Address(text) if kind == "ip6" else None
    except ValueError:
        return None


def _port(text: str) -> str:
    """The one spelling of a port; empty if it is none."""
    if not (text.isascii() and text.isdigit() and len(text) <= 5):
        return ""
    number = int(text)
    return str(number) if 1 <= number <= MAX_PORT else ""


def _bad(text: str) -> MalformedError:
    shown = ascii(text[:MAX_ADDRESS])
    return MalformedError(
        f"expected an address like /ip4/93.184.216.34/tcp/4737, got {shown}"
    )
