"""The reader's book of names, and whole checks against real servers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.support.dns_server import dns_server
from tests.support.signed import key
from tests.support.tls_server import Authority, Page, tls_server

from byline_ledger.did import did_key
from byline_ledger.errors import CorruptStoreError, MalformedError
from byline_ledger.name_check import Finding, Step
from byline_ledger.name_proofs import NameProof
from byline_node import names
from byline_node.name_book import (
    MAX_NAMES,
    Entry,
    NameBook,
    format_page,
    parse_page,
)
from byline_node.name_book import (
    Page as BookPage,
)
from byline_node.name_fetch import Ways
from byline_node.names import Checked, check, is_known

KEY = key(1).public
PROOF = NameProof("domain-file", "studio.example")
PLC = "did:plc:abcdefghijklmnopqrstuvwx"


def result(time: int, outcome: str) -> Checked:
    step = Step("https://a.b/", 3, bytes(32), b"abc", "127.0.0.1:1")
    return Checked(time, Finding(outcome, f"reason {time}", (step,)))


def test_the_first_and_the_last_confirmation_and_the_last_result_are_kept() -> None:
    entry = Entry("dns-txt", "a.b", ())
    kept = []
    for time, letter in enumerate("rrccuucru"):
        outcome = {"r": "refuted", "c": "confirmed", "u": "unreachable"}[letter]
        entry = entry.with_result(result(time, outcome))
        kept.append([one.time for one in entry.results])
    assert kept == [
        *([0], [1], [2], [2, 3], [2, 3, 4], [2, 3, 5]),
        *([2, 6], [2, 6, 7], [2, 6, 8]),
    ]


def test_a_book_keeps_what_was_found(tmp_path: Path) -> None:
    book = NameBook(tmp_path / "names")
    assert book.page(KEY) == BookPage(KEY)
    assert list(book.shown()) == []
    book.record(KEY, PROOF, result(1, "confirmed"))
    book.show(KEY, "Mara Voss")
    book.record(KEY, PROOF, result(2, "unreachable"))
    page = NameBook(tmp_path / "names").page(KEY)
    entry = page.find("domain-file", "studio.example")
    assert entry is not None
    assert entry.results == (result(1, "confirmed"), result(2, "unreachable"))
    assert (entry.last.time, [one.time for one in entry.confirmed]) == (2, [1])
    assert page.find("dns-txt", "studio.example") is None
    assert list(book.shown()) == [(KEY, "Mara Voss")]
    book.show(key(2).public, "")
    assert list(book.shown()) == [(KEY, "Mara Voss")]


def test_names_without_a_confirmation_give_way_first() -> None:
    page = BookPage(KEY).with_result(
        NameProof("ssh", "a.b/first"), result(1, "refuted")
    )
    page = page.with_result(PROOF, result(2, "confirmed"))
    for i in range(MAX_NAMES):
        proof = NameProof("ssh", f"a.b/u{i}")
        page = page.with_result(proof, result(3 + i, "refuted"))
    assert len(page.entries) == MAX_NAMES
    assert page.find(PROOF.method, PROOF.name) is not None
    assert page.find("ssh", "a.b/first") is None
    assert page.find("ssh", "a.b/u0") is None


def test_a_page_that_was_harmed_is_named_and_left_out_of_comparisons(
    tmp_path: Path,
) -> None:
    book = NameBook(tmp_path)
    book.show(KEY, "Mara Voss")
    (path,) = tmp_path.iterdir()
    data = path.read_bytes()
    (tmp_path / "zzz.names").write_bytes(b"")
    other = did_key(key(2).public).removeprefix("did:key:")
    (tmp_path / f"{other}.names").write_bytes(data)
    assert list(book.shown()) == [(KEY, "Mara Voss")]
    with pytest.raises(CorruptStoreError, match="another key's"):
        book.page(key(2).public)
    path.write_bytes(data[:-1])
    with pytest.raises(CorruptStoreError):
        book.page(KEY)
    assert list(book.shown()) == []


def test_only_sound_pages_are_read() -> None:
    page = BookPage(KEY, "Mara").with_result(PROOF, result(1, "confirmed"))
    data = format_page(page)
    assert parse_page(data) == page
    for wrong in (
        b"\x80",
        b"\x90",
        format_page(BookPage(KEY[:31])),
        format_page(BookPage(KEY, "x" * 129)),
        format_page(BookPage(KEY, "", (Entry("ssh", "a", ()),))),
        format_page(BookPage(KEY, "", (Entry("fax", "a", (result(1, "refuted"),)),))),
        format_page(BookPage(KEY, "", page.entries * 2)),
        format_page(BookPage(KEY).with_result(PROOF, result(1, "perhaps"))),
        data.replace(b"version\x01", b"version\x02"),
        data.replace(b"steps\x91\x85", b"steps\x91\x95"),
        data.replace(b"\xa6digest\xc4\x20" + bytes(32), b"\xa6digest\xc4\x01a"),
        data.replace(b"\xa4time\x01", b"\xa4time\xa1x"),
        data.replace(b"\xa7results\x91", b"\xa7results\xa1"),
    ):
        with pytest.raises(MalformedError):
            parse_page(wrong)


def test_whole_checks_against_real_servers(tmp_path: Path) -> None:
    me, handle = did_key(KEY), "mara.studio.example"
    document = {"id": PLC, "alsoKnownAs": [f"at://{handle}", me]}
    pages: dict[str, Page] = {
        "studio.example/.well-known/byline.json": json.dumps({"keys": [me]}).encode(),
        f"plc.directory/{PLC}": json.dumps(document).encode(),
    }
    zone = {
        "_byline.studio.example": [f"byline-key={me}".encode()],
        f"_atproto.{handle}": [f"did={PLC}".encode()],
    }
    authority = Authority(tmp_path)
    hosts = "studio.example", "plc.directory"
    with tls_server(authority, pages, *hosts) as (port, _), dns_server(zone) as dns:
        way = {(host, 443): ("127.0.0.1", port) for host in hosts}
        ways = Ways(way, authority.file, dns)
        for method, name in (
            ("domain-file", "studio.example"),
            ("dns-txt", "studio.example"),
            ("atproto", handle),
        ):
            found = check(NameProof(method, name), KEY, ways)
            assert found.finding.outcome == "confirmed", found.finding.reason
            assert all(step.via for step in found.finding.steps)
            other = check(NameProof(method, name), key(2).public, ways)
            assert other.finding.outcome == "refuted"
            assert is_known(other)
    down = check(PROOF, KEY, ways)
    assert down.finding.outcome == "unreachable"
    assert not is_known(down)
    assert down.time > 1_700_000_000_000


def test_a_name_has_a_total_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "NAME_SECONDS", -1.0)
    found = check(PROOF, KEY)
    assert found.finding.outcome == "unreachable"
    assert "no answer in time" in found.finding.reason
