"""Following one log in memory: sessions, and peers that twist what they answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tests.support.memory_log import MemoryLog
from tests.support.signed import work

from byline_ledger.cursor import Cursor
from byline_ledger.follow_messages import Request, Response, parse_request
from byline_ledger.follow_server import answer
from byline_ledger.follower import Admit, Ask, Check, Follower, Keep

Twist = Callable[[Request, Response], Response]


def follow(
    one: Follower,
    mine: MemoryLog,
    theirs: MemoryLog,
    *,
    wanted: Sequence[bytes] = (),
    twist: Twist | None = None,
    read_on: bool = True,
) -> list[Request]:
    """Runs a session against a log, whose answers `twist` may change; what it asked."""
    asked = []
    session = one.session(wanted, read_on=read_on)
    action = next(session)
    while True:
        reply = None
        match action:
            case Ask(request):
                asked.append(parse_request(request))
                response = answer(theirs, request)
                if twist is not None:
                    response = twist(asked[-1], response)
                reply = response.to_bytes()
            case Check():
                action.run()
            case Admit(statements):
                mine.append(statements)
            case Keep(cursor):
                assert Cursor.from_bytes(cursor.to_bytes()) == cursor
        try:
            action = session.send(reply)
        except StopIteration:
            return asked


def logs(*counts: int) -> tuple[MemoryLog, MemoryLog, Follower]:
    """Our empty log, a peer's with commits of so many statements, and a follower."""
    mine, theirs = MemoryLog(1), MemoryLog(2)
    for number, count in enumerate(counts):
        theirs.append(work(f"{number}/{i}") for i in range(count))
    return mine, theirs, Follower(lambda: mine)
