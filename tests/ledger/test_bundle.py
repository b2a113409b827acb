"""Bundles from a real ledger: the answer is right, and no part can be left out."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from byline_ledger.answer import EFFECTIVE, NO_EFFECT
from byline_ledger.bundle import Bundle, build_bundle
from byline_ledger.chain import HISTORY_PAGE, OWN_PAGE, REMARK_PAGE, WORK_PAGE
from byline_ledger.codec import pack, split_map
from byline_ledger.content import (
    dispute_fields,
    endorse_fields,
    withdraw_fields,
    work_fields,
)
from byline_ledger.crypto import SigningKey
from byline_ledger.digest import digest_bytes, multihash
from byline_ledger.entry import author_tag, subject_key
from byline_ledger.errors import CorruptStoreError, MalformedError, UsageError
from byline_ledger.log import Ledger, LogView
from byline_ledger.opening import Found, Walk
from byline_ledger.policy import Policy
from byline_ledger.statement import Source, Statement, sign_statement
from byline_ledger.verify import verify_bundle

NOW = 1_790_000_000_000
KEYS = [SigningKey.from_seed(bytes([n]) * 32) for n in range(6)]


def digest(number: int) -> bytes:
    return digest_bytes(b"work %d" % number)


@dataclass
class Maker:
    """Makes statements with salts that differ, the same ones in every run."""

    random: Random

    def salt(self) -> bytes:
        return self.random.randbytes(16)

    def work(
        self, about: bytes, by: int = 0, sources: Sequence[bytes] = ()
    ) -> Statement:
        links = [Source(one, "componentOf") for one in sources]
        fields = work_fields(
            about=about, made="human", sources=links, time=NOW, salt=self.salt()
        )
        return sign_statement(fields, KEYS[by])

    def endorse(self, id_: bytes, by: int) -> Statement:
        fields = endorse_fields(
            statement_id=id_, role="witnessed", time=NOW, salt=self.salt()
        )
        return sign_statement(fields, KEYS[by])

    def dispute(self, id_: bytes, by: int) -> Statement:
        fields = dispute_fields(
            about=multihash(id_), reason="authorship", time=NOW, salt=self.salt()
        )
        return sign_statement(fields, KEYS[by])

    def withdraw(self, id_: bytes, by: int) -> Statement:
        fields = withdraw_fields(
            statement_id=id_, reason="mistaken", time=NOW, salt=self.salt()
        )
        return sign_statement(fields, KEYS[by])

    def rotate(self, old: int, new: bytes, by: int) -> Statement:
        fields = {
            "type": "rotate",
            "about": digest_bytes(KEYS[old].public),
            "successor": new,
            "time": NOW,
            "salt": self.salt(),
        }
        return sign_statement(fields, KEYS[by])


@contextmanager
def ledger_of(*batches: Sequence[Statement]) -> Iterator[Ledger]:
    with TemporaryDirectory() as folder:
        ledger = Ledger.init(Path(folder) / "node")
        try:
            for batch in batches:
                ledger.append(batch)
            yield ledger
        finally:
            ledger.close()


@pytest.fixture
def make() -> Maker:
    return Maker(Random(7))


def mutate(bundle: bytes, **changes: object) -> bytes:
    return replace(Bundle.from_bytes(bundle), **changes).to_bytes()  # type: ignore[arg-type]


def failed(bundle: bytes, **known: object) -> list[str]:
    verdict = verify_bundle(bundle, **known)  # type: ignore[arg-type]
    return [level.name for level in verdict.levels if level.status == "failed"]


histories = st.lists(
    st.tuples(
        st.sampled_from(["work", "endorse", "dispute", "withdraw", "rotate", "commit"]),
        st.integers(0, 5),
        st.integers(0, 30),
    ),
    max_size=60,
)


@given(histories)
@settings(max_examples=40, deadline=None)
def test_any_history_gives_bundles_that_verify_and_lack_nothing(
    history: list[tuple[str, int, int]],
) -> None:
    """Counts and withdrawals are those of a plain look over all statements."""
    make, batches = Maker(Random(1)), list[list[Statement]]([[]])
    works: list[Statement] = []
    for kind, by, pick in history:
        if kind == "commit":
            batches.append([])
        elif kind == "work" or not works:
            sources = [digest(pick)] if pick % 3 == 0 and pick != by else []
            works.append(make.work(digest(by), by, sources))
            batches[-1].append(works[-1])
        elif kind == "rotate":
            batches[-1].append(make.rotate(by, KEYS[pick % 6].public, by))
        else:
            chosen = works[pick % len(works)]
            batches[-1].append(getattr(make, kind)(chosen.id, by))
    everything = [one for batch in batches for one in batch]
    with ledger_of(*batches) as ledger:
        for number in range(7):
            verdict = verify_bundle(build_bundle(ledger.view, digest(number)))
            assert verdict.ok, verdict.failure()
            assert verdict.answer is not None
            work = verdict.answer.works[0]
            about_it = {one.id for one in everything if one.about == digest(number)}
            assert about_it == {one.id for one in work.claims}
            for claim in work.claims:
                about = withdrawals(everything, claim.id)
                in_time = [one for one in about if not is_late(one, everything)]
                assert in_time or claim.status != "withdrawn"
                by_author = [one for one in in_time if one.author == claim.author]
                assert claim.status == "withdrawn" or not by_author


def withdrawals(everything: list[Statement], id_: bytes) -> list[Statement]:
    what = ("withdraw", multihash(id_))
    return [one for one in everything if (one.type, one.about) == what]


def is_late(said: Statement, everything: list[Statement]) -> bool:
    """Whether its author had rotated before."""
    before = everything[: everything.index(said)]
    return ("rotate", said.author) in {(one.type, one.author) for one in before}


def test_every_statement_of_a_bundle_is_missed_if_dropped(make: Maker) -> None:
    """A statement, a dispute, a withdrawal: the level that fails is completeness."""
    source = make.work(digest(1))
    work = make.work(digest(2), 1, [digest(1)])
    remarks = [
        make.endorse(work.id, 2),
        make.dispute(work.id, 3),
        make.withdraw(source.id, 0),
    ]
    with ledger_of([source, work], remarks) as ledger:
        bundle = build_bundle(ledger.view, digest(2))
    whole = Bundle.from_bytes(bundle).statements
    assert len(whole) == 5
    for at in range(5):
        dropped = mutate(bundle, statements=whole[:at] + whole[at + 1 :])
        assert failed(dropped)[0] == "completeness"


def test_what_was_withdrawn_later_is_a_different_bundle(make: Maker) -> None:
    """The bundle of an older checkpoint does not pass under the newer one."""
    work = make.work(digest(1))
    with ledger_of([work]) as ledger:
        before = build_bundle(ledger.view, digest(1))
        ledger.append([make.withdraw(work.id, 0)])
        after = Bundle.from_bytes(build_bundle(ledger.view, digest(1)))
    patched = mutate(before, checkpoint=after.checkpoint, proof=after.proof)
    assert failed(patched) == ["completeness", "inclusion"]


def test_depth_is_what_was_reached(make: Maker) -> None:
    """More or less than that does not verify, and a cut chain says so."""
    chain = [make.work(digest(n), 0, [digest(n + 1)]) for n in range(5)]
    others = [make.work(digest(1000 + n)) for n in range(300)]
    with ledger_of(chain, others) as ledger:
        whole = build_bundle(ledger.view, digest(0), depth=16)
        cut = build_bundle(ledger.view, digest(0), depth=2)
        with pytest.raises(UsageError):
            build_bundle(ledger.view, digest(0), depth=17)
    assert Bundle.from_bytes(whole).depth == 5
    assert verify_bundle(whole).answer.gaps == ()  # type: ignore[union-attr]
    assert "sources deeper than 2" in verify_bundle(cut).answer.gaps[0]  # type: ignore[union-attr]
    for depth in (4, 6):
        assert failed(mutate(whole, depth=depth)) == ["completeness"]
    for depth in (1, 3):
        assert failed(mutate(cut, depth=depth)) == ["completeness"]
    assert failed(cut, depth=3) == ["completeness"]
    assert failed(whole, depth=9) == []


def test_a_flood_of_remarks_cannot_hide_a_withdrawal(make: Maker) -> None:
    """Strangers come as a page with a proven count; the author's own word is proven."""
    work = make.work(digest(1))
    flood = [make.endorse(work.id, 1 + n % 5) for n in range(200)]
    with ledger_of([work], flood, [make.withdraw(work.id, 0)]) as ledger:
        answer = verify_bundle(build_bundle(ledger.view, digest(1))).answer
    assert answer is not None
    (claim,) = answer.works[0].claims
    assert claim.status == "withdrawn"
    assert claim.remarks_total == 201
    shown = len(claim.endorsements)
    assert REMARK_PAGE - 1 <= shown <= REMARK_PAGE + 15


def test_an_author_who_floods_the_own_claim_makes_it_unknown(make: Maker) -> None:
    """Where a withdrawal might be hidden, nothing is called effective."""
    work = make.work(digest(1))
    flood = [make.endorse(work.id, 0) for _ in range(REMARK_PAGE + OWN_PAGE + 40)]
    with ledger_of([work], flood) as ledger:
        answer = verify_bundle(build_bundle(ledger.view, digest(1))).answer
    assert answer is not None
    assert answer.works[0].claims[0].status == "unknown"


def test_a_withdrawal_that_any_page_shows_counts() -> None:
    """Whoever floods the own claim withdraws it all the same, if that is shown."""
    withdrawn = 0
    for seed in range(8):
        make = Maker(Random(seed))
        work = make.work(digest(1))
        flood = [make.endorse(work.id, 0) for _ in range(REMARK_PAGE - 1)]
        with ledger_of([work, *flood, make.withdraw(work.id, 0)]) as ledger:
            verdict = verify_bundle(build_bundle(ledger.view, digest(1)))
        assert verdict.answer is not None
        (claim,) = verdict.answer.works[0].claims
        # All 32 are on the page of remarks, not all on that of the author's own word.
        assert claim.remarks_total == REMARK_PAGE == len(claim.endorsements) + 1
        assert claim.withdrawal is not None
        assert (claim.status, claim.others) == ("withdrawn", ())
        withdrawn += "more statements of a key" in str(verdict.answer.gaps)
    assert withdrawn, "the own page held everything in every log"


def test_where_it_is_unknown_who_may_act_a_withdrawal_is_not_without_effect(
    make: Maker,
) -> None:
    """A rotation hidden in a flood leaves both claim and withdrawal open."""
    work = make.work(digest(1))
    batch = [work, make.rotate(0, KEYS[1].public, 0)]
    batch += [make.rotate(0, b"no key", 0) for _ in range(HISTORY_PAGE + 40)]
    withdrawal = make.withdraw(work.id, 1)
    with ledger_of([*batch, withdrawal]) as ledger:
        verdict = verify_bundle(build_bundle(ledger.view, digest(1)))
    assert verdict.answer is not None
    (claim,) = verdict.answer.works[0].claims
    assert claim.status == "unknown"
    assert [(one.id, one.status) for one in claim.others] == [
        (withdrawal.id, "unknown")
    ]


def test_a_field_of_millions_of_arrays_is_refused_before_it_is_decoded() -> None:
    """32 MiB of nothing must not become gigabytes."""
    with ledger_of([]) as ledger:
        good = build_bundle(ledger.view, digest(1))
    many = 1 << 20
    flood = b"\xdd" + many.to_bytes(4, "big") + b"\x90" * many
    fields = split_map(good, max_size=1 << 20, max_items=16)
    for name in set(fields) - {"statements"}:
        flooded = [
            (pack(key) + value) for key, value in {**fields, name: flood}.items()
        ]
        bundle = bytes([0x80 + len(fields)]) + b"".join(flooded)
        tracemalloc.start()
        with pytest.raises(MalformedError):
            verify_bundle(bundle)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 8 * many, name


def test_a_flood_of_claims_is_counted(make: Maker) -> None:
    """More claims than a page: the number is proven, the rest is said to be missing."""
    claims = [make.work(digest(1), n % 6) for n in range(WORK_PAGE + 60)]
    with ledger_of(claims) as ledger:
        verdict = verify_bundle(build_bundle(ledger.view, digest(1)))
    assert verdict.answer is not None
    work = verdict.answer.works[0]
    assert work.total == WORK_PAGE + 60
    # The page, and 6 authors' pages: those of who came first.
    assert WORK_PAGE <= len(work.claims) < WORK_PAGE + 60


def test_a_successor_withdraws_and_a_contested_one_raises_doubt(make: Maker) -> None:
    """One named successor acts for the author; of two neither does, but who knows."""
    for successors, status in (((1,), "withdrawn"), ((1, 2), "unknown")):
        work = make.work(digest(1))
        rotations = [make.rotate(0, KEYS[one].public, 0) for one in successors]
        stranger = make.rotate(0, KEYS[3].public, 3)
        batch = [
            work,
            *rotations,
            stranger,
            make.withdraw(work.id, 1),
            make.withdraw(work.id, 3),
        ]
        with ledger_of(batch) as ledger:
            answer = verify_bundle(build_bundle(ledger.view, digest(1))).answer
        assert answer is not None
        assert answer.works[0].claims[0].status == status


def test_who_acts_and_is_a_rival_is_asked_once(
    make: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Key 0 names 1 and 2 to follow it, and claims a work on behalf of 1."""
    rotations = [make.rotate(0, KEYS[one].public, 0) for one in (1, 2)]
    fields = {**make.work(digest(1)).fields, "for": KEYS[1].public}
    claim = sign_statement(fields, KEYS[0])
    taken_back = make.withdraw(claim.id, 1)
    own = subject_key(multihash(claim.id)) + author_tag(KEYS[1].public)
    asked: list[bytes] = []
    find = Walk.find

    def noted(walk: Walk, prefix: bytes, limit: int) -> Found:
        asked.append(prefix)
        return find(walk, prefix, limit)

    with ledger_of([*rotations, claim, taken_back]) as ledger:
        bundle = build_bundle(ledger.view, digest(1))
    monkeypatch.setattr(Walk, "find", noted)
    assert verify_bundle(bundle).ok
    assert asked.count(own) == 1


def test_strange_fields_of_a_rotation_are_no_successor(make: Maker) -> None:
    """A successor that is a list, a map or too short is ignored, not crashed on."""
    work = make.work(digest(1))
    odd = [make.rotate(0, value, 0) for value in ([1], {"a": 1}, b"short", 7)]  # type: ignore[arg-type]
    with ledger_of([work, *odd]) as ledger:
        verdict = verify_bundle(build_bundle(ledger.view, digest(1)))
    assert verdict.ok
    assert verdict.answer is not None
    assert verdict.answer.keys[0].successor is None


def test_absence_is_proven_and_only_for_what_is_absent(make: Maker) -> None:
    """Nothing known is an answer with a proof; it does not serve for another digest."""
    with ledger_of([make.work(digest(n)) for n in range(40)]) as ledger:
        nothing = build_bundle(ledger.view, digest(99))
    verdict = verify_bundle(nothing, digest=digest(99))
    assert verdict.ok
    assert verdict.answer is not None
    assert not verdict.answer.known
    assert failed(mutate(nothing, asked=(digest(3),))) == ["completeness"]


def test_two_logs_do_not_mix(make: Maker) -> None:
    """Another log's checkpoint or key fails at the log's level or at completeness."""
    with ledger_of([make.work(digest(1))]) as ledger:
        mine = build_bundle(ledger.view, digest(1))
    with ledger_of([make.work(digest(2))]) as ledger:
        other = Bundle.from_bytes(build_bundle(ledger.view, digest(2)))
    assert "log" in failed(mutate(mine, checkpoint=other.checkpoint))
    assert failed(mutate(mine, log=other.log)) == ["log"]
    both = mutate(mine, log=other.log, checkpoint=other.checkpoint)
    assert "completeness" in failed(both)


def test_the_file_and_the_policy_count(make: Maker) -> None:
    """The wrong file, the wrong question, a log that nobody named."""
    with ledger_of([make.work(digest(1))]) as ledger:
        bundle = build_bundle(ledger.view, digest(1))
        vkey = ledger.view.vkey
    assert failed(bundle, digest=digest(1), work=digest(1)) == []
    assert failed(bundle, work=digest(2)) == ["asked"]
    assert failed(bundle, digest=digest(2)) == ["asked"]
    trusting = Policy.from_bytes(f"log {vkey}\nquorum none\n".encode())
    assert failed(bundle, policy=trusting) == []
    with ledger_of([]) as stranger:
        named = Policy.from_bytes(f"log {stranger.view.vkey}\nquorum none\n".encode())
    assert failed(bundle, policy=named) == ["trust"]


@given(st.binary(max_size=300))
def test_any_bytes_parse_or_are_malformed(data: bytes) -> None:
    """Bytes from outside parse or raise MalformedError, never anything else."""
    try:
        verify_bundle(data)
    except MalformedError:
        return
    raise AssertionError("random bytes are no bundle")


@pytest.mark.parametrize("row", [[0, "text", b""], [0, b"", 7]])
def test_a_row_of_other_types_is_malformed(make: Maker, row: list[Any]) -> None:
    with ledger_of([make.work(digest(1))]) as ledger:
        bundle = build_bundle(ledger.view, digest(1))
    fields = split_map(bundle, max_size=1 << 20, max_items=16)
    changed = fields | {"statements": pack([row])}
    data = bundle[:1] + b"".join(pack(k) + v for k, v in changed.items())
    with pytest.raises(MalformedError):
        Bundle.from_bytes(data)


def test_a_history_beyond_what_a_bundle_may_hold_is_a_gap(
    make: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then nobody can say whether the claim still stands."""
    monkeypatch.setattr("byline_ledger.key_lookups.MAX_EVIDENCE", 2000)
    with ledger_of([make.work(digest(1))]) as ledger:
        verdict = verify_bundle(build_bundle(ledger.view, digest(1)))
    assert verdict.answer is not None
    assert "statements beyond 2000 bytes are not followed" in verdict.answer.gaps
    assert verdict.answer.works[0].claims[0].status != "effective"


@dataclass
class Without:
    """A view of a store that lost something."""

    view: LogView
    lost: str

    def __getattr__(self, name: str) -> Any:
        return (lambda _id: None) if name == self.lost else getattr(self.view, name)


def test_a_store_that_lost_what_its_set_lists_is_damaged(make: Maker) -> None:
    with (
        ledger_of([make.work(digest(1))]) as ledger,
        pytest.raises(CorruptStoreError, match="the index of statement"),
    ):
        build_bundle(Without(ledger.view, "index_of"), digest(1))  # type: ignore[arg-type]


def test_a_second_withdrawal_by_the_author_is_effective_too(make: Maker) -> None:
    claim = make.work(digest(1))
    withdrawals = [make.withdraw(claim.id, by) for by in (0, 0, 3)]
    with ledger_of([claim], withdrawals[:1], withdrawals[1:]) as ledger:
        answer = verify_bundle(build_bundle(ledger.view, digest(1))).answer
    assert answer is not None
    (found,) = answer.works[0].claims
    assert found.withdrawal is not None
    assert found.withdrawal.id == withdrawals[0].id
    assert {one.id: one.status for one in found.others} == {
        withdrawals[1].id: EFFECTIVE,
        withdrawals[2].id: NO_EFFECT,
    }
