"""Bundles of many works to keep: each work is in one that answers for it in full."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from tests.support.signed import work

from byline_ledger.answer import Answer
from byline_ledger.digest import digest_bytes
from byline_ledger.verify import verify_bundle
from byline_node.home import Home
from byline_node.local import LocalClient
from byline_node.many_works import Asking, prove_all

WORKS = [digest_bytes(f"w{number}".encode()) for number in range(5)]


def test_bundles_verify_and_hold_the_answers(tmp_path: Path) -> None:
    with LocalClient(Home(tmp_path)) as client:
        client.publish([work(f"w{number}") for number in range(3)])
        ((data, answers),) = client.prove_many(WORKS, depth=1)
    assert set(answers) == set(WORKS)
    again = {one.asked: one for one in verify_bundle(data, digests=WORKS).answers}
    assert again == answers
    assert [answers[one].known for one in WORKS] == [True] * 3 + [False] * 2


class Cutting:
    """Answers of more than one work are cut for the works named."""

    def __init__(self, cut: Sequence[bytes]) -> None:
        self._cut = cut

    def question(self, digests: Sequence[bytes]) -> tuple[bytes, ...]:
        return tuple(digests)

    def read(
        self, bundle: bytes, digests: Sequence[bytes]
    ) -> tuple[dict[bytes, Any], list[bytes]]:
        answers = dict.fromkeys(digests, bundle)
        if len(digests) == 1:
            return answers, []
        return answers, [one for one in digests if one in self._cut]


def proven(cut: Sequence[bytes]) -> list[list[bytes]]:
    asking = cast("Asking", Cutting(cut))
    bundles = prove_all(WORKS, asking, lambda asked: repr(asked).encode(), 3)
    answers: list[dict[bytes, Answer]] = [found for _, found in bundles]
    return [list(one) for one in answers]


def test_works_that_were_cut_short_are_asked_for_alone() -> None:
    assert proven([]) == [WORKS[:3], WORKS[3:]]
    first, *alone, last = proven([WORKS[1]])
    assert (first, alone, last) == ([WORKS[0], WORKS[2]], [[WORKS[1]]], WORKS[3:])
    assert sorted(proven(WORKS)) == sorted([one] for one in WORKS)
