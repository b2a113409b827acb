"""What people type to name a work: a file here, or a hash in any of the usual forms."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from byline_cli import output
from byline_ledger.digest import (
    digest_stream,
    multihash,
    parse_hash,
    parse_statement_id,
)
from byline_ledger.errors import (
    MalformedError,
    NotFoundError,
    StoreError,
    UsageError,
)

MAX_HASH_TEXT = 128
SHORTEST_HASH = 32
"""Characters: no hash that people have, of whatever kind, is written in fewer."""
CUT_HASH = re.compile(r"[0-9a-fA-F]*|sha256.*")
_SUM_LINE = re.compile(r"\\?([0-9a-f]{64}) [ *][^\n]+")
"""A line of sha256sum: a backslash if the name is escaped, the digest, the name."""
_OTHER_SUM = re.compile(r"\\?([0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{96,}) [ *][^\n]+")
"""The same of md5sum, sha1sum, sha384sum and sha512sum."""


@dataclass(frozen=True, slots=True)
class Target:
    """A work that was named: `kind` is digest, statement or either (64 hex digits).

    `sha256` is 32 bytes; `path` is set if the bytes are at hand.
    """

    name: str
    sha256: bytes
    kind: str
    path: Path | None

    @property
    def multihash(self) -> bytes:
        """The 34-byte multihash."""
        return multihash(self.sha256)


def named_path(text: str) -> Path:
    """The path that was named.  UsageError for an empty one, which would be the folder
    that the shell is in: a variable that is not set must not publish it."""
    if not text:
        raise UsageError(
            "expected a path, got an empty one",
            hint="is the variable of your shell set?",
        )
    return Path(text)


def parse_target(text: str) -> Target:
    """A file that exists, else a hash; the file is hashed, with a progress bar."""
    path = named_path(text)
    if is_there(path):
        return file_target(path)
    text = hash_in_line(text.strip("\n"))
    try:
        parsed = parse_hash(text)
    except MalformedError as error:
        raise unknown_target(text, error) from None
    return Target(text, parsed.sha256, parsed.kind, None)


def hash_in_line(text: str) -> str:
    """What sha256sum printed, without the name: the digest of a file for certain."""
    first, *more = text.split("\n")
    if line := _OTHER_SUM.fullmatch(first):
        raise MalformedError(
            f"expected a SHA-256 hash, got one of {len(line[1])} hex digits",
            hint="sha256sum prints it; or name the file itself",
        )
    line = _SUM_LINE.fullmatch(first)
    if line and more:
        raise MalformedError(f"expected one line of sha256sum, got {1 + len(more)}")
    return f"sha256:{line[1]}" if line else text


def parse_id(text: str) -> bytes:
    """The id of a statement, 32 bytes; a file in its place is named."""
    try:
        return parse_statement_id(text)
    except MalformedError:
        what = "is a file, not" if is_there(named_path(text)) else "is not"
        raise MalformedError(
            f"{text[:80]} {what} the id of a statement",
            hint="a STATEMENT-ID is needed; `byline query FILE` shows it",
        ) from None


def is_there(path: Path) -> bool:
    """Whether anything exists at the path; a text too long for a path does not."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def file_target(path: Path) -> Target:
    """A file at hand, hashed."""
    return Target(str(path), hash_file(path)[2:], "digest", path)


def hash_file(path: Path) -> bytes:
    """The 34-byte multihash of a regular file; raises one clear error for any other."""
    if path.is_dir():
        raise UsageError(f"{path} is a folder", hint="name one file")
    if not path.is_file():
        missing = "is not a file" if is_there(path) else "does not exist"
        raise NotFoundError(f"{path} {missing}")
    try:
        with (
            path.open("rb") as file,
            output.progress(path.name, path.stat().st_size, unit="bytes") as advance,
        ):
            return digest_stream(file, progress=advance)[0]
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror}") from None


def unknown_target(text: str, error: MalformedError) -> MalformedError | NotFoundError:
    """Neither a file nor a hash: say which of the two it looks like."""
    if is_name(text):
        return NotFoundError(f"there is no file {text}, and it is not a hash either")
    return MalformedError(f"{error}", hint=error.hint)


def is_name(text: str) -> bool:
    """Whether it looks like the name of a file rather than a hash, whole or cut."""
    if "." in text or "/" in text:
        return len(text) <= MAX_HASH_TEXT
    return len(text) < SHORTEST_HASH and not CUT_HASH.fullmatch(text)
