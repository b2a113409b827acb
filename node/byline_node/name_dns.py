"""TXT records.  The only file that imports dnspython (extra `names`).

Rule: docs/spec/names.md, "How it is fetched".  DNSSEC is left to the resolver.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any, Final

from byline_ledger.name_check import Fetched
from byline_node.name_fetch import Address

TXT_SECONDS: Final = 5.0
MAX_RECORDS: Final = 64
MAX_RECORD: Final = 1024

MISSING: Final = "the DNS is asked with an extra: pip install 'byline-ledger[names]'"


def txt_records(name: str, server: Address | None, end: float) -> Fetched:
    """The TXT records of a name, with a line's end after each.

    Asked of the system's resolver, or of `server`; by the monotonic time `end`.
    """
    try:
        import dns.exception
        import dns.resolver
    except ImportError:
        return Fetched(failed=MISSING)
    via = f"{server[0]}:{server[1]}" if server else ""
    left = min(TXT_SECONDS, end - time.monotonic())
    if left <= 0:
        return Fetched(failed=f"TXT {name}: no answer in time", via=via)
    try:
        resolver = dns.resolver.Resolver(configure=server is None)
        if server is not None:
            resolver.nameservers, resolver.port = [server[0]], server[1]
        answer = resolver.resolve(name, "TXT", lifetime=left, search=False)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return Fetched(via=via)
    except (dns.exception.Timeout, OSError):
        return Fetched(failed=f"TXT {name}: no answer in time", via=via)
    except (dns.exception.DNSException, ValueError):
        return Fetched(failed=f"TXT {name}: the resolver fails", via=via)
    return Fetched(lines_of(answer), via=via)


def lines_of(answer: Iterable[Any]) -> bytes:
    """The TXT records of an answer of the DNS, a line's end after each."""
    # They have no order of their own; the same answer must always read the same.
    records = sorted(b"".join(one.strings) for one in answer)[:MAX_RECORDS]
    # A line's end parts records here, so one that holds such is none of ours.
    sound = [one for one in records if len(one) <= MAX_RECORD and b"\n" not in one]
    return b"".join(one + b"\n" for one in sound)
