"""A log's files over HTTP (docs/spec/log.md, "As files"): paths, caching, conditions.

Rule: a tile may be kept by caches for ever; everything else must be asked for again,
which costs next to nothing when it has not changed.  A path has one spelling, so the
bytes on the wire are looked at, not what they decode to.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256

from byline_ledger.errors import MalformedError
from byline_ledger.log_files import log_file
from byline_ledger.view import LogView

PREFIX = b"/log/"

FOR_EVER = "public, max-age=31536000, immutable"
ASK_AGAIN = "public, max-age=1, must-revalidate"
"""A second, so that a crowd of readers behind one cache costs one question."""
NOT_AT_ALL = "no-store"
"""For errors: a tile that is not there yet will be."""

MAX_CONDITION = 1_024
"""Bytes of an If-None-Match header that are looked at."""


@dataclass(frozen=True, slots=True)
class FileAnswer:
    """Status 200 with the file, or 304 without."""

    status: int
    body: bytes
    media_type: str
    headers: dict[str, str] = field(default_factory=dict)


def answer_file(view: LogView, raw_path: bytes, condition: str) -> FileAnswer:
    """The answer for a path as it was sent; `condition` is If-None-Match or empty.

    Raises what log_files.log_file raises.
    """
    file = log_file(view, file_path(raw_path))
    if file.immutable:
        headers = {"cache-control": FOR_EVER}
        return FileAnswer(200, file.data, file.media_type, headers)
    etag = f'"{sha256(file.data).hexdigest()[:32]}"'
    headers = {"cache-control": ASK_AGAIN, "etag": etag}
    if matches(etag, condition):
        return FileAnswer(304, b"", file.media_type, headers)
    return FileAnswer(200, file.data, file.media_type, headers)


def file_path(raw_path: bytes) -> str:
    """The path under /log, exactly as sent; MalformedError if it is not plain ASCII."""
    path = raw_path.removeprefix(PREFIX)
    if path == raw_path or not path.isascii():
        raise MalformedError("expected the path of a file of a log under /log/")
    return path.decode()


def matches(etag: str, condition: str) -> bool:
    """Whether If-None-Match names this tag, weak or strong, or any (RFC 9110)."""
    tags = [one.strip() for one in condition[:MAX_CONDITION].split(",")]
    return "*" in tags or etag in (tag.removeprefix("W/") for tag in tags)
