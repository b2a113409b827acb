"""Which of the files that somebody attests others claim as well: they should know."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from byline_cli import output
from byline_cli.connect import AnyClient
from byline_cli.signing import key_names
from byline_ledger.errors import BylineError
from byline_node.attest import HashedFile

MOST_ASKED = 64
"""Files that are asked about: of more, the proofs would take longer than the rest."""
MOST_NAMED = 8


def claimed_too(
    client: AnyClient, author: bytes, files: Sequence[HashedFile]
) -> list[Path]:
    """The files, of a few, that a key which is none of this user's claims; nothing that
    goes wrong here may keep anybody from attesting."""
    if not files or len(files) > MOST_ASKED:
        return []
    own = {author, *key_names()}
    try:
        answers = list(client.query_many([one.digest for one in files]))
    except BylineError:
        return []
    return [
        file.path
        for file, answer in zip(files, answers, strict=True)
        if answer.is_claimed_beside(own)
    ]


def warn(paths: Sequence[Path]) -> None:
    """A line for each, beside the result."""
    for path in paths[:MOST_NAMED]:
        text = f"{path}: somebody else claims this file too: byline query {path}"
        output.note(output.safe(text), "doubt")
    if len(paths) > MOST_NAMED:
        output.note(f"and {len(paths) - MOST_NAMED} more files", "doubt")
