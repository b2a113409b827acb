"""Keys and chains in plain words: loops, gaps and rivals are named, none is hidden."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from tests.cli.test_render import claim, remark

from byline_cli.render_chain import MOST_DERIVED, depth_words, derived_rows
from byline_cli.render_keys import MOST_KEYS, MOST_SAID, key_rows
from byline_ledger.answer import Answer
from byline_ledger.digest import digest_bytes
from byline_ledger.statement import Source

WORK = digest_bytes(b"0")


def name(key: bytes) -> str:
    return f"K{key[0]}"


def key(number: int) -> bytes:
    return bytes([number]) * 32


def keys(*said: Any) -> str:
    """The rows for an answer with these histories."""
    answer = cast("Answer", SimpleNamespace(keys=said))
    rows = key_rows(answer, name)
    return "\n".join(row if isinstance(row, str) else row[0] for row in rows)


def history(number: int, *said: tuple[str, dict[str, Any]]) -> Any:
    statements = [
        remark(type=type_, index=i, fields=fields)
        for i, (type_, fields) in enumerate(said)
    ]
    return SimpleNamespace(author=key(number), statements=tuple(statements))


def test_a_key_about_which_nothing_is_to_be_told_is_not_named() -> None:
    assert keys(history(1), history(2, ("profile", {"name": "x"}))) == ""


def test_the_history_of_a_key() -> None:
    text = keys(
        history(
            1,
            ("profile", {"recovery": key(3)}),
            ("rotate", {"successor": key(2), "reason": "lost"}),
        )
    )
    assert text.splitlines() == [
        "",
        "About the key K1",
        "  named its recovery key K3 on 2023-11-14 22:13 UTC",
        "  replaced by K2 on 2023-11-14 22:13 UTC, since it was lost",
    ]


def test_a_compromised_key_and_a_contested_one() -> None:
    text = keys(
        history(1, ("rotate", {"reason": "compromised"})),
        history(
            2, ("rotate", {"successor": key(3)}), ("rotate", {"successor": key(4)})
        ),
    )
    assert "declared COMPROMISED: nobody acts for it since" in text
    assert "CONTESTED: it names several keys to follow it, so none acts for it" in text


def test_histories_have_an_end() -> None:
    long = history(1, *[("profile", {"recovery": key(2)})] * (MOST_SAID + 2))
    assert "and 2 further lines (see --json)" in keys(long)
    many = [history(n, ("rotate", {"reason": "compromised"})) for n in range(10)]
    assert f"and the histories of {10 - MOST_KEYS} more keys" in keys(*many)


def derived(*claims: Any, total: int | None) -> str:
    found = [(digest_bytes(bytes([i])), one) for i, one in enumerate(claims)]
    rows = derived_rows(WORK, found, total, name)
    return "\n".join(row if isinstance(row, str) else row[0] for row in rows)


def test_works_made_of_it() -> None:
    ways = (Source(WORK, "parentOf", {}), Source(WORK, "x\x1b", {}))
    sources = (*ways, Source(digest_bytes(b"1"), "inputTo", {}))
    one = claim(title="Poster", made="generated", sources=sources)
    two = claim(sources=ways[:1], status="unknown", disputes=(remark(),))
    text = derived(one, two, claim(status="withdrawn"), total=5)
    works = [f"sha256 {digest_bytes(bytes([i]))[2:14].hex()}…" for i in range(2)]
    assert text.splitlines() == [
        "",
        "Works that say they were made of it (5 claims)",
        rf"    ├─ edited into, x\x1b {works[0]}  “Poster”, made by: AI-generated",
        "    │   claimed by K0",
        f"    └─ edited into {works[1]}  made by: unknown, DISPUTED",
        "        claimed by K0, may be withdrawn",
        "    and 3 further claims, withdrawn ones among them",
    ]


def test_nothing_made_of_it_is_no_line_but_not_knowing_is() -> None:
    assert derived(total=0) == ""
    assert "number unknown" in derived(total=None)
    many = derived(*[claim()] * 20, total=20)
    assert f"and {20 - MOST_DERIVED} further claims" in many


@pytest.mark.parametrize(
    ("least", "greatest", "words"),
    [
        (0, 0, "none, back to the origins that people name"),
        (1, 1, "1 generation, back to the origins"),
        (0, 2, "0 to 2 generations, by which way back one takes"),
        (0, None, "how many is unknown: the chain has gaps"),
        (2, None, "at least 2 generations; how many is unknown: the chain has gaps"),
    ],
)
def test_how_much_ai_lies_between(least: int, greatest: int | None, words: str) -> None:
    assert depth_words(least, greatest) == words
