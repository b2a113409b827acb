"""Alarms: each kind convinces, and nothing less than the truth of it does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.memory_log import MemoryLog
from tests.support.signed import work

from byline_ledger import evidence
from byline_ledger.alarm import FORMAT, MAX_ENTRIES, Alarm, alarm_of_notes
from byline_ledger.codec import pack, unpack
from byline_ledger.entry import (
    commitment_entry,
    entry_of,
    retirement_entry,
    statement_entry,
)
from byline_ledger.errors import (
    MalformedError,
    UnsupportedError,
    VerificationError,
)
from byline_ledger.evidence import (
    Commitment,
    Equivocation,
    Fork,
    Leaf,
    Omission,
    Repeat,
)
from byline_ledger.lookup_set import LookupSet
from byline_ledger.merkle import Frontier, consistency_proof, inclusion_proof
from byline_ledger.opening import walk_set

WORKS = [work(f"work {number}") for number in range(80)]
LIE = b"\x66" * 32


def make_log(*, after: int = 0) -> MemoryLog:
    """Commits of 40 and 10 works (leaves 1-40, 42-51), and `after` more."""
    log = MemoryLog(3)
    log.append(WORKS[:40])
    log.append(WORKS[40:50])
    if after:
        log.append(WORKS[50 : 50 + after])
    return log


def with_entries(*entries: bytes) -> MemoryLog:
    """The log of two commits, going on with these entries, and signed."""
    log = make_log()
    for entry in entries:
        log.add_entry(entry)
    log.publish()
    return log


def leaf(log: MemoryLog, index: int) -> Leaf:
    proof = tuple(inclusion_proof(index, log.size, log.node))
    return Leaf(index, log.log[index], proof)


def alarm(log: MemoryLog, said: evidence.Evidence) -> Alarm:
    return Alarm(log.vkey, log.checkpoint, said)


def strings(log: MemoryLog) -> LookupSet:
    return LookupSet.build(sorted(log.strings))


def equivocation() -> Alarm:
    one, two = MemoryLog(3), MemoryLog(3)
    one.append(WORKS[:5])
    two.append(WORKS[5:10])
    return alarm(one, Equivocation(two.checkpoint))


def fork() -> Alarm:
    one, two = make_log(after=3), MemoryLog(3)
    two.append(WORKS[10:30])
    root = Frontier.of(two.size, one.node).root()
    proof = tuple(consistency_proof(two.size, one.size, one.node))
    return alarm(one, Fork(two.checkpoint, root, proof))


def malformed_entry() -> Alarm:
    log = with_entries(b"\x07what", commitment_entry(0, LIE))
    return alarm(log, evidence.Entry((leaf(log, 53),)))


def no_commitment_at_the_end() -> Alarm:
    log = with_entries(statement_entry(WORKS[60]))
    return alarm(log, evidence.Entry((leaf(log, 53),)))


def after_the_end() -> Alarm:
    end = retirement_entry("moved")
    log = with_entries(end, commitment_entry(0, LIE), statement_entry(WORKS[60]))
    return alarm(log, evidence.Entry((leaf(log, 53), leaf(log, 55))))


def repeat() -> Alarm:
    log = with_entries(statement_entry(WORKS[7]), commitment_entry(0, LIE))
    return alarm(log, Repeat((leaf(log, 8), leaf(log, 53))))


def commitment() -> Alarm:
    """The set of 50 works grows by 5, and the log leaves one of them out."""
    log = make_log()
    base = strings(log)
    start = log.size - 1
    walk = walk_set(base, lambda _low, _high: [])
    added = WORKS[50:55]
    for one in added:
        log.add_entry(statement_entry(one))
        for string in entry_of(one).lookup_strings():
            walk.find(string, 1)
    log.add_entry(commitment_entry(base.count + 8, LIE))
    log.add_entry(commitment_entry(base.count + 8, LIE))
    log.publish()
    return alarm(
        log,
        Commitment(
            start,
            Frontier.of(start, log.node).hashes,
            tuple(log.log[start:-1]),
            walk.to_bytes(),
            tuple(consistency_proof(log.size - 1, log.size, log.node)),
        ),
    )


def first_commitment() -> Alarm:
    log = MemoryLog(3)
    log.log, log.nodes = [], {}
    log.add_entry(commitment_entry(1, LIE))
    log.publish()
    return alarm(log, Commitment(0, (), tuple(log.log), b"", ()))


def omission() -> Alarm:
    """Statement 55 is logged; the set that is committed to lacks it."""
    log = with_entries(statement_entry(WORKS[55]))
    committed = strings(log)
    log.add_entry(commitment_entry(committed.count, committed.root))
    log.publish()
    walk = walk_set(committed, lambda _low, _high: [])
    walk.find(entry_of(WORKS[55]).lookup_strings()[0], 1)
    leaves = (leaf(log, 53), leaf(log, log.size - 1))
    return alarm(log, Omission(leaves, walk.to_bytes()))


ALL = [
    equivocation,
    fork,
    malformed_entry,
    no_commitment_at_the_end,
    after_the_end,
    repeat,
    commitment,
    first_commitment,
    omission,
]


@pytest.mark.parametrize("make", ALL)
def test_each_kind_convinces(make: Callable[[], Alarm]) -> None:
    one = make()
    data = one.to_bytes()
    assert Alarm.from_bytes(data) == one
    finding = one.verify()
    assert finding.origin == "log.example/3"
    assert finding.kind == one.kind
    assert "\n" not in finding.text


@pytest.mark.parametrize("make", ALL)
def test_it_convinces_of_the_accused_alone(make: Callable[[], Alarm]) -> None:
    """Under another log's key, or with a note it did not sign, nothing is proven."""
    one, other = make(), MemoryLog(4)
    note = one.note.replace(b"log.example/3", b"log.example/4")
    for wrong in (
        replace(one, vkey=other.vkey),
        replace(one, note=other.checkpoint),
        replace(one, note=note),
        replace(one, note=b"nothing"),
        replace(one, vkey="nobody"),
    ):
        with pytest.raises(VerificationError):
            wrong.verify()


def honest(make: Callable[[MemoryLog], evidence.Evidence]) -> Alarm:
    log = make_log(after=3)
    return alarm(log, make(log))


def honest_commitment(log: MemoryLog, count: int = 1) -> Commitment:
    """The true step from the commitment at 41 to that at 52."""
    old = MemoryLog(3)
    old.append(WORKS[:40])
    walk = walk_set(strings(old), lambda _low, _high: [])
    for one in WORKS[40:50]:
        for string in entry_of(one).lookup_strings():
            walk.find(string, 1)
    return Commitment(
        41,
        Frontier.of(41, log.node).hashes,
        tuple(log.log[41:53]),
        walk.to_bytes(),
        tuple(consistency_proof(53, log.size, log.node)),
    )


def honest_fork(log: MemoryLog) -> Fork:
    small = make_log()
    proof = tuple(consistency_proof(small.size, log.size, log.node))
    return Fork(small.checkpoint, small.root, proof)


def honest_omission(log: MemoryLog) -> Omission:
    walk = walk_set(strings(log), lambda _low, _high: [])
    for string in entry_of(WORKS[50]).lookup_strings():
        walk.find(string, 1)
    return Omission((leaf(log, 53), leaf(log, log.size - 1)), walk.to_bytes())


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda log: Equivocation(log.checkpoint), "of one tree"),
        (lambda _log: Equivocation(make_log().checkpoint), "different sizes"),
        (honest_fork, "a part of this one"),
        (lambda log: Fork(log.checkpoint, LIE, ()), "not a smaller one"),
        (lambda log: replace(honest_fork(log), root=LIE), "proof"),
        (lambda log: evidence.Entry((leaf(log, 0),)), "may stand"),
        (lambda log: evidence.Entry((leaf(log, 5),)), "may stand"),
        (lambda log: evidence.Entry((leaf(log, 41),)), "may stand"),
        (lambda log: evidence.Entry((leaf(log, 0), leaf(log, 5))), "does not end"),
        (lambda log: evidence.Entry((replace(leaf(log, 5), index=6),)), "proof"),
        (lambda log: Repeat((leaf(log, 5), leaf(log, 5))), "at two places"),
        (lambda log: Repeat((leaf(log, 5), leaf(log, 6))), "at two places"),
        (lambda log: Repeat((leaf(log, 0), leaf(log, 41))), "at two places"),
        (honest_commitment, "what the entries make it"),
        (lambda log: replace(honest_commitment(log), opening=b""), "opening"),
        (lambda log: replace(honest_commitment(log), before=()), "frontier"),
        (
            lambda log: replace(
                honest_commitment(log),
                opening=b"\x00" + strings(log).root,
            ),
            "another set",
        ),
        (lambda log: replace(honest_commitment(log), start=42), "proof"),
        (lambda log: replace(honest_commitment(log), proof=()), "proof"),
        (
            lambda log: replace(honest_commitment(log), entries=tuple(log.log[41:52])),
            "proof|commitment",
        ),
        (honest_omission, "shown to be absent"),
        (
            lambda log: replace(
                honest_omission(log), opening=b"\x00" + strings(log).root
            ),
            "shown to be absent",
        ),
        (
            lambda log: replace(
                honest_omission(log), leaves=(leaf(log, 53), leaf(log, 52))
            ),
            "not the last",
        ),
        (
            lambda log: replace(
                honest_omission(log),
                leaves=(leaf(log, 0), leaf(log, log.size - 1)),
            ),
            "a statement and a commitment",
        ),
    ],
)
def test_an_honest_log_cannot_be_accused(
    make: Callable[[MemoryLog], evidence.Evidence], says: str
) -> None:
    with pytest.raises(VerificationError, match=says):
        honest(make).verify()


def test_an_opening_that_is_closed_where_it_matters_proves_nothing() -> None:
    one = commitment()
    assert isinstance(one.evidence, Commitment)
    closed = b"\x00" + strings(make_log()).root
    with pytest.raises(VerificationError, match="closed"):
        replace(one, evidence=replace(one.evidence, opening=closed)).verify()


def test_a_repeated_statement_is_no_false_commitment() -> None:
    """Strings that are there already would make any commitment look wrong."""
    log = make_log()
    start = log.size - 1
    base = strings(log)
    walk = walk_set(base, lambda _low, _high: [])
    for string in entry_of(WORKS[3]).lookup_strings():
        walk.find(string, 1)
    log.add_entry(statement_entry(WORKS[3]))
    log.add_entry(commitment_entry(base.count, base.root))
    log.publish()
    said = Commitment(
        start,
        Frontier.of(start, log.node).hashes,
        tuple(log.log[start:]),
        walk.to_bytes(),
        (),
    )
    with pytest.raises(VerificationError, match="in the set already"):
        alarm(log, said).verify()


def test_a_leaf_that_is_no_entry_is_the_fault_to_name() -> None:
    """And no other: what stands in it is not judged."""
    log = with_entries(b"\x07")
    with pytest.raises(VerificationError, match="a leaf is no log entry"):
        alarm(log, Repeat((leaf(log, 5), leaf(log, 53)))).verify()


def test_two_notes_make_an_alarm_in_either_order() -> None:
    for one in (equivocation(), fork()):
        said = one.evidence
        assert isinstance(said, Equivocation | Fork)
        proof = said.proof if isinstance(said, Fork) else ()
        for notes in ((one.note, said.other), (said.other, one.note)):
            found = alarm_of_notes(one.vkey, notes, proof)
            assert found is not None
            assert found.verify().kind == one.kind


def test_two_notes_that_belong_together_make_none() -> None:
    small, large = make_log(), make_log(after=3)
    proof = tuple(consistency_proof(small.size, large.size, large.node))
    notes = small.checkpoint, large.checkpoint
    assert alarm_of_notes(small.vkey, notes, proof) is None
    assert alarm_of_notes(small.vkey, notes, ()) is None
    assert alarm_of_notes(small.vkey, (notes[0], notes[0]), ()) is None
    other = MemoryLog(4)
    other.append(WORKS[:3])
    assert alarm_of_notes(small.vkey, (notes[0], other.checkpoint), proof) is None


# Bytes


def fields(one: Alarm) -> dict[str, object]:
    value = unpack(one.to_bytes(), max_size=1 << 25, max_depth=3, what="alarm")
    assert isinstance(value, dict)
    return dict(value)


@pytest.mark.parametrize(
    "change",
    [
        {"format": "byline-bundle/1"},
        {"kind": "rumour"},
        {"kind": 1},
        {"more": 1},
        {"note": "text"},
        {"vkey": b"bytes"},
        {"vkey": "x" * 2000},
        {"other": 7},
    ],
)
def test_other_fields_are_malformed(change: dict[str, object]) -> None:
    changed = fields(equivocation()) | change
    data = pack(dict(sorted(changed.items())))  # type: ignore[arg-type]
    with pytest.raises(MalformedError):
        Alarm.from_bytes(data)


@pytest.mark.parametrize(
    ("make", "change"),
    [
        (fork, {"root": b"short"}),
        (fork, {"proof": b"x"}),
        (fork, {"proof": bytes(32 * 129)}),
        (repeat, {"leaves": []}),
        (repeat, {"leaves": [[1, b"", b""]]}),
        (repeat, {"leaves": [[1, b""], [1, b""]]}),
        (repeat, {"leaves": [["1", b"", b""], [1, b"", b""]]}),
        (repeat, {"leaves": [[1, "", b""], [1, b"", b""]]}),
        (repeat, {"leaves": [[1, b"", b"x"], [1, b"", b""]]}),
        (repeat, {"leaves": [1, 2]}),
        (repeat, {"leaves": 3}),
        (repeat, {"leaves": [[2**63, b"", b""], [1, b"", b""]]}),
        (commitment, {"entries": b""}),
        (commitment, {"entries": b"\x00"}),
        (commitment, {"entries": b"\x00\x05abc"}),
        (commitment, {"entries": b"\x00\x00" * (MAX_ENTRIES + 1)}),
        (commitment, {"before": b"x"}),
        (commitment, {"start": "1"}),
        (commitment, {"opening": bytes((16 << 20) + 1)}),
    ],
)
def test_other_values_are_malformed(
    make: Callable[[], Alarm], change: dict[str, object]
) -> None:
    changed = fields(make()) | change
    data = pack(dict(sorted(changed.items())))  # type: ignore[arg-type]
    with pytest.raises(MalformedError):
        Alarm.from_bytes(data)


def test_another_version_is_unsupported() -> None:
    changed = fields(equivocation()) | {"format": "byline-alarm/2"}
    with pytest.raises(UnsupportedError):
        Alarm.from_bytes(pack(changed))  # type: ignore[arg-type]
    assert FORMAT == "byline-alarm/1"


@given(st.sampled_from(ALL), st.integers(0, 10_000), st.integers(1, 255))
def test_a_changed_byte_parses_or_is_malformed_and_never_lies_about_the_log(
    make: Callable[[], Alarm], at: int, change: int
) -> None:
    data = bytearray(make().to_bytes())
    data[at % len(data)] ^= change
    try:
        Alarm.from_bytes(bytes(data)).verify()
    except (MalformedError, UnsupportedError, VerificationError):
        return


@given(st.binary(max_size=300))
def test_any_bytes_are_malformed(data: bytes) -> None:
    with pytest.raises((MalformedError, UnsupportedError)):
        Alarm.from_bytes(data)
