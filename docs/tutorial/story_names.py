"""A name server on this machine for one chapter of the story: TXT records, over UDP."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import dns.message
import dns.rrset


@contextmanager
def name_server(records: Mapping[str, str]) -> Iterator[str]:
    """Answers for names with one TXT record each; its address, as HOST:PORT."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(0.05)
        over = threading.Event()
        thread = threading.Thread(target=answer, args=(server, records, over))
        thread.start()
        host, port = server.getsockname()
        try:
            yield f"{host}:{port}"
        finally:
            over.set()
            thread.join()


def answer(
    server: socket.socket, records: Mapping[str, str], over: threading.Event
) -> None:
    """Until it is over."""
    while not over.is_set():
        try:
            data, sender = server.recvfrom(4096)
        except TimeoutError:
            continue
        asked = dns.message.from_wire(data)
        reply = dns.message.make_response(asked)
        name = asked.question[0].name.to_text(omit_final_dot=True)
        if name in records:
            text = f'"{records[name]}"'
            reply.answer.append(
                dns.rrset.from_text(asked.question[0].name, 60, "IN", "TXT", text)
            )
        server.sendto(reply.to_wire(), sender)
