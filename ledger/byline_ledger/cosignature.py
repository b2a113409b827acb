"""Cosignatures: a witness's word that a checkpoint extends all it saw of that log.

    cosignature/v1
    time <Unix seconds>
    <the checkpoint's note text>

Rule: the witness signs these lines with a key of type 04; its line in the note holds
u64 seconds || Ed25519 signature.  Specification: docs/spec/log.md, "Cosignatures" (C2SP
tlog-cosignature).
"""

from __future__ import annotations

from byline_ledger.checkpoint import COSIGNATURE_HEADER, Checkpoint
from byline_ledger.crypto import SigningKey, verify_signature
from byline_ledger.errors import BadSignatureError, UsageError
from byline_ledger.note import (
    COSIGNATURE,
    Note,
    NoteSignature,
    Verifier,
    check_name,
    key_id,
)

MAX_TIME = 2**63 - 1
_TIME_BYTES = 8


def cosigner_vkey(name: str, public: bytes) -> str:
    """The verifier key by which others know the witness."""
    return Verifier(check_name(name), COSIGNATURE, public).to_text()


def cosignature_message(text: bytes, time: int) -> bytes:
    """What is signed: `text` is the checkpoint's note text, `time` in Unix seconds."""
    return f"{COSIGNATURE_HEADER}\ntime {time}\n".encode() + text


def cosign(text: bytes, name: str, key: SigningKey, time: int) -> NoteSignature:
    """The witness's line for a checkpoint text; `time` in Unix seconds, 1 to 2^63 - 1.

    Whoever calls this has verified that the checkpoint extends every one that this key
    cosigned before, and has stored that fact durably.
    """
    checkpoint = Checkpoint.from_text(text)
    if not 1 <= time <= MAX_TIME:
        raise UsageError(f"expected a cosignature time of 1 to 2^63 - 1, got {time}")
    if check_name(name) == checkpoint.origin:
        # One key name, two meanings: a line could be read as the other kind.
        raise UsageError(f"a witness may not have the name of the log {name}")
    signature = key.sign(cosignature_message(text, time))
    identity = key_id(name, COSIGNATURE, key.public)
    return NoteSignature(name, identity, time.to_bytes(_TIME_BYTES, "big") + signature)


def verify_cosignature(note: Note, verifier: Verifier) -> int:
    """Time in Unix seconds at which this witness cosigned the note's checkpoint.

    BadSignatureError if it did not, MalformedError if the text is not a checkpoint.
    """
    if verifier.type != COSIGNATURE:
        raise BadSignatureError(f"{verifier.name} is not a cosigning key")
    if verifier.name == Checkpoint.from_text(note.text).origin:
        raise BadSignatureError(f"a log cannot be its own witness: {verifier.name}")
    line = note.signature_by(verifier)
    if line is None:
        raise BadSignatureError(f"expected a cosignature by {verifier.name}, got none")
    time, signature = _split(line)
    verify_signature(verifier.public, cosignature_message(note.text, time), signature)
    return time


def _split(line: NoteSignature) -> tuple[int, bytes]:
    """Time and signature of a line of type 04."""
    if len(line.signature) != _TIME_BYTES + 64:
        size = len(line.signature)
        raise BadSignatureError(f"expected a cosignature of 72 bytes, got {size}")
    time = int.from_bytes(line.signature[:_TIME_BYTES], "big")
    if not 1 <= time <= MAX_TIME:
        raise BadSignatureError(
            f"expected a cosignature time up to 2^63 - 1, got {time}"
        )
    return time, line.signature[_TIME_BYTES:]
