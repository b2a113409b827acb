"""Queries: what a node answers, and what a reader without a log takes for true."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.bundle_headline import asked_key
from tests.support.logs import take_down
from tests.support.memory_log import MemoryLog
from tests.support.signed import key, signed, withdraw, work

from byline_ledger import crowd_page, crowd_reader
from byline_ledger.alarm import alarm_of_notes
from byline_ledger.bundle import Bundle, build_bundle
from byline_ledger.crowd_page import (
    CrowdPage,
    build_crowd_page,
    other_key,
    parse_crowd_page,
    role_of,
)
from byline_ledger.crowd_reader import CrowdReading, crowd_bits
from byline_ledger.digest import digest_bytes
from byline_ledger.entry import (
    author_key,
    commitment_entry,
    entry_of,
    source_key,
    subject_key,
)
from byline_ledger.errors import (
    ContradictionError,
    CorruptStoreError,
    MalformedError,
    ProofError,
    UsageError,
    VerificationError,
)
from byline_ledger.log import Ledger, LogView
from byline_ledger.lookup_set import first_bits
from byline_ledger.merkle import consistency_proof, inclusion_proof
from byline_ledger.query_messages import (
    AskBundle,
    AskCrowd,
    AskRoot,
    BundleAnswer,
    Busy,
    QueryRefusal,
    RootAnswer,
    parse_bundle_answer,
    parse_query_request,
    parse_root_answer,
)
from byline_ledger.query_reader import open_root, require_same_log
from byline_ledger.query_server import serve_query
from byline_ledger.verify import verify_bundle


def digest(name: str) -> bytes:
    return digest_bytes(name.encode())


PHOTO = work("photo")
TAKEN_BACK = work("taken back", key(2))
OTHERS = [work(f"other {number}", key(3)) for number in range(40)]
COLLAGE = work(
    "collage",
    key(4),
    sources=[
        {"digest": digest(name), "relationship": "componentOf"}
        for name in ("photo", "other 1")
    ],
)
GONE = work("gone", key(5))
REMARK = signed(digest("disputed only"), key(6), type="dispute", reason="authorship")


@contextmanager
def new_ledger(folder: Path) -> Iterator[Ledger]:
    ledger = Ledger.init(folder / "node")
    try:
        yield ledger
    finally:
        ledger.close()


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    with new_ledger(tmp_path_factory.mktemp("query")) as ledger:
        ledger.append([PHOTO, TAKEN_BACK, *OTHERS])
        ledger.append([COLLAGE, withdraw(TAKEN_BACK, key(2)), GONE, REMARK])
        take_down(ledger, GONE)
        yield ledger


@pytest.fixture
def view(ledger: Ledger) -> LogView:
    return ledger.view


def ask(view: LogView, name: str, bits: int, depth: int = 4) -> CrowdReading:
    """A whole reading."""
    reading = CrowdReading(digest(name), bits, depth)
    while not reading.is_done:
        reading.take(serve_query(view, reading.request()))
    return reading


def page_of(view: LogView, bits: int = 0, after: bytes = b"") -> CrowdPage:
    prefix = first_bits(subject_key(digest("photo")), bits)
    return build_crowd_page(view, AskCrowd(prefix, bits, 4, after))


def take(page: CrowdPage, bits: int = 0) -> CrowdReading:
    reading = CrowdReading(digest("photo"), bits)
    reading.take(page.to_bytes())
    return reading


# The crowd

NAMES = ["photo", "taken back", "collage", "gone", "disputed only", "unknown"]


@pytest.mark.parametrize("bits", [0, 1, 3, 9, 64])
@pytest.mark.parametrize("name", NAMES)
def test_who_asks_for_a_crowd_gets_the_bundle_that_an_open_query_gives(
    view: LogView, name: str, bits: int
) -> None:
    """For what is known, unknown and taken down, whatever the length of the prefix."""
    answer = ask(view, name, bits).answer()
    plain = build_bundle(view, digest(name), depth=4)
    assert answer.bundle == plain
    verdict = verify_bundle(answer.bundle, digest=digest(name))
    assert verdict.ok
    if bits == 0:
        assert answer.works == len(OTHERS) + 3
    assert answer.pages == 1


def test_the_request_is_the_same_for_all_works_of_a_crowd(view: LogView) -> None:
    """Nothing that is sent tells two works apart whose keys share the prefix."""
    bits = 2
    by_prefix: dict[bytes, set[tuple[bytes, ...]]] = {}
    for name in [f"other {number}" for number in range(40)]:
        reading, sent = CrowdReading(digest(name), bits), []
        while not reading.is_done:
            sent.append(reading.request())
            reading.take(serve_query(view, reading.request()))
        prefix = first_bits(subject_key(digest(name)), bits)
        by_prefix.setdefault(prefix, set()).add(tuple(sent))
    assert len(by_prefix) == 4
    assert all(len(requests) == 1 for requests in by_prefix.values())


def test_pages_go_on_where_the_last_one_ended(
    view: LogView, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crowd_page, "PAGE_BYTES", 1)
    reading = ask(view, "photo", 0)
    answer = reading.answer()
    assert answer.pages == len({key[:32] for key in all_strings(view)}) + 1
    assert answer.bundle == build_bundle(view, digest("photo"))
    for name in NAMES:
        assert ask(view, name, 2).answer().bundle == build_bundle(view, digest(name))


def all_strings(view: LogView) -> list[bytes]:
    return view.strings_under(b"", limit=10_000)


def test_a_page_ends_with_its_number_of_keys(
    view: LogView, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crowd_page, "MAX_KEYS", 3)
    first = page_of(view)
    keys = sorted({one[:32] for one in all_strings(view)})
    assert first.upto == keys[2]
    assert page_of(view, after=keys[-2]).upto == b""


def test_the_log_may_grow_between_two_pages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each page is complete as of its own tree."""
    monkeypatch.setattr(crowd_page, "PAGE_BYTES", 1)
    with new_ledger(tmp_path) as ledger:
        ledger.append(OTHERS[:5])
        reading = CrowdReading(digest("other 3"), 0)
        for number in range(5, 40):
            if reading.is_done:
                break
            reading.take(serve_query(ledger.view, reading.request()))
            ledger.append(OTHERS[number : number + 1])
        while not reading.is_done:
            reading.take(serve_query(ledger.view, reading.request()))
        verdict = verify_bundle(reading.answer().bundle, digest=digest("other 3"))
        assert verdict.ok
        assert verdict.answer is not None
        assert verdict.answer.known


def test_an_author_of_many_statements_costs_one_key(tmp_path: Path) -> None:
    """Its strings stay closed: the page says whose key it is, and no more."""
    with new_ledger(tmp_path) as ledger:
        ledger.append([work(f"work {number}") for number in range(300)])
        view = ledger.view
        lookup = author_key(key().public)
        request = AskCrowd(lookup[:8], 64, 4)
        page = build_crowd_page(view, request)
        assert page.others == (key().public,)
        assert page.bundles == ()
        assert len(page.opening) < 2_000
        assert crowd_reader._Page(page, request).verify()[1] == {}


def test_a_prefix_can_be_of_any_length(view: LogView) -> None:
    assert crowd_bits(0, 64) == 0
    assert crowd_bits(255, 64) == 0
    assert crowd_bits(511, 64) == 0
    assert crowd_bits(512, 64) == 1
    assert crowd_bits(4 << 20, 1) == 20
    assert crowd_bits(2**63 - 1, 1) == 60
    assert crowd_bits(1 << 90, 1) == 64


def test_an_empty_log_has_an_empty_page(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger:
        answer = ask(ledger.view, "photo", 0).answer()
    assert answer.works == 0
    assert verify_bundle(answer.bundle, digest=digest("photo")).ok


# Pages that lie


def refuse(page: CrowdPage, error: type[Exception], text: str, bits: int = 0) -> None:
    with pytest.raises(error, match=text):
        take(page, bits)


def test_a_work_that_was_left_out_is_noticed_whichever_is_meant(view: LogView) -> None:
    """Of no work does it show that it is the one that is asked for."""
    page = page_of(view)
    for number in range(len(page.bundles)):
        rest = page.bundles[:number] + page.bundles[number + 1 :]
        refuse(replace(page, bundles=rest), ProofError, "leaves out the key")


def test_a_key_that_was_left_out_is_noticed(view: LogView) -> None:
    page = page_of(view)
    refuse(replace(page, others=page.others[1:]), ProofError, "leaves out the key")
    refuse(replace(page, gone=()), ProofError, "leaves out the key")


def test_what_is_not_under_the_prefix_is_noticed(view: LogView) -> None:
    page, whole = page_of(view, 3), page_of(view, 0)
    stranger = next(one for one in whole.bundles if one not in page.bundles)
    bundles = sorted((*page.bundles, stranger), key=asked_key)
    text = "not under the prefix"
    refuse(replace(page, bundles=tuple(bundles)), ProofError, text, 3)
    others = sorted((*whole.others, bytes(32)), key=other_key)
    refuse(replace(whole, others=tuple(others)), ProofError, text)
    row = whole.gone
    without = next(b for b in range(1, 20) if not page_of(view, b).gone)
    refuse(replace(page_of(view, without), gone=row), ProofError, text, without)


def test_the_order_is_the_only_one(view: LogView) -> None:
    page = page_of(view)
    text = "order of its keys"
    refuse(replace(page, bundles=page.bundles[::-1]), ProofError, text)
    refuse(
        replace(page, others=page.others[:1] * 2 + page.others[1:]), ProofError, text
    )


def test_another_tree_is_noticed(view: LogView, tmp_path: Path) -> None:
    page = page_of(view)
    with new_ledger(tmp_path) as other:
        other.append([PHOTO])
        strange = page_of(other.view)
    refuse(replace(page, bundles=strange.bundles), ProofError, "of another tree")
    refuse(replace(page, note=strange.note), VerificationError, "checkpoint")
    refuse(replace(page, proof=page.proof[::-1]), ProofError, "proof")
    refuse(replace(page, opening=strange.opening), ProofError, "opening")


def test_a_tree_of_nothing_commits_to_nothing() -> None:
    from byline_ledger.checkpoint import Checkpoint, sign_checkpoint
    from byline_ledger.lookup_set import LookupSet
    from byline_ledger.merkle import EMPTY_ROOT

    log = MemoryLog(1)
    note = sign_checkpoint(Checkpoint(log.origin, 0, EMPTY_ROOT), log.key)
    page = CrowdPage((), (), log.vkey, note, b"\x02\x00", (), (), 0, b"")
    assert LookupSet.empty().count == 0
    refuse(page, ProofError, "empty tree")


def test_a_false_bundle_of_any_work_fails_the_page(view: LogView) -> None:
    page = page_of(view)
    for number, data in enumerate(page.bundles):
        bundle = Bundle.from_bytes(data)
        if len(bundle.statements) < 2:
            continue
        short = replace(bundle, statements=bundle.statements[:1]).to_bytes()
        bundles = (*page.bundles[:number], short, *page.bundles[number + 1 :])
        refuse(
            replace(page, bundles=bundles), VerificationError, "a bundle of the page"
        )


def test_an_end_where_no_key_is_is_noticed(view: LogView) -> None:
    text = "does not end with the key"
    refuse(replace(page_of(view), upto=b"\xff" * 32), ProofError, text)
    refuse(replace(page_of(view), upto=bytes(32)), ProofError, text)


def test_an_end_before_the_end_leaves_something_open(
    view: LogView, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither can more be opened than the page covers, nor less be said."""
    page = page_of(view)
    keys = sorted({one[:32] for one in all_strings(view)})
    refuse(replace(page, upto=keys[3]), ProofError, "not under the prefix")
    monkeypatch.setattr(crowd_page, "MAX_KEYS", 3)
    refuse(replace(page_of(view), upto=b""), ProofError, "leaves out the key")
    refuse(replace(page_of(view), opening=page.opening), ProofError, "shows more")


def test_a_row_of_what_was_taken_down_has_its_place(view: LogView) -> None:
    page = page_of(view)
    (row,) = page.gone
    left = row.left
    moved = replace(row, left=replace(left, index=left.index - 1))
    refuse(replace(page, gone=(moved,)), ProofError, "proof")
    behind = replace(row, left=replace(left, index=view.size - 1))
    refuse(replace(page, gone=(behind,)), ProofError, "in a tree of")
    other = replace(left, entry=replace(left.entry, tag=bytes(8)))
    stranger = replace(row, left=other)
    refuse(replace(page, gone=(stranger,)), ProofError, "leaves out the key")


def test_all_pages_are_of_one_log(
    view: LogView, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crowd_page, "PAGE_BYTES", 1)
    reading = CrowdReading(digest("photo"), 0)
    reading.take(serve_query(view, reading.request()))
    with (
        new_ledger(tmp_path) as other,
        pytest.raises(VerificationError, match="different logs"),
    ):
        reading.take(serve_query(other.view, reading.request()))
    with pytest.raises(RuntimeError, match="not read to its end"):
        reading.answer()


@pytest.mark.parametrize("name", ["MAX_PAGES", "MAX_BYTES"])
def test_what_is_under_a_prefix_has_a_bound(
    view: LogView, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crowd_reader, name, 0)
    with pytest.raises(UsageError, match="there is more than"):
        ask(view, "photo", 0)


def test_roles(view: LogView, tmp_path: Path) -> None:
    """A key is a subject's, an author's or a source's; nobody can say which is gone."""
    role = role_of(view, source_key(digest("photo")))
    assert role == crowd_page.Other(digest("photo"))
    assert role_of(view, author_key(key(4).public)) == crowd_page.Other(key(4).public)
    assert role_of(view, subject_key(digest("photo"))) == crowd_page.Subject(
        digest("photo")
    )
    assert role_of(view, subject_key(digest("gone"))) is None


class Damaged:
    """A view whose store lacks, or has other, statements."""

    def __init__(self, view: LogView, found: object) -> None:
        self.lookup_set, self.read_strings = view.lookup_set, view.read_strings
        self.statement = lambda _id: found


@pytest.mark.parametrize("found", [None, TAKEN_BACK])
def test_a_store_that_is_wrong_is_damaged(view: LogView, found: object) -> None:
    with pytest.raises(CorruptStoreError, match=r"lacks|missing"):
        role_of(Damaged(view, found), subject_key(digest("photo")))  # type: ignore[arg-type]


# Roots


def root_of(log: MemoryLog, seen: int = 0) -> RootAnswer:
    since = consistency_proof(seen, log.size, log.node) if seen else ()
    proof = inclusion_proof(log.size - 1, log.size, log.node)
    return RootAnswer(log.log[-1], log.checkpoint, tuple(proof), tuple(since), log.vkey)


def test_a_root_is_that_of_the_log(view: LogView) -> None:
    answer = parse_root_answer(serve_query(view, AskRoot(0).to_bytes()))
    assert isinstance(answer, RootAnswer)
    root = open_root(answer)
    assert (root.strings, root.set_root) == (view.set_count, view.set_root)
    assert (root.vkey, root.note) == (view.vkey, view.checkpoint)
    assert answer.since == ()
    assert root_since(view, view.size).since == ()
    assert root_since(view, view.size + 9).since == ()
    assert root_since(view, 1).since == tuple(view.consistency_proof(1))


def root_since(view: LogView, seen: int) -> RootAnswer:
    answer = parse_root_answer(serve_query(view, AskRoot(seen).to_bytes()))
    assert isinstance(answer, RootAnswer)
    return answer


def test_a_root_that_is_not_committed_to_is_refused() -> None:
    log = MemoryLog(1)
    log.append(OTHERS[:3])
    good = root_of(log)
    assert open_root(good).strings == log.set_count
    lie = replace(good, entry=commitment_entry(99, bytes(32)))
    with pytest.raises(ProofError):
        open_root(lie)
    with pytest.raises(ProofError, match="not a commitment"):
        open_root(replace(good, entry=entry_of(PHOTO).to_bytes()))
    with pytest.raises(VerificationError):
        open_root(replace(good, vkey=MemoryLog(2).vkey))


def test_two_notes_of_one_log_agree_or_are_an_alarm() -> None:
    log, fork = MemoryLog(1), MemoryLog(1)
    log.append(OTHERS[:3])
    old, size = log.checkpoint, log.size
    log.append(OTHERS[3:9])
    since = root_of(log, size).since
    require_same_log(log.vkey, old, log.checkpoint, since)
    require_same_log(log.vkey, log.checkpoint, old, since)
    require_same_log(log.vkey, old, old, None)
    require_same_log(log.vkey, old, log.checkpoint, None)
    fork.append(OTHERS[6:9])
    with pytest.raises(ContradictionError, match="cannot both be true") as caught:
        require_same_log(log.vkey, old, fork.checkpoint, ())
    error = caught.value
    assert alarm_of_notes(error.vkey, error.notes, error.proof) is not None
    fork.append(OTHERS[10:20])
    false = root_of(fork, size).since
    with pytest.raises(ContradictionError) as caught:
        require_same_log(log.vkey, old, fork.checkpoint, false)
    error = caught.value
    assert alarm_of_notes(error.vkey, error.notes, error.proof) is not None
    # A proof that leads nowhere accuses whoever sent it, and not the log.
    with pytest.raises(ContradictionError) as caught:
        require_same_log(log.vkey, old, log.checkpoint, (bytes(32),))
    error = caught.value
    assert alarm_of_notes(error.vkey, error.notes, error.proof) is None


# Messages


def test_a_bundle_is_the_one_that_http_gives(view: LogView) -> None:
    request = AskBundle(digest("photo"), 2).to_bytes()
    answer = parse_bundle_answer(serve_query(view, request))
    assert answer == BundleAnswer(build_bundle(view, digest("photo"), depth=2))


def test_refusals_come_in_place_of_any_answer() -> None:
    for refused in (QueryRefusal("no"), Busy(7)):
        assert parse_bundle_answer(refused.to_bytes()) == refused
        assert parse_root_answer(refused.to_bytes()) == refused
    assert parse_bundle_answer(Busy(0).to_bytes()) == Busy(1)
    assert parse_bundle_answer(Busy(99_999).to_bytes()) == Busy(3_600)
    long = parse_root_answer(QueryRefusal("x" * 500).to_bytes())
    assert long == QueryRefusal("x" * 200)


def test_a_request_that_is_none_is_malformed(view: LogView) -> None:
    with pytest.raises(MalformedError):
        serve_query(view, b"\x80")
    with pytest.raises(MalformedError):
        parse_query_request(b"\x81\xa3ask\x01")


def test_pages_survive_writing_and_reading(view: LogView) -> None:
    page = page_of(view)
    assert page.gone
    assert parse_crowd_page(page.to_bytes()) == page
