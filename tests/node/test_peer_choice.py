"""Which of several peers' answers is shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.logs import take_down
from tests.support.signed import TIME, key, signed

from byline_ledger.bundle import Bundle, build_bundle
from byline_ledger.checkpoint import checkpoint_of
from byline_ledger.cosignature import cosign, cosigner_vkey
from byline_ledger.digest import digest_bytes
from byline_ledger.errors import VerificationError
from byline_ledger.log import Ledger
from byline_ledger.note import parse_note
from byline_ledger.policy import Policy
from byline_ledger.query_reader import KnownRoot
from byline_ledger.verify import FAILED, OTHER_FILE, Level
from byline_node.peer_choice import Held, Measure, believable, freshest, hold
from byline_node.peer_query import PeerReply, Replies

PHOTO = digest_bytes(b"a photo")
WITNESS = "witness.example/1"
SEEN = TIME // 1000


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    made = Ledger.init(tmp_path / "node")
    yield made
    made.close()


def reply_of(ledger: Ledger, digest: bytes = PHOTO) -> PeerReply:
    view = ledger.view
    note = view.checkpoint
    root = KnownRoot(
        view.vkey, note, checkpoint_of(note), view.set_count, view.set_root
    )
    bundle = build_bundle(view, digest)
    return PeerReply("/ip4/127.0.0.1/tcp/1/p2p/x", root, bundle)


def held(ledger: Ledger, digest: bytes = PHOTO) -> Held:
    return hold(reply_of(ledger, digest), digest, Measure(), TIME)


def test_the_freshest_answer_that_holds_is_taken(ledger: Ledger) -> None:
    """By the reader's quorum; where none says, of the largest set; one that knows
    something before one that knows nothing; and never one that does not hold."""
    ledger.append([signed(PHOTO)])
    old = held(ledger)
    ledger.append([signed(digest_bytes(bytes([one]))) for one in range(8)])
    new = held(ledger)
    nothing = held(ledger, digest_bytes(b"nobody knows"))
    assert freshest([old, new]) is new
    seen_later = replace(old, fresh=9)
    assert freshest([seen_later, replace(new, fresh=8)]) is seen_later
    levels = (Level("log", FAILED, ""),)
    failed = replace(new, verdict=replace(new.verdict, levels=levels))
    assert freshest([failed, old]) is old
    assert freshest([old, nothing]) is old


def test_an_answer_is_held_against_what_the_reader_has(ledger: Ledger) -> None:
    """The bytes at hand, and the policy: its quorum says how fresh it is."""
    ledger.append([signed(PHOTO)])
    reply = reply_of(ledger)
    assert hold(reply, PHOTO, Measure(work=PHOTO), TIME).verdict.ok
    other = hold(reply, PHOTO, Measure(work=digest_bytes(b"edited")), TIME)
    assert OTHER_FILE in other.verdict.failure()
    rules = policy(ledger)
    assert hold(reply, PHOTO, Measure(rules=rules), TIME).fresh == 0
    signed_by_witness = cosigned(reply)
    assert hold(signed_by_witness, PHOTO, Measure(rules=rules), TIME).fresh == SEEN
    assert hold(signed_by_witness, PHOTO, Measure(), TIME).fresh == 0


def test_a_false_cosignature_makes_nothing_fresh(ledger: Ledger) -> None:
    """It does not hold either, and keeps no other answer from being shown."""
    ledger.append([signed(PHOTO)])
    rules = policy(ledger)
    reply = cosigned(reply_of(ledger), is_false=True)
    false = hold(reply, PHOTO, Measure(rules=rules), TIME)
    assert false.fresh == 0
    assert not false.verdict.ok


def policy(ledger: Ledger) -> Policy:
    """Of the log and one witness."""
    witness = cosigner_vkey(WITNESS, key(2).public)
    lines = [f"log {ledger.view.vkey}", f"witness w {witness}", "quorum w", ""]
    return Policy.from_bytes("\n".join(lines).encode())


def cosigned(reply: PeerReply, *, is_false: bool = False) -> PeerReply:
    """Under a line of the witness, or one that only says to be."""
    assert reply.bundle is not None
    bundle = Bundle.from_bytes(reply.bundle)
    note = parse_note(bundle.checkpoint)
    line = cosign(note.text, WITNESS, key(2), SEEN)
    if is_false:
        broken = line.signature[:-1] + bytes([line.signature[-1] ^ 1])
        line = replace(line, signature=broken)
    changed = replace(bundle, checkpoint=note.with_signature(line).to_bytes())
    return replace(reply, bundle=changed.to_bytes())


def test_what_others_show_beyond_the_one_that_is_taken(ledger: Ledger) -> None:
    """What was taken down is shown as well; what does not hold shows nothing."""
    first, second = signed(PHOTO), signed(PHOTO, key(2))
    ledger.append([first])
    old = held(ledger)
    ledger.append([second])
    take_down(ledger, second)
    new = held(ledger)
    assert new.shown == {first.id, second.id}
    assert (new.beyond(old), old.beyond(new)) == (1, 0)
    levels = (Level("log", FAILED, ""),)
    assert replace(new, verdict=replace(new.verdict, levels=levels)).beyond(old) == 0


def test_only_who_answered_for_a_log_without_an_alarm_is_believed(
    ledger: Ledger,
) -> None:
    good = reply_of(ledger)
    assert good.root is not None
    others = [
        replace(good, bundle=None),
        replace(good, root=None),
        replace(good, problem=VerificationError("it does not hold")),
    ]
    replies = Replies(PHOTO, [*others, good])
    assert believable(replies, {"another log"}) == [good]
    assert believable(replies, {good.root.vkey}) == []
