"""A name server on loopback that knows a few TXT records."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import dns.flags
import dns.message
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.ANY.TXT
import dns.rrset

Records = Sequence[bytes] | str
"""TXT records of a name; or `fails`, `silent`, `nothing` (the name, and no TXT)."""


@contextmanager
def dns_server(zone: Mapping[str, Records]) -> Iterator[tuple[str, int]]:
    """The address of a server for these names; another name does not exist."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 0))
    server.settimeout(0.05)
    over = threading.Event()

    def serve() -> None:
        while not over.is_set():
            try:
                data, peer = server.recvfrom(4096)
            except TimeoutError:
                continue
            said = answer(dns.message.from_wire(data), zone)
            if said is not None:
                server.sendto(said.to_wire(max_size=65_535), peer)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield server.getsockname()
    finally:
        over.set()
        thread.join()
        server.close()


def answer(
    asked: dns.message.Message, zone: Mapping[str, Records]
) -> dns.message.Message | None:
    name = asked.question[0].name
    records = zone.get(name.to_text(omit_final_dot=True))
    if records == "silent":
        return None
    said = dns.message.make_response(asked)
    said.flags |= dns.flags.RA
    if records is None:
        said.set_rcode(dns.rcode.NXDOMAIN)
    elif records == "fails":
        said.set_rcode(dns.rcode.SERVFAIL)
    elif not isinstance(records, str):
        said.answer.append(txt_set(name, records))
    return said


def txt_set(name: dns.name.Name, records: Sequence[bytes]) -> dns.rrset.RRset:
    found = dns.rrset.RRset(name, dns.rdataclass.IN, dns.rdatatype.TXT)
    for one in records:
        pieces = tuple(one[i : i + 255] for i in range(0, len(one), 255)) or (b"",)
        found.add(
            dns.rdtypes.ANY.TXT.TXT(dns.rdataclass.IN, dns.rdatatype.TXT, pieces), 60
        )
    return found
