"""Anchors: another's word that the bytes of a checkpoint existed at some time.

Rule: an anchor is a file of its own beside the exact bytes of a signed checkpoint, made
and checked without changing them.  It says when, never what: whoever signed two
histories can have both anchored, so an anchor is no evidence that a log is consistent.
Specification: docs/spec/anchor.md.

Two kinds, each with one engine in one file, both of the extra `anchor`: time-stamps of
an RFC 3161 authority (anchor_tsa.py) and OpenTimestamps (anchor_ots.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from byline_ledger.checkpoint import Checkpoint, checkpoint_of
from byline_ledger.errors import UsageError
from byline_node.calls import Reply
from byline_node.errors import NodeUnavailableError

MAX_ANCHOR = 65_536
"""Bytes of an anchor, and of what a service may answer."""
OTS_MAGIC = b"\x00OpenTimestamps\x00"
"""How every OpenTimestamps file begins, and no time-stamp response."""

MAX_CALENDARS = 8

Ask = Callable[[str, bytes | None, str], Reply]
"""`ask(url, body, media type)`: POST, or GET where there is no body."""


@dataclass(frozen=True, slots=True)
class Anchored:
    """What an anchor says of a checkpoint, and what of that was checked."""

    kind: str
    """`rfc3161` or `opentimestamps`."""
    checkpoint: Checkpoint
    """What was anchored says so; whether its log signed it is another question."""
    time: int | None
    """It existed at this time (Unix seconds); None where no time is proven."""
    by: str
    """On whose word."""
    unchecked: tuple[str, ...]
    """What the file refers to that is not at hand, in words."""


def stamp_by_authority(note: bytes, url: str, ask: Ask) -> bytes:
    """The time-stamp response of an RFC 3161 authority for a checkpoint's bytes.

    Its signature is for `verify_anchor` to judge.  Raises MalformedError for bytes that
    are no checkpoint or no response, VerificationError for a response to something
    else or a refusal, NodeUnavailableError.
    """
    from byline_node import anchor_tsa

    checkpoint_of(note)
    question = anchor_tsa.question_about(note)
    reply = ask(url, question.data, anchor_tsa.QUESTION_TYPE)
    anchor_tsa.require_answer(good(url, reply), question)
    return reply.body


def stamp_by_calendars(
    note: bytes, calendars: Sequence[str], ask: Ask, nonce: bytes
) -> bytes:
    """An OpenTimestamps file for a checkpoint's bytes, pending at these calendars.

    `nonce` (16 random bytes) keeps the calendars from knowing what they stamped.
    Raises MalformedError, or NodeUnavailableError where any of them does not answer.
    """
    from byline_node import anchor_ots

    checkpoint_of(note)
    require_calendars(calendars)
    stamp = anchor_ots.Stamp.of(note, nonce)
    for calendar in calendars:
        url = f"{calendar.rstrip('/')}/digest"
        reply = ask(url, stamp.commitment, anchor_ots.DIGEST_TYPE)
        stamp.add(stamp.commitment, good(url, reply))
    return stamp.to_bytes()


def upgrade(anchor: bytes, calendars: Sequence[str], ask: Ask) -> bytes | None:
    """The file with what the calendars have attested since; None if that is nothing.

    Only the calendars given are asked, never those that the file names and nobody else
    does.  UsageError where it waits for none of them.
    """
    from byline_node import anchor_ots

    require_calendars(calendars)
    stamp = anchor_ots.Stamp.from_bytes(anchor)
    waiting = [one for one in stamp.pending() if is_among(one.calendar, calendars)]
    if not waiting:
        names = ", ".join(sorted({one.calendar for one in stamp.pending()}))
        raise UsageError(
            "the file waits for none of the calendars given",
            hint=f"it waits for {names}" if names else "it waits for nothing",
        )
    found = False
    for one in waiting:
        url = f"{one.calendar.rstrip('/')}/timestamp/{one.digest.hex()}"
        reply = ask(url, None, "")
        if reply.status != 404:
            found = True
            stamp.add(one.digest, good(url, reply))
    return stamp.to_bytes() if found else None


def verify_anchor(anchor: bytes, note: bytes, certificates: bytes = b"") -> Anchored:
    """What an anchor proves of these bytes of a checkpoint.

    `certificates`: PEM of the authority's root, which the reader trusts, and of what
    leads to it.  Raises MalformedError, UsageError without a root, VerificationError
    where the anchor is of other bytes or does not hold.
    """
    checkpoint = checkpoint_of(note)
    if is_ots(anchor):
        from byline_node import anchor_ots

        unchecked = anchor_ots.Stamp.from_bytes(anchor).attested(note)
        return Anchored("opentimestamps", checkpoint, None, "", unchecked)
    from byline_node import anchor_tsa

    time, name = anchor_tsa.verify(anchor, note, certificates)
    return Anchored("rfc3161", checkpoint, time, name, ())


def is_ots(anchor: bytes) -> bool:
    """Whether this is an OpenTimestamps file; else it is taken for a response."""
    return anchor.startswith(OTS_MAGIC)


def good(url: str, reply: Reply) -> bytes:
    """The body of an answer with status 200."""
    if reply.status != 200:
        raise NodeUnavailableError(f"{url} answers with HTTP status {reply.status}")
    return reply.body


def require_calendars(calendars: Sequence[str]) -> None:
    """Each is asked once, and there are not too many."""
    if not 1 <= len(calendars) <= MAX_CALENDARS:
        raise UsageError(
            f"expected 1 to {MAX_CALENDARS} calendars, got {len(calendars)}"
        )


def is_among(calendar: str, calendars: Sequence[str]) -> bool:
    """Whether it was given, whatever it ends with."""
    return calendar.rstrip("/") in {one.rstrip("/") for one in calendars}


def missing_extra() -> UsageError:
    """What an engine's file raises where its engine is not installed."""
    return UsageError(
        "anchors need an extra that is not installed",
        hint='install it with: pip install "byline-ledger[anchor]"',
    )
