"""Whether a mirror can be taken at its word that a log ends where its copy does.

Rule: only a running node that follows the log, and says so when asked, has a word to
give.  It must hold all that it ever saw of the log, and all that is here; and it must
have been there after the backup that the log came out of.  A folder, a bucket and an
export behind a web server are as new as the last export.  Specification:
docs/spec/log.md, "Recovery".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from byline_ledger.crypto import random_bytes
from byline_ledger.errors import BylineError, MalformedError
from byline_ledger.followed import MAX_FOLLOWED, NONCE_BYTES, Followed
from byline_node.log_source import FileSource

URL = ("http://", "https://")


@dataclass(frozen=True, slots=True)
class End:
    """What has to be confirmed."""

    origin: str
    size: int
    """Entries that are here."""
    since: int
    """Unix seconds before which nobody's last look counts; 0 if that is not known."""


def why_no_word(source: FileSource, name: str, shown: int, end: End) -> str | None:
    """Why the place `name`, which showed a copy of so many entries, cannot answer
    for this end; None if it does."""
    if not name.startswith(URL):
        return "it is as new as the last export"
    try:
        found = ask(source)
    except BylineError as error:
        return f"it is no mirror that a running node keeps ({error})"
    if found.size != shown:
        return f"it showed {shown} entries, and now has {found.size}"
    return _why_not(found, end)


def ask(source: FileSource) -> Followed:
    """The mirror's answer to a number that it cannot know before.

    Raises NotFoundError, MalformedError, NodeUnavailableError.
    """
    nonce = random_bytes(NONCE_BYTES)
    data = source.files.get(f"followed?nonce={nonce.hex()}", MAX_FOLLOWED)
    found = Followed.from_bytes(data)
    if found.nonce != nonce:
        raise MalformedError("it answers a number that it was not asked with")
    return found


def _why_not(found: Followed, end: End) -> str | None:
    if found.origin != end.origin:
        return f"it is a mirror of {found.origin}"
    if found.size < found.seen:
        return f"it saw {found.seen} entries, and has copied {found.size}"
    if found.size < end.size:
        return f"it has {found.size} entries, and {end.size} are here"
    if not found.time:
        return "it has not cosigned the last tree that it copied"
    if found.time < end.since:
        return f"it saw the log last on {_moment(found.time)}, before the backup"
    return None


def _moment(seconds: int) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (ValueError, OverflowError, OSError):
        return f"second {seconds}"
