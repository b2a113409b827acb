"""Byline's words in plain language.  Unknown is said, never left out or folded in.

Nothing here says that a claim is true: a key claims, others endorse or dispute.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime

from byline_ledger.amount import amount as amount

MADE = {
    "human": "human",
    "assisted": "human with help of AI",
    "generated": "AI-generated",
    "other": "by a program, not by hand and not by AI",
    "unknown": "unknown",
}

USES = {
    "cawg.ai_generative_training": "train AI that generates",
    "cawg.ai_training": "train AI that does not generate",
    "cawg.ai_inference": "be input to AI",
    "cawg.data_mining": "be mined for data",
}

USE_VALUES = {
    "allowed": "allowed",
    "notAllowed": "NOT allowed",
    "constrained": "only on conditions",
}

OVERSIGHT = {
    "fully_autonomous": "by nobody: no person saw what the model made",
    "prompt_guided": "a person told the model what to make, and approved nothing",
    "human_validated": "a person saw what the model made, and approved it",
}

MEMBER = {
    "yes": ("of which the author is a member", "good"),
    "no": ("of which the author is NOT a member: its offer does not hold here", "bad"),
    "unknown": ("whether the author is a member of it is unknown", "doubt"),
}
"""Whether a cooperative that a claim names admits its author."""

ROTATED = {
    "routine": "as a matter of routine",
    "lost": "since it was lost",
    "compromised": "since others may have it",
}
"""Why a key was replaced."""

SAID = {
    "dispute": "Disputed",
    "grant": "Permission",
    "offer": "Offer",
    "request": "Request",
    "relay": "Foreign claim passed on",
    "collection": "Data set declared",
    "label": "Label published",
    "settlement": "Settlement published",
}
"""What a statement about a work is called; it goes on with `by KEY`."""

MADE_OF_IT = {
    "parentOf": "edited into",
    "componentOf": "contained in",
    "inputTo": "input to",
}
"""A relationship seen from the source."""

RELATIONSHIPS = {
    "parentOf": "derived from",
    "componentOf": "contains",
    "inputTo": "used as input",
}

LEVELS = {
    "asked": "right file",
    "signatures": "signatures",
    "log": "log signature",
    "completeness": "nothing left out",
    "inclusion": "in the log",
    "redactions": "taken down",
    "trust": "trust",
    "witnesses": "witnesses",
    "freshness": "how fresh",
    "time": "time",
}
"""Names of the levels of docs/spec/bundle.md as `query` and `verify` print them."""

JUDGEMENTS = {
    "ok": ("ok", "good"),
    "failed": ("FAILED", "bad"),
    "warning": ("note", "doubt"),
    "absent": ("not checked", "quiet"),
}

LAST_DAY = 253_402_300_799_999
"""The last millisecond of the year 9999, beyond which there is no calendar here."""


def in_the_log(entries: Collection[int]) -> str:
    """Where statements are: `in the log as entry 5`.  Their numbers may have gaps: a
    log has entries of its own between them."""
    first, last = min(entries), max(entries)
    if first == last:
        return f"in the log as entry {last}"
    if last - first + 1 == len(entries):
        return f"in the log as entries {first} to {last}"
    return f"in the log, the last as entry {last}"


def field(name: str, value: str) -> str:
    """A value behind its label, as answers have them."""
    return f"  {name:<13} {value}"


def moment(milliseconds: int) -> str:
    """A claimed time, in UTC to the minute."""
    return format_time(milliseconds, "%Y-%m-%d %H:%M UTC")


def day(milliseconds: int) -> str:
    """A claimed time, to the day."""
    return format_time(milliseconds, "%Y-%m-%d")


def format_time(milliseconds: int, form: str) -> str:
    if milliseconds > LAST_DAY:
        return "a day beyond the year 9999"
    return datetime.fromtimestamp(milliseconds // 1000, UTC).strftime(form)
