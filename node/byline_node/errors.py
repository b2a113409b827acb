"""Errors of the running node and its clients; everything else is in the ledger's.

The rule of byline_ledger.errors holds here too: one line that says what was expected
and what came, `exit_code` for the command line, `http_status` for the API.
"""

from __future__ import annotations

from typing import Self

from byline_ledger.errors import BylineError, MalformedError, UsageError


class ConfigError(BylineError):
    """The configuration, an address or a port cannot be used as it stands."""

    exit_code = 78
    http_status = 500
    kind = "configuration"


class NodeUnavailableError(BylineError):
    """No node answers, or it answers too late or with something that is no answer."""

    exit_code = 69
    http_status = 503
    kind = "unavailable"


class BusyError(NodeUnavailableError):
    """The node has as much in hand as it takes at once, or is stopping."""

    kind = "busy"

    def __init__(
        self, message: str, *, hint: str | None = None, retry_after: int | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after
        """Seconds until it is worth asking again, if that is known."""

    def details(self) -> dict[str, object]:
        known = self.retry_after is not None
        return {"retry_after": self.retry_after} if known else {}


class TooLargeError(UsageError):
    """A request, or the answer it asks for, is larger than the API's limit."""

    http_status = 413
    kind = "too-large"


class MediaTypeError(UsageError):
    """A request body of a type the API does not take."""

    http_status = 415
    kind = "media-type"


class NotOfferedError(UsageError):
    """Something that this node could do, had its operator set it up for that."""

    http_status = 501
    kind = "not-offered"


class ForbiddenHostError(UsageError):
    """A request for a host name this node does not answer for (DNS rebinding)."""

    http_status = 403
    kind = "forbidden-host"


class SlowRequestError(MalformedError):
    """A request body that did not arrive in time."""

    http_status = 408
    kind = "slow-request"


class PeerError(BylineError):
    """Another node cannot be reached, does not answer, or is no Byline node."""

    exit_code = 69
    http_status = 502
    kind = "peer"


class TruncatedError(MalformedError):
    """A stream ended inside a frame: a connection that broke, and nobody's fault."""


class RefusedError(BylineError):
    """The node's admission policy does not take it (docs/spec/admission.md)."""

    exit_code = 77
    http_status = 403
    kind = "refused"

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        reason: str = "",
        until: int | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.reason = reason
        """One of `byline_ledger.admission.Reason`."""
        self.until = until
        """When it could be taken, Unix milliseconds."""
        self.retry_after = retry_after
        """Seconds until then."""

    def details(self) -> dict[str, object]:
        return {"reason": str(self.reason), "until": self.until}


class RefusedForNowError(RefusedError):
    """The same, but it may be taken later today."""

    exit_code = 75
    http_status = 429
    kind = "refused-for-now"


class UnspokenError(PeerError):
    """A peer that does not speak the protocol: one that only asks, or no node."""

    kind = "unspoken"

    @classmethod
    def of(cls, protocol: str) -> Self:
        """The error for a protocol's name."""
        return cls(f"it does not speak {protocol}: not a Byline node")
