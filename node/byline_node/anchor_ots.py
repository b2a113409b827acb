"""OpenTimestamps files, over the package opentimestamps: part of the extra `anchor`.

Rule: a file is a tree of operations from the hash of a checkpoint's bytes to
attestations.  That the operations lead there is computed; what a calendar or a Bitcoin
block says of the results is not at hand, and never taken for a time.  The only file
that imports opentimestamps.  Specification: docs/spec/anchor.md.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from byline_ledger.errors import MalformedError, VerificationError
from byline_node.anchors import missing_extra

try:
    from opentimestamps.core.notary import (
        BitcoinBlockHeaderAttestation,
        PendingAttestation,
    )
    from opentimestamps.core.op import OpAppend, OpSHA256
    from opentimestamps.core.serialize import (
        BytesDeserializationContext,
        BytesSerializationContext,
        DeserializationError,
    )
    from opentimestamps.core.timestamp import DetachedTimestampFile, Timestamp
except ModuleNotFoundError:
    raise missing_extra() from None

DIGEST_TYPE = "application/octet-stream"
MAX_FILE = 32_768
MAX_ANSWER = 10_000
"""Bytes of a calendar's answer, as its own clients have it."""
MAX_ATTESTATIONS = 64
MAX_HEIGHT = 2**32
NONCE_BYTES = 16

# All that the engine raises over bytes.  Its own limits: 256 nested operations, 4,096
# bytes of an operand or a result.
_BAD_BYTES = (
    DeserializationError,
    ValueError,
    TypeError,
    AssertionError,
    OverflowError,
    RecursionError,
)


@dataclass(frozen=True, slots=True)
class Pending:
    """A calendar has promised to attest to this digest."""

    calendar: str
    digest: bytes


class Stamp:
    """One OpenTimestamps file."""

    def __init__(self, file: Any) -> None:
        """Use `of` or `from_bytes`."""
        self._file = file
        self.commitment = b""
        """What to ask calendars to stamp: 32 bytes; only of a file that is new."""

    @classmethod
    def of(cls, note: bytes, nonce: bytes) -> Stamp:
        """A new file for these bytes, with no attestation yet."""
        assert len(nonce) == NONCE_BYTES
        root = Timestamp(hashlib.sha256(note).digest())
        stamp = cls(DetachedTimestampFile(OpSHA256(), root))
        stamp.commitment = root.ops.add(OpAppend(nonce)).ops.add(OpSHA256()).msg
        return stamp

    @classmethod
    def from_bytes(cls, data: bytes) -> Stamp:
        """Parses and computes every operation.  Raises MalformedError."""
        if len(data) > MAX_FILE:
            raise MalformedError(
                f"expected an OpenTimestamps file of at most {MAX_FILE} bytes"
            )
        with engine_errors("file"):
            context = BytesDeserializationContext(data)
            stamp = cls(DetachedTimestampFile.deserialize(context))
        if stamp._file.file_hash_op != OpSHA256():
            raise MalformedError("expected an OpenTimestamps file over SHA-256")
        stamp._require_bounds()
        return stamp

    def to_bytes(self) -> bytes:
        """The file; it reads back, else MalformedError."""
        context = BytesSerializationContext()
        with engine_errors("file"):
            self._file.serialize(context)
        data: bytes = context.getbytes()
        Stamp.from_bytes(data)
        return data

    def add(self, digest: bytes, answer: bytes) -> None:
        """Adds what a calendar answered about a digest of this file."""
        if len(answer) > MAX_ANSWER:
            raise MalformedError(
                f"expected a calendar's answer of at most {MAX_ANSWER} bytes"
            )
        with engine_errors("answer"):
            context = BytesDeserializationContext(answer)
            more = Timestamp.deserialize(context, digest)
            context.assert_eof()
            for stamp in self._stamps():
                if stamp.msg == digest:
                    stamp.merge(more)
                    return
        raise AssertionError("an answer about something that is not in the file")

    def pending(self) -> list[Pending]:
        """What calendars have promised, each once, in a fixed order."""
        found = {
            Pending(one.uri, digest)
            for digest, one in self._attestations()
            if isinstance(one, PendingAttestation)
        }
        return sorted(found, key=lambda one: (one.calendar, one.digest))

    def attested(self, note: bytes) -> tuple[str, ...]:
        """What the file claims of these bytes, in words: none of it was checked.

        Raises VerificationError if it is of other bytes.
        """
        if self._file.file_digest != hashlib.sha256(note).digest():
            raise VerificationError("the OpenTimestamps file is of other bytes")
        return tuple(sorted(claim(*one) for one in self._attestations()))

    def _attestations(self) -> Iterator[tuple[bytes, Any]]:
        found: Iterator[tuple[bytes, Any]] = self._file.timestamp.all_attestations()
        return found

    def _stamps(self) -> Iterator[Any]:
        waiting = [self._file.timestamp]
        while waiting:
            stamp = waiting.pop()
            yield stamp
            waiting += stamp.ops.values()

    def _require_bounds(self) -> None:
        for number, (digest, one) in enumerate(self._attestations(), start=1):
            if number > MAX_ATTESTATIONS:
                raise MalformedError(
                    f"expected at most {MAX_ATTESTATIONS} attestations"
                )
            if isinstance(one, BitcoinBlockHeaderAttestation) and not (
                one.height < MAX_HEIGHT and len(digest) == 32
            ):
                raise MalformedError("expected the Merkle root of a Bitcoin block")


def claim(digest: bytes, attestation: Any) -> str:
    """One attestation in words."""
    if isinstance(attestation, BitcoinBlockHeaderAttestation):
        # Bitcoin shows hashes from their last byte to their first.
        root = digest[::-1].hex()
        return f"the Merkle root of Bitcoin block {attestation.height} is {root}"
    if isinstance(attestation, PendingAttestation):
        return f"{attestation.uri} has promised to attest to {digest.hex()}"
    return f"an attestation of a kind that is not known here, to {digest.hex()[:64]}"


@contextmanager
def engine_errors(what: str) -> Iterator[None]:
    """Errors of the engine over a stranger's bytes as MalformedError, in one line."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an operation that may be dropped one day
            yield
    except _BAD_BYTES as error:
        raise MalformedError(
            f"expected an OpenTimestamps {what}, got bytes that are none"
            f" ({type(error).__name__})"
        ) from None
