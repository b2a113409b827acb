"""Bundles in which bodies were taken down, and bundles that say how old things are."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from bundle_cases import Case, bad, case
from bundle_logs import (
    WITNESS_TIME,
    WITNESSES,
    Fields,
    claim,
    dispute,
    endorse,
    new_log,
    policy,
    rotate,
    withdraw,
    witness_name,
    work_of,
)
from naive_bundle import Key, Said, consistency, cosignature, entry_of, pack, say
from naive_prover import View, encode

WHEN = 1_770_000_000_000
DAY = 86_400


class Gone:
    """A log of two batches, some of whose bodies are taken down."""

    def __init__(self) -> None:
        log = self.log = new_log("gone")
        author, other, stranger = map(Key, ("author", "other", "stranger"))
        allowed = {"uses": {"cawg.ai_generative_training": {"use": "allowed"}}}
        first = claim(author, "own word", **allowed)
        second = claim(author, "remarked", **allowed)
        third = claim(author, "rivals", **allowed)
        fourth = claim(other, "old key", **allowed)
        fifth = claim(stranger, "mixed", **allowed)
        self.older = log.publish([first, second, third, fourth, fifth])
        word = withdraw(author, first)
        remark = dispute(stranger, second.name)
        rival = claim(stranger, "rivals")
        turn = rotate(other, Key("next").public)
        settled = withdraw(stranger, fifth)
        kept = endorse(author, fifth)
        lost = endorse(other, fifth)
        batch = [word, remark, rival, turn, settled, kept, lost]
        self.gone = {"word": word, "remark": remark, "rival": rival, "turn": turn}
        self.kept = kept
        for said in (*self.gone.values(), lost):
            log.take_down(said, "court order", WHEN)
        self.view = log.publish(batch)

    def bundle(self, name: str) -> tuple[Fields, dict[str, Any]]:
        return self.view.bundle(work_of(name), 4)

    def spoiled(self) -> Fields:
        """The bundle for "own word", to be spoiled."""
        return deepcopy(self.bundle("own word")[0])


GONE = Gone()

WORKS = {
    "own word": "what its author said of the claim was taken down: unknown",
    "remarked": "what a stranger said of the claim was taken down: unknown",
    "rivals": "another statement about the work was taken down: unknown",
    "old key": "what the author's key said of itself was taken down: unknown",
    "mixed": "withdrawn, whatever else was taken down",
}


def gone_cases() -> Iterator[tuple[str, str, View, bytes]]:
    """Name, reason, view and digest of bundles that hold."""
    for name, why in WORKS.items():
        yield f"taken down: {name}", why, GONE.view, work_of(name)


def bad_gone_cases() -> Iterator[Case]:
    asked = work_of("own word")
    row = GONE.spoiled()["redacted"][0]
    index, entry, tombstone = row
    said = GONE.gone["word"]
    there = GONE.view.row(GONE.kept.id)

    def put(name: str, why: str, level: str, **fields: Any) -> Case:
        spoiled = GONE.spoiled() | fields
        return bad(level, f"taken down: {name}", why, spoiled, digest=asked)

    yield put(
        "at another index",
        "its proof fails",
        "inclusion",
        redacted=[[index + 1, entry, tombstone]],
    )
    yield put("without proof", "nothing leads to the root", "inclusion", inclusion=b"")
    yield put("left out", "an owed statement is missing", "completeness", redacted=[])
    other = entry_of(GONE.gone["remark"])
    yield put(
        "another entry",
        "the one listed is missing",
        "completeness",
        redacted=[[index, other, tombstone]],
    )
    wrong_tag = entry[:33] + bytes(8) + entry[41:]
    yield put(
        "under another tag",
        "the string is not this entry's",
        "completeness",
        redacted=[[index, wrong_tag, tombstone]],
    )
    both = sorted(
        [*GONE.spoiled()["statements"], [index, said.envelope]],
        key=lambda one: id_of(one[1]),
    )
    yield put(
        "and there as well",
        "one statement, told twice",
        "completeness",
        statements=both,
    )
    yield put(
        "commitment",
        "not the entry of a statement",
        "malformed",
        redacted=[[index, b"\x01" + bytes(40), tombstone]],
    )
    yield put(
        "bad entry",
        "not an entry",
        "malformed",
        redacted=[[index, b"\x07", tombstone]],
    )
    for name, bytes_ in (
        ("no tombstone", b""),
        ("tombstone without reason", pack({"time": 1})),
        ("tombstone of two lines", pack({"reason": "a\nb", "time": 1})),
    ):
        yield put(
            name,
            "not a tombstone",
            "malformed",
            redacted=[[index, entry, bytes_]],
        )
    yield put("row of two", "a row too short", "malformed", redacted=[[index, entry]])
    yield put("twice", "not in ascending order", "malformed", redacted=[row, row])
    yield put(
        "row of a statement", "a row of the other kind", "malformed", redacted=[there]
    )


def id_of(envelope: bytes) -> bytes:
    from bundle_cases import id_in

    return id_in(envelope)


# Time


class Dated:
    """A log of three trees, each cosigned a day after the one before."""

    def __init__(self) -> None:
        log = self.log = new_log("dated")
        author = Key("author")
        self.first = claim(author, "first")
        self.views = [log.publish([self.first])]
        self.second = say(author, "endorse", self.first.name, time=WHEN, role="archive")
        self.views.append(log.publish([self.second]))
        self.views.append(log.publish([claim(author, "third")]))

    @property
    def view(self) -> View:
        return self.views[-1]

    def note(self, number: int, *, later: int = 0) -> bytes:
        """The note of one of the trees; its second witness came `later`."""
        view, time = self.views[number], WITNESS_TIME + number * DAY
        lines = (
            cosignature(view.text, witness_name(name), WITNESSES[name], at)
            for name, at in (("one", time), ("two", time + later))
        )
        return view.note + b"".join(lines)

    def earlier(self, number: int, **further: Any) -> list[bytes]:
        """A row of `earlier`."""
        old = len(self.views[number].entries)
        proof = b"".join(consistency(old, self.view.entries))
        return [self.note(number, **further), proof]

    def fields(self, *earlier: list[bytes]) -> tuple[Fields, dict[str, Any]]:
        fields, answer = self.view.bundle(work_of("first"), 4)
        return {**fields, "checkpoint": self.note(2), "earlier": list(earlier)}, answer


DATED = Dated()


def ask(**further: Any) -> Fields:
    now = (WITNESS_TIME + 2 * DAY + 60) * 1000
    digest = work_of("first").hex()
    return {"policy": policy(DATED.view), "now": now, "digest": digest, **further}


def dated_cases(headline: Any) -> Iterator[Case]:
    index = DATED.log.index[DATED.first.id]
    second = DATED.log.index[DATED.second.id]
    for name, why, rows, times in (
        (
            "dated by earlier trees",
            "each statement by the first tree that holds it",
            [DATED.earlier(0), DATED.earlier(1)],
            {index: 0, second: DAY},
        ),
        (
            "dated by one earlier tree",
            "the second statement came after the only earlier tree",
            [DATED.earlier(0)],
            {index: 0, second: 2 * DAY},
        ),
        (
            "dated by the newest tree",
            "no earlier tree is shown",
            [],
            {index: 2 * DAY, second: 2 * DAY},
        ),
        (
            "dated when the quorum was complete",
            "the second witness signed the first tree an hour later",
            [DATED.earlier(0, later=3600)],
            {index: 3600, second: 2 * DAY},
        ),
    ):
        fields, answer = DATED.fields(*rows)
        answer = headline(DATED.view, fields, answer)
        answer["existed"] = {
            str(at): WITNESS_TIME + time for at, time in sorted(times.items())
        }
        yield case(
            name, why, encode(fields), {"level": "ok", "answer": answer}, ask(depth=4)
        )


def bad_dated_cases() -> Iterator[Case]:
    note, proof = DATED.earlier(0)
    stranger = Gone().older.note
    for name, why, row in (
        ("earlier tree without proof", "nothing leads to this tree", [note, b""]),
        ("earlier tree of another log", "its own key did not sign", [stranger, proof]),
        (
            "earlier tree as large",
            "it is not earlier",
            [DATED.note(2), b""],
        ),
    ):
        fields, _ = DATED.fields(row)
        yield case(name, why, encode(fields), {"level": "time"}, ask())
    fields, _ = DATED.fields()
    for name, why, value in (
        ("earlier row of one", "a row too short", [[note]]),
        ("earlier proof of odd bytes", "not made of hashes", [[note, b"x"]]),
        ("earlier trees too many", "33 of them", [[note, proof]] * 33),
        ("earlier note as text", "not bytes", [["note", proof]]),
    ):
        spoiled = encode({**fields, "earlier": value})
        yield case(name, why, spoiled, {"level": "malformed"}, ask())
    why = "older than the reader takes"
    yield case("too old", why, encode(fields), {"level": "freshness"}, ask(max_age=30))
    why = "the reader named an age, and no witness counts who could say it"
    rules = "\n".join([policy(DATED.view).split("\n")[0], "quorum none", ""])
    known = ask(max_age=30, policy=rules)
    yield case("of unknown age", why, encode(fields), {"level": "freshness"}, known)
    del known["policy"]
    why = "the reader named an age and has no policy"
    yield case(
        "of an age unknown to all", why, encode(fields), {"level": "freshness"}, known
    )


__all__ = ["Said", "bad_dated_cases", "bad_gone_cases", "dated_cases", "gone_cases"]
