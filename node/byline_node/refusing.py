"""Refusals as errors, with what the person who was refused can do about it."""

from __future__ import annotations

from byline_ledger.admission import Reason, Refused
from byline_ledger.admission_policy import DAY
from byline_node.errors import RefusedError, RefusedForNowError

HINTS = {
    Reason.NOT_LISTED: "ask its operator to list your key, or publish to another node",
    Reason.NOT_VOUCHED: "have somebody it trusts endorse the statement first",
    Reason.TOO_LITTLE_WORK: "sign it again; `byline attest` does the work by itself",
    Reason.TOO_EARLY: "is the clock of the machine that signed it right?",
    Reason.TOO_OLD: "publish what you signed lately, or ask its operator",
    Reason.OVER_QUOTA: "ask its operator for more, or publish to another node",
    Reason.DENIED_AUTHOR: "ask its operator why, or publish to another node",
    Reason.DENIED_DIGEST: "ask its operator why, or publish to another node",
}
"""What the person who was refused can do."""


def refused_error(verdict: Refused, now: int, where: str = "") -> RefusedError:
    """A refusal as an error; `now` in Unix milliseconds."""
    until, hint = verdict.until, HINTS.get(verdict.reason)
    if until is None or until - now >= DAY:
        return RefusedError(
            where + verdict.text, hint=hint, reason=verdict.reason, until=until
        )
    seconds = max(1, -(-(until - now) // 1000))
    return RefusedForNowError(
        where + verdict.text,
        hint=f"try again in {_duration(seconds)}",
        reason=verdict.reason,
        until=until,
        retry_after=seconds,
    )


def _duration(seconds: int) -> str:
    """So many seconds, in words, rounded up."""
    for size, unit in ((3600, "hour"), (60, "minute")):
        if seconds > 2 * size:
            return f"{-(-seconds // size)} {unit}s"
    return f"{seconds} second{'' if seconds == 1 else 's'}"
