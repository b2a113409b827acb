"""What names a work: lines of sha256sum among it."""

from __future__ import annotations

import hashlib

import pytest

from byline_cli.targets import parse_target
from byline_ledger.errors import BylineError, MalformedError

DIGEST = hashlib.sha256(b"a photo")
HEX = DIGEST.hexdigest()


@pytest.mark.parametrize(
    "line",
    [
        f"{HEX}  photo.jpg",
        f"{HEX} *photo.jpg",
        f"{HEX}  holidays/two words.jpg\n",
        f"\\{HEX}  two\\nlines.jpg",
    ],
)
def test_a_line_of_sha256sum_names_a_file_s_digest(line: str) -> None:
    """Text or binary, escaped or not; never the id of a statement."""
    target = parse_target(line)
    assert (target.sha256, target.kind) == (DIGEST.digest(), "digest")
    assert target.name == f"sha256:{HEX}", "what a node is asked"
    assert target.path is None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (f"{HEX[:32]}  photo.jpg", "got one of 32 hex digits"),
        (f"{HEX[:40]}  photo.jpg", "got one of 40 hex digits"),
        (f"{HEX}{HEX}  photo.jpg", "got one of 128 hex digits"),
        (f"{HEX}  a.jpg\n{HEX}  b.jpg", "expected one line of sha256sum, got 2"),
    ],
)
def test_lines_of_other_programs_are_told_apart(text: str, why: str) -> None:
    with pytest.raises(MalformedError, match=why):
        parse_target(text)


@pytest.mark.parametrize(
    "text",
    [
        f"{HEX[1:]}  photo.jpg",
        f"{HEX}\tphoto.jpg",
        f"{HEX}  a.jpg\n{HEX}  b.jpg",
    ],
)
def test_what_is_no_line_of_it_is_refused(text: str) -> None:
    """Two of them as well: which one would be meant?"""
    with pytest.raises(BylineError):
        parse_target(text)
