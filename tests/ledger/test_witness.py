"""A witness: every status of the table, and never two histories, whatever comes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from tests.support.memory_log import MemoryLog
from tests.support.signed import work

from byline_ledger.checkpoint import Checkpoint, checkpoint_of, sign_checkpoint
from byline_ledger.cosignature import cosign, verify_cosignature
from byline_ledger.crypto import SigningKey
from byline_ledger.errors import MalformedError
from byline_ledger.merkle import EMPTY_ROOT, consistency_proof, verify_consistency
from byline_ledger.node_keys import NodeKeys
from byline_ledger.note import (
    MAX_SIGNATURES,
    Note,
    NoteSignature,
    Verifier,
    parse_note,
)
from byline_ledger.witness import (
    MAX_BODY,
    SIZE_TYPE,
    AddCheckpoint,
    Answer,
    Memory,
    decide,
    merge,
    parse_lines,
    parse_size,
)

KEYS = NodeKeys.derive(b"\x05" * 32, "witness.example/" + "0" * 32)
NOW = 1_790_000_000
WITNESS = Verifier.from_text(KEYS.witness_vkey)
REPLAY = Verifier.from_text(KEYS.replay_vkey)


class OneWitness:
    """A witness of one log, with a memory."""

    def __init__(self, log: MemoryLog) -> None:
        self.memory = Memory(log.vkey)
        self.now = NOW
        self.replays = False

    def ask(self, request: bytes) -> Answer:
        origin = self.memory.vkey.split("+")[0]
        answer = decide(
            request,
            lambda name: [self.memory] if name == origin else [],
            KEYS,
            self.now,
            lambda _checkpoint: self.replays,
        )
        if answer.keep is not None:
            self.memory = answer.keep
        return answer

    @property
    def size(self) -> int:
        return self.memory.checkpoint.size if self.memory.checkpoint else 0


def make_log(commits: int = 2) -> MemoryLog:
    log = MemoryLog(2)
    for number in range(commits):
        log.append([work(f"work {number}")])
    return log


def request(log: MemoryLog, old: int, note: bytes | None = None) -> AddCheckpoint:
    proof = consistency_proof(old, log.size, log.node) if old <= log.size else ()
    return AddCheckpoint(old, tuple(proof), note or log.checkpoint)


def text_of(answer: Answer) -> str:
    assert answer.body.endswith(b"\n")
    assert answer.body.count(b"\n") == 1
    assert answer.media_type.startswith("text/plain")
    return answer.body.decode()


# What is cosigned


def test_a_growing_log_is_cosigned_each_time() -> None:
    log = make_log()
    witness = OneWitness(log)
    for number in range(4):
        answer = witness.ask(request(log, witness.size).to_bytes())
        assert answer.status == 200
        (line,) = parse_lines(answer.body)
        note = parse_note(merge(log.checkpoint, [line]))
        assert verify_cosignature(note, WITNESS) == NOW
        assert answer.keep is not None
        assert answer.keep.checkpoint == checkpoint_of(log.checkpoint)
        log.append([work(f"more {number}")])


def test_the_replay_key_signs_what_was_replayed() -> None:
    log = make_log()
    witness = OneWitness(log)
    witness.replays = True
    answer = witness.ask(request(log, 0).to_bytes())
    note = parse_note(merge(log.checkpoint, parse_lines(answer.body)))
    assert verify_cosignature(note, WITNESS) == verify_cosignature(note, REPLAY) == NOW


def test_the_same_again_has_a_new_time_and_never_an_older_one() -> None:
    log = make_log()
    witness = OneWitness(log)
    times = []
    for now in (NOW, NOW + 60, NOW - 1000, NOW + 61):
        witness.now = now
        answer = witness.ask(request(log, witness.size).to_bytes())
        note = parse_note(merge(log.checkpoint, parse_lines(answer.body)))
        times.append(verify_cosignature(note, WITNESS))
    assert times == [NOW, NOW + 60, NOW + 60, NOW + 61]


def test_of_one_key_the_first_line_of_a_merge_counts() -> None:
    """And any of them before what the note had; a note never gets more than fit."""
    text = parse_note(make_log().checkpoint).text
    own, old = (
        NoteSignature("log", b"0000", b"own"),
        NoteSignature("w", b"0001", b"old"),
    )
    first, second = replace(old, signature=b"first"), replace(old, signature=b"second")
    note = Note(text, (own, old)).to_bytes()
    assert parse_note(merge(note, [first, second])).signatures == (own, first)
    crowd = [NoteSignature(f"w{i}", b"0002", b"x") for i in range(MAX_SIGNATURES + 5)]
    merged = parse_note(merge(note, [first, *crowd])).signatures
    assert merged == (own, first, *crowd[: MAX_SIGNATURES - 2])


def test_only_verified_signatures_are_remembered() -> None:
    """A stranger's line under the witness's own name must not get into its memory."""
    log = make_log()
    witness = OneWitness(log)
    fake = NoteSignature(WITNESS.name, WITNESS.id, bytes(72))
    other = cosign(
        parse_note(log.checkpoint).text,
        "x.example/w",
        SigningKey.from_seed(b"x" * 32),
        9,
    )
    note = merge(log.checkpoint, [fake, other])
    answer = witness.ask(request(log, 0, note).to_bytes())
    assert answer.status == 200
    assert witness.memory.note is not None
    kept = parse_note(witness.memory.note)
    assert [one.name for one in kept.signatures] == [log.origin, KEYS.witness_name]
    assert verify_cosignature(kept, WITNESS) == NOW
    assert witness.ask(request(log, log.size).to_bytes()).status == 200


def test_an_empty_log_can_be_cosigned() -> None:
    """Others' logs begin with no leaves."""
    log = make_log()
    empty = sign_checkpoint(Checkpoint(log.origin, 0, EMPTY_ROOT), log.key)
    witness = OneWitness(log)
    assert witness.ask(AddCheckpoint(0, (), empty).to_bytes()).status == 200
    assert witness.ask(request(log, 0).to_bytes()).status == 200
    assert witness.size == log.size


# What is not


def test_an_unknown_log_is_404() -> None:
    other = MemoryLog(9)
    answer = OneWitness(make_log()).ask(request(other, 0).to_bytes())
    assert answer.status == 404
    assert "unknown log" in text_of(answer)


@pytest.mark.parametrize("name", [KEYS.witness_name, KEYS.replay_name])
def test_a_log_under_the_witness_s_own_name_is_404(name: str) -> None:
    key = SigningKey.from_seed(b"y" * 32)
    note = sign_checkpoint(Checkpoint(name, 0, EMPTY_ROOT), key)
    vkey = Verifier(name, 1, key.public).to_text()
    answer = decide(
        AddCheckpoint(0, (), note).to_bytes(), lambda _o: [Memory(vkey)], KEYS, NOW
    )
    assert answer.status == 404


def test_a_signature_that_is_missing_or_fails_is_403() -> None:
    log = make_log()
    witness = OneWitness(log)
    foreign = sign_checkpoint(
        checkpoint_of(log.checkpoint), SigningKey.from_seed(b"z" * 32)
    )
    line = parse_note(log.checkpoint).signatures[0]
    failing = merge(log.checkpoint, [replace(line, signature=bytes(64))])
    for note in (foreign, failing):
        answer = witness.ask(request(log, 0, note).to_bytes())
        assert answer.status == 403
        text_of(answer)
    assert witness.memory.note is None


def test_an_old_size_above_the_checkpoint_s_is_400() -> None:
    log = make_log()
    answer = OneWitness(log).ask(request(log, log.size + 1).to_bytes())
    assert answer.status == 400
    assert str(log.size) in text_of(answer)


@pytest.mark.parametrize("old", [1, 3])
def test_another_old_size_than_the_last_is_409_with_the_last(old: int) -> None:
    log = make_log()
    witness = OneWitness(log)
    answer = witness.ask(request(log, old).to_bytes())
    assert (answer.status, answer.body) == (409, b"0\n")
    assert answer.media_type == SIZE_TYPE
    witness.ask(request(log, 0).to_bytes())
    size = log.size
    log.append([work("later")])
    answer = witness.ask(request(log, old).to_bytes())
    assert parse_size(answer.body) == size


def test_going_back_is_409() -> None:
    """Replayed: a smaller tree than the last, with its own old size."""
    log = make_log()
    first = request(log, 0).to_bytes()
    witness = OneWitness(log)
    assert witness.ask(first).status == 200
    log.append([work("later")])
    assert witness.ask(request(log, witness.size).to_bytes()).status == 200
    assert witness.ask(first).status == 409


def test_what_does_not_extend_is_422_and_comes_with_both_notes() -> None:
    log = make_log()
    witness = OneWitness(log)
    witness.ask(request(log, 0).to_bytes())
    kept = witness.memory
    other = MemoryLog(2)
    other.append([work("another past")])
    other.append([work("another past still")])
    assert other.size == log.size
    same_size = witness.ask(AddCheckpoint(log.size, (), other.checkpoint).to_bytes())
    other.append([work("and on")])
    longer = witness.ask(request(other, log.size).to_bytes())
    for answer in (same_size, longer):
        assert answer.status == 422
        text_of(answer)
        assert answer.contradiction is not None
        assert answer.contradiction.notes[0] == kept.note
    assert witness.memory == kept


@pytest.mark.parametrize(
    "change",
    [
        lambda log: AddCheckpoint(0, (b"x" * 32,), log.checkpoint),
        lambda log: AddCheckpoint(
            0,
            (),
            sign_checkpoint(Checkpoint(log.origin, 0, b"r" * 32), log.key),
        ),
    ],
)
def test_proofs_that_do_not_hold_are_422(change) -> None:  # type: ignore[no-untyped-def]
    log = make_log()
    assert OneWitness(log).ask(change(log).to_bytes()).status == 422


LOG = make_log()
GOOD = request(LOG, 0).to_bytes()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"old 0\n",
        b"old\n\n" + LOG.checkpoint,
        b"old 00\n\n" + LOG.checkpoint,
        b"old +1\n\n" + LOG.checkpoint,
        b"old -1\n\n" + LOG.checkpoint,
        b"old 0 \n\n" + LOG.checkpoint,
        b"old 9223372036854775808\n\n" + LOG.checkpoint,
        b"OLD 0\n\n" + LOG.checkpoint,
        b"old 0\r\n\r\n" + LOG.checkpoint,
        b"old 0\nAAAA\n\n" + LOG.checkpoint,
        b"old 0\n" + b"A" * 43 + b"\n\n" + LOG.checkpoint,
        b"old 0\n" + (b"A" * 43 + b"=\n") * 64 + b"\n" + LOG.checkpoint,
        b"old 0\n\nnot a note",
        b"old 0\n\n" + LOG.checkpoint[:-1],
        b"old 0\n\n" + LOG.checkpoint.replace(b"\n\n", b"\nextension\n\n"),
        b"old 0\n\n" + LOG.checkpoint + LOG.checkpoint.split(b"\n\n")[1] * 100,
        b"old 0\n\n" + bytes(MAX_BODY),
        GOOD + b"\xff",
    ],
)
def test_a_body_of_another_form_is_400(body: bytes) -> None:
    answer = OneWitness(LOG).ask(body)
    assert answer.status == 400
    assert len(text_of(answer)) < 300


@given(st.binary(max_size=400))
def test_any_bytes_are_answered(body: bytes) -> None:
    assert OneWitness(LOG).ask(b"old 0\n\n" + body).status == 400


@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255))
def test_a_changed_byte_is_never_cosigned_as_something_else(
    at: int, change: int
) -> None:
    body = bytearray(GOOD)
    body[at] ^= change
    answer = OneWitness(LOG).ask(bytes(body))
    if answer.status == 200:
        assert answer.keep is not None
        assert answer.keep.checkpoint == checkpoint_of(LOG.checkpoint)


def test_requests_come_back_from_their_bytes() -> None:
    one = request(LOG, 3)
    assert one.proof
    assert AddCheckpoint.from_bytes(one.to_bytes()) == one


@pytest.mark.parametrize("body", [b"", b"\n", b"x", b"12", b" 1\n", b"1\n2\n"])
def test_answers_of_another_form_are_malformed(body: bytes) -> None:
    with pytest.raises(MalformedError):
        parse_lines(body)
    with pytest.raises(MalformedError):
        parse_size(body)


class NeverTwoHistories(RuleBasedStateMachine):
    """Two logs under one key fork again and again; the witness follows one of them.

    A crash between storing and answering keeps the memory and loses the answer.
    """

    def __init__(self) -> None:
        super().__init__()
        self.logs = [MemoryLog(2), MemoryLog(2)]
        self.witness = OneWitness(self.logs[0])
        self.cosigned: list[tuple[MemoryLog, Checkpoint]] = []
        self.number = 0

    @rule(which=st.integers(0, 1), count=st.integers(1, 3))
    def grow(self, which: int, count: int) -> None:
        for _ in range(count):
            self.number += 1
            self.logs[which].append([work(f"{which} {self.number}")])

    @rule(which=st.integers(0, 1), old=st.one_of(st.none(), st.integers(0, 12)))
    def ask(self, which: int, old: int | None) -> None:
        log = self.logs[which]
        size = self.witness.size if old is None else old
        answer = self.witness.ask(request(log, size).to_bytes())
        if answer.status == 200:
            self.cosigned.append((log, checkpoint_of(log.checkpoint)))

    @rule()
    def restart(self) -> None:
        """Only what was stored is left."""
        self.witness.memory = Memory(self.witness.memory.vkey, self.witness.memory.note)

    @invariant()
    def each_extends_the_last(self) -> None:
        for (_, old), (log, new) in zip(self.cosigned, self.cosigned[1:], strict=False):
            proof = consistency_proof(old.size, new.size, log.node)
            verify_consistency(old.size, new.size, old.root, new.root, proof)


TestNeverTwoHistories = NeverTwoHistories.TestCase


def test_a_log_that_lied_is_403_whatever_it_shows() -> None:
    """Also where the old size is wrong: that would be told to nobody else."""
    log = make_log()
    memory = Memory(log.vkey)
    for old in (0, 1):
        answer = decide(
            request(log, old).to_bytes(),
            lambda _origin: [memory],
            KEYS,
            NOW,
            is_alarmed=lambda vkey: vkey == log.vkey,
        )
        assert answer.status == 403
        assert "lied" in text_of(answer)


def test_of_several_logs_of_one_name_the_one_that_signed_is_meant() -> None:
    log, other = make_log(), MemoryLog(9)
    memories = [Memory(other.vkey), Memory(log.vkey)]
    answer = decide(request(log, 0).to_bytes(), lambda _origin: memories, KEYS, NOW)
    assert answer.status == 200
    assert answer.keep is not None
    assert answer.keep.vkey == log.vkey
