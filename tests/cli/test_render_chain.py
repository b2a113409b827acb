"""Keys and chains in plain words: loops, gaps and rivals are named, none is hidden."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest
from tests.cli.test_render import remark

from byline_cli.render_chain import MOST_DERIVED, depth_words, derived_rows
from byline_cli.render_keys import MOST_KEYS, MOST_SAID, key_rows
from byline_ledger.answer import Answer, Derived
from byline_ledger.content import read_content
from byline_ledger.crypto import SigningKey
from byline_ledger.digest import digest_bytes
from byline_ledger.statement import sign_statement

KEY = SigningKey.from_seed(bytes(32))


def name(key: bytes) -> str:
    return f"K{key[0]}"


def key(number: int) -> bytes:
    return bytes([number]) * 32


def keys(*said: Any) -> str:
    """The rows for an answer with these histories."""
    answer = cast("Answer", SimpleNamespace(keys=said))
    rows = key_rows(answer, name)
    return "\n".join(row if isinstance(row, str) else row[0] for row in rows)


def history(number: int, *said: tuple[str, dict[str, Any]], **changes: Any) -> Any:
    own = {"about": digest_bytes(key(number)), "time": 0, "salt": bytes(16)}
    statements = [
        remark(
            type=type_,
            index=i,
            id=bytes([i]) * 32,
            author=key(number),
            content=read_content(sign_statement({"type": type_, **own, **fields}, KEY)),
        )
        for i, (type_, fields) in enumerate(said)
    ]
    plain = {"recovered": (), "contested": False} | changes
    return SimpleNamespace(author=key(number), statements=tuple(statements), **plain)


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
            2,
            ("rotate", {"successor": key(3)}),
            ("rotate", {"successor": key(4)}),
            contested=True,
        ),
    )
    assert "declared COMPROMISED: nobody acts for it since" in text
    assert "CONTESTED: it names several keys to follow it, so none acts for it" in text


def test_histories_have_an_end() -> None:
    long = history(1, *[("profile", {"recovery": key(2)})] * (MOST_SAID + 2))
    assert "and 2 further lines (see --json)" in keys(long)
    many = [history(n, ("rotate", {"reason": "compromised"})) for n in range(10)]
    assert f"and the histories of {10 - MOST_KEYS} more keys" in keys(*many)


def test_what_the_recovery_key_said_is_told_with_its_name() -> None:
    (said,) = history(1, ("rotate", {"successor": key(2)})).statements
    other = replace(said, author=key(7))
    text = keys(history(1, recovered=(other,)))
    assert text.endswith("replaced by K2 on 2023-11-14 22:13 UTC, by K7")


def made_of_it(number: int, **changes: Any) -> Derived:
    plain = Derived(
        digest=digest_bytes(bytes([number])),
        id=bytes(32),
        index=number,
        type="work",
        author=key(0),
        signed_for=None,
        time=0,
        existed_by=None,
        status="effective",
        relationship="parentOf",
        made="unknown",
        title=None,
    )
    return replace(plain, **changes)


def shown(*derived: Derived, total: int | None) -> str:
    rows = derived_rows(derived, total, name)
    return "\n".join(row if isinstance(row, str) else row[0] for row in rows)


def test_works_made_of_it() -> None:
    one = made_of_it(0, title="Poster", made="generated", relationship="x\x1b")
    two = made_of_it(1, status="unknown", signed_for=key(5))
    gone = made_of_it(2, status="withdrawn")
    works = [f"sha256 {digest_bytes(bytes([i]))[2:14].hex()}…" for i in range(2)]
    assert shown(one, two, gone, total=5).splitlines() == [
        "",
        "Works that say they were made of it (5 claims)",
        rf"    ├─ x\x1b {works[0]}  “Poster”, made by: AI-generated",
        "    │   claimed by K0",
        f"    └─ edited into {works[1]}  made by: unknown",
        "        claimed by K5, may be withdrawn",
        "    and 3 further claims, withdrawn ones among them",
    ]


def test_nothing_made_of_it_is_no_line() -> None:
    assert shown(total=0) == ""
    assert shown(total=None) == ""
    assert "number unknown" in shown(made_of_it(1), total=None)
    many = shown(*map(made_of_it, range(20)), total=20)
    assert f"and {20 - MOST_DERIVED} further claims" in many


@pytest.mark.parametrize(
    ("least", "greatest", "words"),
    [
        (0, 0, "none, back to the origins that people name"),
        (1, 1, "1 generation, back to the origins"),
        (0, 2, "0 to 2 generations, depending on the source one follows"),
        (0, None, "how many is unknown: the chain has gaps"),
        (2, None, "at least 2 generations; how many is unknown: the chain has gaps"),
    ],
)
def test_how_much_ai_lies_between(least: int, greatest: int | None, words: str) -> None:
    assert depth_words(least, greatest) == words
