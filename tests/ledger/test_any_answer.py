"""Whatever a peer answers to whatever it was asked, a session ends with our own errors.

The answers are of every kind, true to the peer's log or wrong in any field; notes are
signed by the peer, who can sign whatever it likes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import fields, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.following import follow
from tests.support.memory_log import MemoryLog
from tests.support.signed import forged, work

from byline_ledger import follower
from byline_ledger.checkpoint import Checkpoint, sign_checkpoint
from byline_ledger.entry import commitment_entry, statement_entry
from byline_ledger.errors import BylineError
from byline_ledger.follow_messages import (
    Commitment,
    Entries,
    Envelopes,
    Equal,
    Head,
    Met,
    News,
    Refusal,
    Request,
    Response,
    Same,
)
from byline_ledger.follower import Follower
from byline_ledger.merkle import EMPTY_ROOT, Frontier
from byline_ledger.set_messages import SetLeaves, SetNodes

OURS = [work(f"ours {n}") for n in range(6)]
THEIRS = [*OURS[:4], *(work(f"theirs {n}") for n in range(4))]


def make_peer() -> MemoryLog:
    peer = MemoryLog(2)
    for start in range(0, len(THEIRS), 3):
        peer.append(THEIRS[start : start + 3])
    return peer


PEER, OTHER = make_peer(), MemoryLog(3)
GROWN = make_peer()
GROWN.append([work("late")])


def notes() -> st.SearchStrategy[bytes]:
    """The peer's own, of its tree and of others, and somebody else's."""
    sizes = st.integers(0, PEER.size + 2)
    roots = st.sampled_from([PEER.root, GROWN.root, EMPTY_ROOT, bytes(32)])
    made = st.builds(
        lambda size, root: sign_checkpoint(
            Checkpoint(PEER.origin, size, root), PEER.key
        ),
        sizes,
        roots,
    )
    known = st.sampled_from([PEER.checkpoint, GROWN.checkpoint, OTHER.checkpoint])
    return known | made | st.just(b"")


ENTRY = st.sampled_from(
    [
        *GROWN.log,
        commitment_entry(0, EMPTY_ROOT),
        commitment_entry(9, bytes(32)),
        statement_entry(work("unseen")),
        b"",
        b"\x07",
    ]
)
ENVELOPE = st.sampled_from(
    [*GROWN.bodies.values(), forged(THEIRS[6]).to_envelope(), b"", b"\xc0"]
)
HASH = st.sampled_from([*GROWN.nodes.values(), bytes(32)])


def some(item: st.SearchStrategy[bytes]) -> st.SearchStrategy[tuple[bytes, ...]]:
    return st.just(()) | st.lists(item, max_size=9).map(tuple)


def slices() -> st.SearchStrategy[tuple[bytes, ...]]:
    ends = st.integers(0, GROWN.size)
    return st.builds(lambda low, high: tuple(GROWN.log[low:high]), ends, ends)


FIELDS: dict[str, st.SearchStrategy[object]] = {
    "note": notes(),
    "vkey": st.sampled_from([PEER.vkey, OTHER.vkey, "", "no key"]),
    "entry": ENTRY,
    "entries": some(ENTRY) | slices(),
    "proof": some(HASH),
    "frontier": some(HASH) | st.just(Frontier.of(PEER.size - 1, PEER.node).hashes),
    "envelopes": some(ENVELOPE),
    "openings": some(st.binary(max_size=80)),
    "absent": some(st.sampled_from([b"", b"\0", b"\x80"])),
    "strings": some(some(st.sampled_from(GROWN.strings)).map(b"".join)),
    "error": st.sampled_from(["", "no", "\n"]),
}
KINDS = [
    Same, Equal, Refusal, News, Head, Met, Commitment, Entries, Envelopes, SetNodes,
    SetLeaves,
]  # fmt: skip


def made(kind: type[Response]) -> st.SearchStrategy[Response]:
    return st.builds(kind, **{one.name: FIELDS[one.name] for one in fields(kind)})


@st.composite
def twisted(draw: st.DrawFn, response: Response) -> Response:
    """The answer with any of its fields changed, or another one."""
    if draw(st.booleans()):
        return draw(st.sampled_from(KINDS).flatmap(made))
    names = [one.name for one in fields(response)]
    changed = draw(st.sets(st.sampled_from(names))) if names else ()
    return replace(response, **{name: draw(FIELDS[name]) for name in sorted(changed)})


@pytest.fixture(scope="module", autouse=True)
def _short_ways() -> Iterator[None]:
    """Small logs are compared as large ones are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(follower, "WORTH_A_JUMP", 2)
        patch.setattr(follower, "WORTH_A_DESCENT", 3)
        yield


@settings(max_examples=400)
@given(data=st.data(), honest=st.integers(0, 6), met=st.booleans())
def test_any_answer_is_borne(data: st.DataObject, honest: int, met: bool) -> None:
    """After so many honest answers there is an error of ours, or a good end."""
    mine = MemoryLog(1)
    mine.append(OURS)
    one = Follower(lambda: mine)
    if met:
        follow(one, mine, PEER)
    left = [honest]

    def twist(_asked: Request, response: Response) -> Response:
        left[0] -= 1
        return response if left[0] >= 0 else data.draw(twisted(response))

    peer = GROWN if met else PEER
    for _session in range(2):
        with suppress(BylineError):
            follow(one, mine, peer, wanted=[bytes(32)], twist=twist)
    assert {one.id for one in OURS} <= mine.bodies.keys()
