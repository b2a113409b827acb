"""Every error Byline raises on purpose, split by whose fault it is.

Rule of the whole house: bytes from outside either parse or raise `MalformedError`,
never anything else.  A bug in ourselves is an AssertionError or RuntimeError, is never
caught and is never a `BylineError`.

`exit_code` is what the command line returns, `http_status` what the API answers.
`hint` is one optional line that says what to do next.
"""

from __future__ import annotations


class BylineError(Exception):
    """Root of all expected errors: a one-line message and, optionally, a hint."""

    exit_code = 1
    http_status = 500
    kind = "error"

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint

    def details(self) -> dict[str, object]:
        """What programs are told beside kind, message and hint."""
        return {}


class MalformedError(BylineError):
    """Bytes or text from outside do not have the form their specification asks for."""

    exit_code = 65
    http_status = 400
    kind = "malformed"


class UnsupportedError(BylineError):
    """Well-formed, but of a version that this program does not know: try an upgrade."""

    exit_code = 65
    http_status = 400
    kind = "unsupported"


class UsageError(BylineError):
    """The caller asked for something that cannot be: a wrong option, term or value."""

    exit_code = 2
    http_status = 400
    kind = "usage"


class VerificationError(BylineError):
    """It parses, but what it claims does not hold."""

    exit_code = 1
    http_status = 422
    kind = "verification"


class BadSignatureError(VerificationError):
    """A signature does not verify under the rule of docs/spec/statement.md."""

    kind = "bad-signature"


class ProofError(VerificationError):
    """A Merkle, consistency or completeness proof does not lead to its root."""

    kind = "proof"


class InconsistentLogError(VerificationError):
    """A log contradicts itself: two signed trees that cannot both be true."""

    exit_code = 4
    http_status = 409
    kind = "inconsistent-log"


class ContradictionError(InconsistentLogError):
    """Two notes signed by the log `vkey` that cannot both be true.

    `proof` is the log's own consistency proof between them, which shows it to others if
    it leads from another root (docs/spec/alarm.md); empty for trees of one size.
    """

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        vkey: str = "",
        notes: tuple[bytes, bytes] = (b"", b""),
        proof: tuple[bytes, ...] = (),
    ) -> None:
        super().__init__(message, hint=hint)
        self.vkey = vkey
        self.notes = notes
        self.proof = proof


class NotFoundError(BylineError):
    """Nothing is stored under that name."""

    exit_code = 3
    http_status = 404
    kind = "not-found"


class RedactedError(NotFoundError):
    """The statement is in the log, but its node took the body down."""

    http_status = 410
    kind = "redacted"


class KeyAccessError(BylineError):
    """An author key cannot be used: wrong passphrase, or none to be had."""

    exit_code = 2
    http_status = 400
    kind = "key"


class StoreError(BylineError):
    """The disk or the database refused; nothing after the last receipt was kept."""

    exit_code = 74
    http_status = 503
    kind = "store"


class DiskFullError(StoreError):
    """There is no room left, or not enough to write safely."""

    kind = "disk-full"


class CorruptStoreError(StoreError):
    """What is stored does not fit together."""

    kind = "corrupt-store"


class StoreLockedError(StoreError):
    """Another process has the store open."""

    kind = "store-locked"


class ReadOnlyError(StoreError):
    """The log must not be signed any further.

    See docs/spec/log.md, "Never two histories".
    """

    kind = "read-only"
