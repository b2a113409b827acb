"""What one stranger may use in a time: units that come back by the second.

Rule: what something costs is known only when it is done, so a budget is asked first and
charged afterwards; it can be overdrawn by one answer, and then is waited for.  The
number of strangers that are remembered is bounded.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from collections.abc import Callable

MAX_CLIENTS = 4_096


class Budget:
    """`rate` units a second for each client, `burst` of them at once."""

    def __init__(self, rate: float, burst: float, clock: Callable[[], float]) -> None:
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, client: str) -> float:
        """Seconds until this client has something left; 0 if it has."""
        return max(0.0, -self._units(client) / self._rate)

    def takes(self, client: str) -> bool:
        """Charges one unit, if a whole one is left."""
        has_one = self._units(client) >= 1
        if has_one:
            self.charge(client, 1)
        return has_one

    def charge(self, client: str, units: float) -> None:
        """Takes so many; below nothing, if need be."""
        left = self._units(client) - units
        self._left.pop(client, None)
        self._left[client] = left, self._clock()
        if len(self._left) > MAX_CLIENTS:
            self._left.popitem(last=False)

    def _units(self, client: str) -> float:
        now = self._clock()
        left, then = self._left.get(client, (self._burst, now))
        return min(self._burst, left + (now - then) * self._rate)


def owner_of(ip: str) -> str:
    """Who shares a limit: an IPv4 address, or the first 64 bits of an IPv6 address, of
    which anybody has as many as they like.  What is no address is one client."""
    try:
        found = ipaddress.ip_address(ip)
    except ValueError:
        return ""
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    if found.is_loopback:
        return str(found)
    return str(ipaddress.ip_network((int(found) >> 64 << 64, 64)))


def is_loopback(ip: str) -> bool:
    """Whether this is an address of this machine alone."""
    try:
        return ipaddress.ip_address(ip).is_loopback
    except ValueError:
        return False
