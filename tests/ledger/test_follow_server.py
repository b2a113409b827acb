"""The answering side keeps what it has shown for a while, and nothing else."""

from __future__ import annotations

import pytest
from tests.support.memory_log import MemoryLog
from tests.support.signed import work

from byline_ledger import follow_server
from byline_ledger.follow_messages import (
    AskCommitment,
    AskHead,
    AskMeet,
    AskNext,
    Refusal,
    Response,
    Same,
    parse_response,
)
from byline_ledger.follow_server import KEEP_AT_MOST, KEEP_SECONDS, FollowServer, answer
from byline_ledger.lookup_set import LEAF_MAX
from byline_ledger.set_messages import AskLeaves, AskNodes, Place, SetLeaves, SetNodes
from byline_ledger.set_places import ROOT


class Growing:
    """A log whose views are kept apart, as those of `Ledger` are."""

    def __init__(self) -> None:
        self.number = 0
        self.grow(20)

    def grow(self, count: int = 1) -> MemoryLog:
        self.number += count
        self.view = MemoryLog(1)
        self.view.append(work(f"{i}", salt=bytes(16)) for i in range(self.number))
        return self.view


def nodes(log: MemoryLog) -> bytes:
    return AskNodes(log.size, (ROOT,), 2).to_bytes()


def test_a_set_that_was_shown_is_answered_about_while_the_log_grows() -> None:
    log = Growing()
    server = FollowServer(lambda: log.view)
    old = log.view
    server.serve(AskMeet(b"").to_bytes(), 0)
    wanted = answer(old, nodes(old))
    log.grow()
    assert isinstance(wanted, SetNodes)
    assert parse_response(server.serve(nodes(old), 1)) == wanted
    refused = server.answer(nodes(log.view), 1)
    assert refused == Refusal(
        f"the set of {log.view.size} leaves is not at hand any more"
    )
    server.serve(AskCommitment(log.view.size).to_bytes(), 1)
    assert isinstance(server.answer(nodes(log.view), 1), SetNodes)


def test_what_nobody_asks_about_is_let_go() -> None:
    log = Growing()
    server = FollowServer(lambda: log.view)
    server.serve(AskMeet(b"").to_bytes(), 0)
    server.serve(AskMeet(b"").to_bytes(), KEEP_SECONDS)
    server.forget(KEEP_SECONDS + 1)
    assert isinstance(server.answer(nodes(log.view), KEEP_SECONDS + 1), SetNodes)
    server.forget(2 * KEEP_SECONDS + 2)
    assert isinstance(server.answer(nodes(log.view), 2 * KEEP_SECONDS + 2), Refusal)


def test_nothing_is_kept_for_ever() -> None:
    """What is taken down would stay on the disk as long."""
    log = Growing()
    server = FollowServer(lambda: log.view)
    server.serve(AskMeet(b"").to_bytes(), 0)
    now = 0.0
    while now <= KEEP_AT_MOST:
        assert isinstance(server.answer(nodes(log.view), now), SetNodes)
        server.forget(now)
        now += KEEP_SECONDS / 2
    server.forget(now)
    assert isinstance(server.answer(nodes(log.view), now), Refusal)


def met_at_each_size(asked: int | None, most: int | None) -> list[bool]:
    """Of MAX_KEPT + 1 views of a growing log, which can be asked about in the end; view
    `asked` was asked about all the time, if any."""
    log = Growing()
    server = FollowServer(lambda: log.view)
    views = []
    for second in range(follow_server.MAX_KEPT + 1):
        views.append(log.view)
        server.serve(AskMeet(b"").to_bytes(), second, most if second else None)
        if asked is not None and second >= asked:
            server.serve(nodes(views[asked]), second)
        log.grow()
    return [isinstance(server.answer(nodes(one), 9), SetNodes) for one in views]


def test_the_view_that_was_used_longest_ago_makes_room() -> None:
    others = follow_server.MAX_KEPT - 1
    assert met_at_each_size(0, None) == [True, False, *[True] * others]


@pytest.mark.parametrize("asked", [None, 0, 1])
def test_of_a_log_that_grows_fast_what_is_asked_about_is_kept(
    asked: int | None,
) -> None:
    """And the last one: nobody can have another's question refused by meeting us."""
    kept = met_at_each_size(asked, 1)
    last = follow_server.MAX_KEPT
    assert [at for at, there in enumerate(kept) if there] == [
        *([] if asked is None else [asked]),
        last,
    ]


def ask_leaf(log: MemoryLog, place: Place, *digests: bytes) -> Response:
    return answer(log, AskLeaves(log.size, (place,), (digests,)).to_bytes())


def test_places_that_are_not_what_they_are_said_to_be_are_refused() -> None:
    log = Growing().view
    string = log.strings[0]
    assert len(log.strings) > LEAF_MAX
    assert isinstance(ask_leaf(log, ROOT), Refusal)
    for place in (Place.of(string, 576), Place(8, bytes([string[0] ^ 0x80]))):
        request = AskNodes(log.size, (place,), 1)
        assert isinstance(answer(log, request.to_bytes()), Refusal)
    request = AskNodes(log.size + 1, (ROOT,), 1)
    assert isinstance(answer(log, request.to_bytes()), Refusal)


def test_a_place_where_nothing_is_has_no_strings() -> None:
    log = Growing().view
    string = log.strings[0]
    elsewhere = Place(576, bytes(71) + b"\x01")
    assert ask_leaf(log, elsewhere, b"8 bytes.") == SetLeaves((b"\x80",), (b"",))
    assert ask_leaf(log, Place.of(string, 576)) == SetLeaves((b"",), (string,))


def test_a_log_that_has_not_grown_says_so() -> None:
    log = Growing().view
    for request in (AskNext(log.size), AskHead(log.size)):
        assert answer(log, request.to_bytes()) == Same()
        server = FollowServer(lambda: log)
        assert server.answer(request.to_bytes(), 0) == Same()
