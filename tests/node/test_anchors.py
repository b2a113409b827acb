"""Anchors: a real authority's time-stamps and OpenTimestamps files, over loopback."""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from random import Random
from threading import Event

import pytest
from opentimestamps.core.notary import (
    BitcoinBlockHeaderAttestation,
    PendingAttestation,
    UnknownAttestation,
)
from opentimestamps.core.op import OpAppend, OpHexlify, OpSHA1, OpSHA256
from opentimestamps.core.serialize import BytesSerializationContext
from opentimestamps.core.timestamp import DetachedTimestampFile, Timestamp
from tests.fuzz.mutate import mutants
from tests.support.memory_log import MemoryLog
from tests.support.services import Authority, calendar, serialized, serving
from tests.support.signed import work

from byline_ledger.checkpoint import checkpoint_of
from byline_ledger.errors import MalformedError, UsageError, VerificationError
from byline_node import anchor_tsa, anchors, client
from byline_node.anchor_ots import MAX_ANSWER, MAX_FILE, Stamp
from byline_node.anchors import (
    MAX_ANCHOR,
    stamp_by_authority,
    stamp_by_calendars,
    upgrade,
    verify_anchor,
)
from byline_node.errors import NodeUnavailableError

NOTE = MemoryLog(1).checkpoint
NONCE = bytes(range(16))
ask = partial(client.ask_service, limit=MAX_ANCHOR)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def stamped(authority: Authority) -> bytes:
    """A time-stamp of NOTE."""
    with serving(authority.service) as url:
        return stamp_by_authority(NOTE, url, ask)


# RFC 3161


def test_an_authority_says_when_a_checkpoint_existed(authority: Authority) -> None:
    before = int(time.time())
    with serving(authority.service) as url:
        response = stamp_by_authority(NOTE, url, ask)
    found = verify_anchor(response, NOTE, authority.root())
    assert (found.kind, found.by) == ("rfc3161", "CN=Authority for tests")
    assert found.checkpoint == checkpoint_of(NOTE)
    # The end of what its accuracy of 2.5 seconds leaves open.
    assert found.time is not None
    assert before + 3 <= found.time <= time.time() + 3


def test_a_time_stamp_is_of_these_bytes_alone(
    authority: Authority, stamped: bytes
) -> None:
    """Not even another signature line may be added to what was stamped."""
    log = MemoryLog(1)
    log.append([work("more")])
    for other in (log.checkpoint, NOTE.replace(b"log.example", b"bad.example")):
        with pytest.raises(VerificationError, match="Mismatch between messages"):
            verify_anchor(stamped, other, authority.root())


def test_a_time_stamp_is_believed_on_the_word_of_a_named_root_alone(
    authority: Authority, stamped: bytes, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="authority that you name"):
        verify_anchor(stamped, NOTE)
    leaf = (authority.folder / "tsa.pem").read_bytes()
    with pytest.raises(UsageError, match="with a root among them"):
        verify_anchor(stamped, NOTE, leaf)
    stranger = Authority(tmp_path)
    with pytest.raises(VerificationError, match="verifying certificates"):
        verify_anchor(stamped, NOTE, stranger.root())
    assert verify_anchor(stamped, NOTE, authority.root() + leaf).time


@pytest.mark.parametrize("pem", [b"none", b"-----BEGIN CERTIFICATE-----\n"])
def test_certificates_that_are_none_are_malformed(pem: bytes, stamped: bytes) -> None:
    with pytest.raises((MalformedError, UsageError), match="certificates"):
        verify_anchor(stamped, NOTE, pem)


@pytest.mark.parametrize(
    "answer",
    [b"", b"no", b"\x30\x05\x30\x03\x02\x01\x00", bytes(MAX_ANCHOR)],
    ids=["empty", "text", "granted, and no token", "zeros"],
)
def test_an_answer_that_is_no_response_is_malformed(answer: bytes) -> None:
    with (
        serving(lambda _path, _body: (200, answer)) as url,
        pytest.raises(MalformedError, match="expected an RFC 3161 time-stamp response"),
    ):
        stamp_by_authority(NOTE, url, ask)


def test_a_refusal_is_told(authority: Authority) -> None:
    with (
        serving(lambda _path, _body: (200, b"\x30\x05\x30\x03\x02\x01\x02")) as url,
        pytest.raises(VerificationError, match="refuses: status 2"),
    ):
        stamp_by_authority(NOTE, url, ask)


def test_an_answer_to_another_question_is_refused(
    authority: Authority, stamped: bytes
) -> None:
    """A replayed one, though it is of the same bytes, and one of other bytes."""
    with (
        serving(lambda _path, _body: (200, stamped)) as url,
        pytest.raises(VerificationError, match="another question"),
    ):
        stamp_by_authority(NOTE, url, ask)
    question = anchor_tsa.question_about(NOTE)
    other = authority.answer(anchor_tsa.question_about(b"other").data)
    with pytest.raises(VerificationError, match="another question"):
        anchor_tsa.require_answer(other, replace(question, nonce=0))


def test_any_change_to_a_time_stamp_is_refused_or_without_meaning(
    authority: Authority, stamped: bytes
) -> None:
    good = verify_anchor(stamped, NOTE, authority.root())
    for changed in mutants([stamped], 2_000, Random(1)):
        try:
            found = verify_anchor(changed, NOTE, authority.root())
        except (MalformedError, VerificationError):
            continue
        assert found == good


# Services


def test_a_service_is_asked_within_bounds() -> None:
    for status in (301, 404, 500):
        with (
            serving(lambda _path, _body, status=status: (status, b"")) as url,
            pytest.raises(NodeUnavailableError, match=f"status {status}"),
        ):
            stamp_by_authority(NOTE, url, ask)
    with (
        serving(lambda _path, _body: (200, bytes(MAX_ANCHOR + 1))) as url,
        pytest.raises(MalformedError, match=f"at most {MAX_ANCHOR} bytes"),
    ):
        stamp_by_authority(NOTE, url, ask)


def test_a_service_that_does_not_answer_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(client, "SERVICE_SECONDS", 0.2)
    over = Event()

    def stall(_path: str, _body: bytes) -> tuple[int, bytes]:
        over.wait(30)
        return 200, b""

    with serving(stall) as url:
        with pytest.raises(NodeUnavailableError, match="no answer in time"):
            stamp_by_authority(NOTE, url, ask)
        over.set()


def test_a_service_that_is_not_there_is_told_without_its_password() -> None:
    with serving(lambda _path, _body: (200, b"")) as url:
        port = url.rpartition(":")[2]
    with pytest.raises(NodeUnavailableError, match="cannot be reached") as caught:
        stamp_by_authority(NOTE, f"http://me:secret@127.0.0.1:{port}/tsa", ask)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["tsa.example", "ftp://tsa.example", "http://", "::"])
def test_a_service_has_a_url(url: str) -> None:
    with pytest.raises(UsageError, match="expected a URL"):
        stamp_by_authority(NOTE, url, ask)


def test_only_a_checkpoint_is_anchored() -> None:
    with pytest.raises(MalformedError):
        stamp_by_authority(b"anything", "http://127.0.0.1:1", ask)
    with pytest.raises(MalformedError):
        stamp_by_calendars(b"anything", ["http://127.0.0.1:1"], ask, NONCE)


# OpenTimestamps


def test_a_calendar_promises_and_attests_later() -> None:
    with calendar() as server:
        file = stamp_by_calendars(NOTE, [server.url], ask, NONCE)
        (promised,) = verify_anchor(file, NOTE).unchecked
        assert promised.startswith(f"{server.url} has promised to attest to ")
        assert upgrade(file, [server.url], ask) is None
        server.height = 800_000
        later = upgrade(file, [server.url + "/"], ask)
    assert later is not None
    found = verify_anchor(later, NOTE)
    assert (found.kind, found.time, found.by) == ("opentimestamps", None, "")
    assert len(found.unchecked) == 2
    assert any("Bitcoin block 800000 is " in one for one in found.unchecked)


def test_the_calendar_does_not_learn_what_it_stamps() -> None:
    seen: list[bytes] = []

    def note_down(path: str, body: bytes) -> tuple[int, bytes]:
        seen.append(body)
        stamp = Timestamp(body)
        stamp.attestations.add(PendingAttestation("http://a.example"))
        return 200, serialized(stamp)

    with serving(note_down) as url:
        stamp_by_calendars(NOTE, [url], ask, NONCE)
    digest = hashlib.sha256(NOTE).digest()
    assert seen == [hashlib.sha256(digest + NONCE).digest()]


def test_only_calendars_that_were_named_are_asked() -> None:
    """Whatever a file says of others."""
    with calendar() as one, calendar() as two:
        file = stamp_by_calendars(NOTE, [one.url, two.url], ask, NONCE)
        one.height = two.height = 5
        assert upgrade(file, [two.url], ask) is not None
        assert [path for path in one.asked if path != "/digest"] == []
        with pytest.raises(UsageError, match="waits for none") as caught:
            upgrade(file, ["http://127.0.0.1:1"], ask)
    assert caught.value.hint is not None
    assert one.url in caught.value.hint


@pytest.mark.parametrize("calendars", [[], ["http://127.0.0.1:1"] * 9])
def test_calendars_are_named_and_not_too_many(calendars: list[str]) -> None:
    with pytest.raises(UsageError, match="expected 1 to 8 calendars"):
        stamp_by_calendars(NOTE, calendars, ask, NONCE)


def test_a_file_is_of_these_bytes_alone() -> None:
    file = made(lambda stamp: stamp.attestations.add(BitcoinBlockHeaderAttestation(7)))
    assert verify_anchor(file, NOTE)
    with pytest.raises(VerificationError, match="of other bytes"):
        verify_anchor(file, MemoryLog(2).checkpoint)


def made(fill: Callable[[Timestamp], object], message: bytes = NOTE) -> bytes:
    """A file for these bytes with what `fill` puts under their hash."""
    stamp = Timestamp(hashlib.sha256(message).digest())
    fill(stamp)
    context = BytesSerializationContext()
    DetachedTimestampFile(OpSHA256(), stamp).serialize(context)
    data: bytes = context.getbytes()
    return data


def deep(levels: int) -> Callable[[Timestamp], None]:
    def fill(stamp: Timestamp) -> None:
        for _ in range(levels):
            stamp = stamp.ops.add(OpSHA256())
        stamp.attestations.add(BitcoinBlockHeaderAttestation(1))

    return fill


def wide(stamp: Timestamp) -> None:
    for number in range(70):
        inner = stamp.ops.add(OpAppend(bytes([number]))).ops.add(OpSHA256())
        inner.attestations.add(BitcoinBlockHeaderAttestation(number))


def long(stamp: Timestamp) -> None:
    for _ in range(12):
        stamp = stamp.ops.add(OpHexlify())
    stamp.attestations.add(BitcoinBlockHeaderAttestation(1))


def not_a_root(stamp: Timestamp) -> None:
    inner = stamp.ops.add(OpAppend(b"x"))
    inner.attestations.add(BitcoinBlockHeaderAttestation(1))


PLAIN = made(deep(2))
HEAD = PLAIN[: len(DetachedTimestampFile.HEADER_MAGIC)]


@pytest.mark.parametrize(
    "file",
    [
        HEAD,
        PLAIN[:-1],
        PLAIN + b"\0",
        HEAD + b"\x02" + PLAIN[len(HEAD) + 1 :],
        HEAD + b"\xff" * (MAX_FILE - len(HEAD)),
        PLAIN + bytes(MAX_FILE),
        made(deep(255)).replace(b"\x08" * 200, b"\x08" * 300),
        made(wide),
        made(lambda s: s.attestations.add(BitcoinBlockHeaderAttestation(2**40))),
        made(not_a_root),
    ],
    ids=[
        "the head alone",
        "a byte less",
        "a byte more",
        "another version",
        "a version without end",
        "larger than any",
        "too deep",
        "too many attestations",
        "a block that will never be",
        "a root that is no hash",
    ],
)
def test_a_file_out_of_bounds_is_malformed(file: bytes) -> None:
    with pytest.raises(MalformedError) as caught:
        verify_anchor(file, NOTE)
    assert len(str(caught.value)) < 200


def test_operands_do_not_grow_without_end() -> None:
    with pytest.raises(ValueError, match="too long"):
        made(long)
    start = HEAD + b"\x01\x08" + hashlib.sha256(NOTE).digest()
    with pytest.raises(MalformedError):
        verify_anchor(start + b"\xf3" * 300, NOTE)


def test_a_file_over_another_hash_is_malformed() -> None:
    context = BytesSerializationContext()
    stamp = Timestamp(hashlib.sha1(NOTE).digest())
    stamp.attestations.add(BitcoinBlockHeaderAttestation(1))
    DetachedTimestampFile(OpSHA1(), stamp).serialize(context)
    with pytest.raises(MalformedError, match="SHA-256"):
        verify_anchor(context.getbytes(), NOTE)


def test_attestations_of_kinds_not_known_here_are_shown_as_that() -> None:
    file = made(lambda s: s.attestations.add(UnknownAttestation(b"12345678", b"x")))
    (said,) = verify_anchor(file, NOTE).unchecked
    assert "a kind that is not known here" in said


@pytest.mark.parametrize(
    "answer", [b"", b"\xff", bytes(9), bytes(MAX_ANSWER + 1), b"\x08" * 300]
)
def test_a_calendar_that_answers_with_something_else_is_malformed(
    answer: bytes,
) -> None:
    with (
        serving(lambda _path, _body: (200, answer)) as url,
        pytest.raises(MalformedError),
    ):
        stamp_by_calendars(NOTE, [url], ask, NONCE)


def test_any_change_to_a_file_parses_or_is_malformed() -> None:
    files = [PLAIN, made(lambda s: s.attestations.add(PendingAttestation("http://a")))]
    for changed in mutants(files, 2_000, Random(2)):
        try:
            stamp = Stamp.from_bytes(changed)
        except MalformedError:
            continue
        assert Stamp.from_bytes(stamp.to_bytes()).pending() == stamp.pending()


# The extra


@pytest.mark.parametrize(
    ("engine", "anchor"), [("rfc3161_client", b"0"), ("opentimestamps", PLAIN)]
)
def test_without_the_extra_it_says_how_to_get_it(
    engine: str, anchor: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [one for one in sys.modules if one.startswith(engine)]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, engine, None)
    for own in ("anchor_tsa", "anchor_ots"):
        monkeypatch.delitem(sys.modules, f"byline_node.{own}", raising=False)
        monkeypatch.delattr(sys.modules["byline_node"], own, raising=False)
    with pytest.raises(UsageError, match="not installed") as caught:
        anchors.verify_anchor(anchor, NOTE, b"x")
    assert caught.value.hint == 'install it with: pip install "byline-ledger[anchor]"'
