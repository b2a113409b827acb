"""Labels: figures, documents, pictures, and what is read of them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from tests.support.label_works import (
    PHOTO,
    SKETCH,
    TRAINING,
    WORDS,
    answer,
    claim,
    head,
    item,
    made,
    work,
)

from byline_ledger import label_table, label_tally
from byline_ledger.data_provenance import data_provenance
from byline_ledger.errors import MalformedError, ProofError, UsageError
from byline_ledger.label_card import card, size_category
from byline_ledger.label_document import (
    MAX_DIFFERENCES,
    MAX_LABEL,
    differences,
    headline,
    is_plain_name,
    label_bytes,
    parse_label,
)
from byline_ledger.label_drawing import INNER, Bar, Text, draw
from byline_ledger.label_html import to_html
from byline_ledger.label_maker import LabelMaker
from byline_ledger.label_svg import to_svg
from byline_ledger.label_tally import LabelTally, domain_of
from byline_ledger.label_words import (
    Words,
    near_words,
    percent,
    size_words,
    words_from_json,
)
from byline_ledger.manifest import ManifestRow
from byline_ledger.near_duplicates import MAX_CODES, clusters

DIGESTS = {"items.csv": "ab" * 32, "manifest.csv": "cd" * 32}


def test_figures_are_counted_from_the_works() -> None:
    label = made()
    assert headline(label)["items"] == {
        "human": 1,
        "assisted": 0,
        "generated": 1,
        "other": 0,
        "unknown": 0,
        "unattested": 1,
    }
    assert label["ingredients"]["generated"] == {"items": 1, "bytes": 8}
    assert label["consent"][TRAINING] == {
        "allowed": {"items": 1, "bytes": 7},
        "constrained": {"items": 0, "bytes": 0},
        "notAllowed": {"items": 1, "bytes": 8},
        "unknown": {"items": 1, "bytes": 0},
    }
    assert label["violations"] == {
        "items": 1,
        "bytes": 8,
        "first": [{"digest": f"sha256:{SKETCH[2:].hex()}", "path": "b,%0A.txt"}],
    }
    assert label["manifest"]["count"] == 3
    assert label["manifest"]["unsized"] == 1
    assert label["sources"]["domains"]["top"][0]["name"] == "a.example"
    assert label["log"]["size"] == 20
    assert label["date"] == "2026-01-01"


def test_depths_trust_and_violations_are_bounded() -> None:
    tally = LabelTally(TRAINING)
    for depth in (0, 1, 8, 30, None):
        tally.add(ManifestRow(2, PHOTO), item(greatest=depth))
    for _ in range(30):
        no = item("unknown", {TRAINING: "notAllowed"}, withdrawn=2, objections=3)
        tally.add(ManifestRow(2, PHOTO, bytes=1), no)
    figures = tally.figures()
    assert figures["synthetic_depth"] == {"0": 31, "1": 1, "8 or more": 2, "open": 1}
    assert figures["violations"]["items"] == 30
    assert len(figures["violations"]["first"]) == 20
    assert figures["trust"]["withdrawn"] == 30
    assert figures["objections"] == {"items": 30, "disputes": 90}


def test_lists_have_the_ten_most_frequent() -> None:
    tally = LabelTally(TRAINING)
    for number in range(12):
        some = item(models=("all", f"m-{number:02}"), source_type="x:" + "y" * 9)
        tally.add(ManifestRow(2, PHOTO), some)
    models = tally.figures()["models"]
    assert models["total"] == 13
    assert len(models["top"]) == 10
    assert models["top"][0] == {"name": "all", "items": 12, "bytes": 0}


def test_names_beyond_a_bound_are_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(label_tally, "MAX_NAMES", 8)
    tally = LabelTally(TRAINING)
    for number in (*range(9), 1, 1, 8):
        tally.add(ManifestRow(2, PHOTO, bytes=1), item(models=(f"m-{number}",)))
    models = tally.figures()["models"]
    assert models["total"] == 8
    assert models["top"][0] == {"name": "m-1", "items": 3, "bytes": 3}
    assert tally.figures()["ingredients"]["human"] == {"items": 12, "bytes": 12}


def test_near_duplicates_are_grouped_by_kind() -> None:
    tally = LabelTally(TRAINING)
    for code in (("image", 0xFF), ("image", 0xFE), ("text", 0xFF), ("text", 2**64 - 1)):
        tally.add(ManifestRow(2, PHOTO), item(code=code))
    assert tally.figures()["near_duplicates"] == {
        "bits": 12,
        "compared": 4,
        "clusters": 1,
        "items": 2,
        "largest": 2,
    }


def test_codes_beyond_a_bound_are_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(label_tally, "MAX_CODES", 2)
    tally = LabelTally(TRAINING)
    for _ in range(3):
        tally.add(ManifestRow(2, PHOTO), item(code=("image", 0xFF)))
    near = tally.figures()["near_duplicates"]
    assert (near["compared"], near["items"]) == (2, 2)


def test_what_is_connected_is_one_cluster() -> None:
    step = (1 << 12) - 1
    codes = [0, step << 12 | step, step, 2**64 - 1, 0xFF << 56 | 1 << 40, 0xFF << 56]
    assert clusters(codes) == [[0, 1, 2, 4, 5]]
    assert clusters([]) == []
    assert len(clusters([0] * (MAX_CODES // 64))) == 1


@pytest.mark.parametrize(
    ("url", "domain"),
    [
        ("https://www.A.example/x", "a.example"),
        ("http://u:p@b.example:80?q", "b.example"),
        ("no url", None),
        (None, None),
    ],
)
def test_domains_are_read_from_addresses(url: str | None, domain: str | None) -> None:
    assert domain_of(url) == domain


def test_a_label_is_of_one_log_and_its_oldest_tree() -> None:
    from dataclasses import replace

    maker = LabelMaker(TRAINING)
    first = answer(work(claim()))
    maker.add(ManifestRow(2, PHOTO), first, "p")
    older = replace(first, log_size=10, set_root=b"\x09" * 32)
    maker.add(ManifestRow(2, PHOTO), older, "p")
    maker.add(ManifestRow(2, PHOTO), first, "p")
    assert (maker.log.size, maker.log.set_root) == (10, b"\x09" * 32)
    with pytest.raises(ProofError, match="two logs"):
        maker.add(ManifestRow(2, PHOTO), replace(first, vkey="other+2"), "p")
    with pytest.raises(ProofError, match="another work"):
        maker.add(ManifestRow(2, SKETCH), first, "p")
    assert maker.total.count == 3


def test_a_line_of_items_has_its_columns() -> None:
    row = ManifestRow(2, PHOTO, 'a, "b"\n', 7)
    line = label_table.item_line(row, item(endorsed=True), "proofs/1")
    fields = label_table.fields_of(line)
    assert fields is not None
    assert fields["path"] == 'a, "b"%0A'
    assert fields["endorsed"] == "yes"
    assert (fields["entries"], fields["proof"]) == ("#1", "proofs/1")
    open_ = label_table.item_line(ManifestRow(2, PHOTO), item(greatest=None), "")
    assert label_table.fields_of(open_)["depth_greatest"] == ""  # type: ignore[index]
    assert label_table.fields_of("a,b\n") is None
    assert label_table.fields_of('"a') is None
    assert label_table.fields_of("") is None
    assert label_table.header_line().count(",") == line.count(",") - 1


def written(change: Callable[[dict[str, Any]], None] = lambda _: None) -> bytes:
    label = json.loads(
        label_bytes({**made(), "files": {"items.csv": "sha256:" + "ab" * 32}})
    )
    change(label)
    return label_bytes(label)


def test_a_label_reads_as_it_was_written() -> None:
    read = parse_label(written())
    assert read.head == head()
    assert read.log_size == 20
    assert read.files == {"items.csv": b"\x12\x20" + b"\xab" * 32}
    assert differences(read.said, json.loads(written())) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda label: label.update(format="byline-label/2"),
        lambda label: label.update(use="training"),
        lambda label: label.update(time="now"),
        lambda label: label.update(time=2**63),
        lambda label: label.update(creator="did:key:none"),
        lambda label: label.update(creator=7),
        lambda label: label.update(words={"colour": "red"}),
        lambda label: label.update(words=[]),
        lambda label: label.update(log={"size": 0}),
        lambda label: label.update(log=7),
        lambda label: label["manifest"].update(file="../manifest.csv"),
        lambda label: label["manifest"].update(digest="ab" * 32),
        lambda label: label["manifest"].update(digest="sha256:ab"),
        lambda label: label.update(files={"../x": "sha256:" + "ab" * 32}),
        lambda label: label.update(files={"a/b/c": "sha256:" + "ab" * 32}),
        lambda label: label.update(files={"a": 7}),
    ],
)
def test_a_label_that_is_not_sound_is_malformed(
    change: Callable[[dict[str, Any]], None],
) -> None:
    with pytest.raises(MalformedError):
        parse_label(written(change))


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{", b"[" * 100_000, b" " * MAX_LABEL + b"{}"]
)
def test_what_is_no_label_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedError):
        parse_label(data)


@pytest.mark.parametrize(
    "name", ["", ".x", "a/b", "a\\b", "ä", "a\n", "x" * 256, "a:b"]
)
def test_names_that_lead_elsewhere_are_none(name: str) -> None:
    assert not is_plain_name(name)
    assert is_plain_name("000001.byline")


def test_differences_are_named_by_their_place() -> None:
    said = {"a": {"b": 1, "c": [1, 2]}, "d": [1], "e": True, "f": {}, "g": "x" * 99}
    found = {"a": {"b": 2, "c": [1, 3]}, "d": [], "e": 1, "f": 1}
    assert differences(said, found) == [
        "d: 1 entries, the proofs give 0",
        "e: True, the proofs give 1",
        "f: a table, the proofs give 1",
        f"g: '{'x' * 76}..., the proofs give nothing",
        "a.b: 1, the proofs give 2",
        "a.c[1]: 2, the proofs give 3",
    ]
    many = {str(one): one for one in range(200)}
    assert len(differences(many, {})) == MAX_DIFFERENCES


def test_data_provenance_has_its_groups() -> None:
    found = data_provenance(made())
    assert found["source"]["issuer"] == "Ann"
    assert found["provenance"]["generation-method"] == "web-scraping-crawling"
    assert found["provenance"]["source"] == ["a.example"]
    assert found["use"]["consents"][TRAINING]["notAllowed"] == 1
    bare = data_provenance(made(Words()))
    assert "license" not in bare["use"]
    assert "generation-period" not in bare["provenance"]


def test_the_card_has_yaml_and_tables() -> None:
    text = card(made())
    _, front, body = text.split("---\n", 2)
    assert 'pretty_name: "My <set> | of [works]"' in front
    assert 'size_categories: ["n<1K"]' in front
    assert "synthetic:some" in front
    assert "# My \\<set\\> \\| of \\[works\\]" in body
    assert "- b,%0A.txt" in body
    assert "- biases: English alone" in body
    bare = card(made(Words()))
    assert 'license: "unknown"' in bare
    assert "What its maker says" not in bare


@pytest.mark.parametrize(
    ("words", "tag"),
    [(("human",), "no"), (("human", "unattested"), "unknown"), (("assisted",), "some")],
)
def test_the_tag_says_synthetic_only_as_it_is_known(
    words: tuple[str, ...], tag: str
) -> None:
    maker = LabelMaker(TRAINING)
    for word in words:
        claims = () if word == "unattested" else (claim(word, license="MIT"),)
        maker.add(ManifestRow(2, PHOTO), answer(work(*claims)), "p")
    assert f"synthetic:{tag}" in card(maker.document(head(Words())))


def test_a_long_list_says_how_many_more() -> None:
    maker = LabelMaker(TRAINING)
    for number in range(15):
        one = claim("human", license=f"LicenseRef-{number}")
        maker.add(ManifestRow(2, PHOTO), answer(work(one)), "p")
    label = maker.document(head())
    assert "and 5 more" in card(label)
    assert "and 5 more" in to_html(label)
    assert any(
        isinstance(one, Text) and one.text == "and 11 more"
        for one in draw(label).shapes
    )


def test_sizes_have_the_words_of_hubs() -> None:
    assert size_category(999) == "n<1K"
    assert size_category(10**9) == "n>1B"


def test_the_picture_shows_all_figures_in_their_patterns() -> None:
    drawing = draw(made())
    texts = [one.text for one in drawing.shapes if isinstance(one, Text)]
    assert "! 1 work may not be used for this" in texts
    assert "33 %" in texts
    patterns = {one.pattern for one in drawing.shapes if isinstance(one, Bar)}
    assert patterns == {"solid", "stripes", "checks", "lines", "dots", "empty"}
    assert all(one.y < drawing.height for one in drawing.shapes)
    widths = [
        one.width for one in drawing.shapes if isinstance(one, Bar) and one.height == 30
    ]
    assert widths.count(INNER) == 2
    assert sum(widths) == pytest.approx(4 * INNER)


def test_a_set_without_violations_says_so() -> None:
    maker = LabelMaker(TRAINING)
    maker.add(ManifestRow(2, PHOTO), answer(work(claim())), "p")
    texts = [
        one.text for one in draw(maker.document(head())).shapes if isinstance(one, Text)
    ]
    assert "No work whose author says no to this" in texts


def test_unknown_is_said_not_to_be_allowed() -> None:
    maker = LabelMaker(TRAINING)
    maker.add(ManifestRow(2, PHOTO), answer(work()), "p")
    label = maker.document(head())
    said = "Unknown is not allowed either: 1 more work."
    assert said in [one.text for one in draw(label).shapes if isinstance(one, Text)]
    assert said in card(label)
    label["consent"][TRAINING]["unknown"]["items"] = 0
    shown = [one.text for one in draw(label).shapes if isinstance(one, Text)]
    assert not any("either" in text for text in (*shown, card(label)))


@pytest.mark.parametrize(
    ("near", "row"),
    [
        ((0, 0, 0), ("Near-duplicates: there are no fingerprints", None)),
        ((1, 0, 0), ("Near-duplicates: one fingerprint alone", None)),
        ((2, 0, 0), ("Near-duplicates, 2 of 5 compared", 0)),
        ((4, 2, 4), ("Near-duplicates in 2 groups, 4 of 5 compared", 4)),
        ((5, 0, 0), ("Near-duplicates", 0)),
        ((5, 2, 4), ("Near-duplicates in 2 groups", 4)),
    ],
)
def test_what_was_not_compared_is_unknown(
    near: tuple[int, int, int], row: tuple[str, int | None]
) -> None:
    figures = dict(zip(("compared", "clusters", "items"), near, strict=True))
    assert near_words(figures, 5) == row
    label = made() | {"near_duplicates": figures}
    label["manifest"] |= {"count": 5}
    assert row[0] in [one.text for one in draw(label).shapes if isinstance(one, Text)]
    shown = "unknown" if row[1] is None else f"{row[1]}"
    assert f"| {row[0]} | {shown} |" in card(label)


def test_svg_is_sound_xml_that_fetches_nothing() -> None:
    text = to_svg(draw(made()))
    root = ET.fromstring(text)
    assert root.attrib["height"] == str(draw(made()).height)
    assert "My &lt;set&gt;" in text
    assert not re.search(r"href|<script|<image|url\((?!#)", text)


def test_the_page_needs_no_other_file() -> None:
    page = to_html(made())
    assert page.count("<svg") == 1
    assert "default-src 'none'" in page
    assert "b,%0A.txt" in page
    assert not re.search(r"(src|href)=", page)
    assert "<set>" not in page
    bare = to_html(made(Words()))
    assert "What its maker says" not in bare


@pytest.mark.parametrize(
    ("part", "whole", "said"),
    [
        (0, 9, "0 %"),
        (1, 0, "0 %"),
        (1, 999, "<1 %"),
        (998, 999, ">99 %"),
        (9, 9, "100 %"),
    ],
)
def test_no_share_hides_something(part: int, whole: int, said: str) -> None:
    assert percent(part, whole) == said


def test_bytes_are_said_in_decimal_units() -> None:
    found = [size_words(one) for one in (1, 999, 1_000, 1_400_000_000, 2**70)]
    assert found == ["1 bytes", "999 bytes", "1.0 kB", "1.4 GB", "1180.6 EB"]


def test_words_are_known_and_bounded() -> None:
    assert words_from_json(WORDS.to_json()) == WORDS
    assert Words().get("name", "none") == "none"
    with pytest.raises(UsageError) as caught:
        words_from_json({"limitation": "x"})
    assert "did you mean limitations" in str(caught.value.hint)
    with pytest.raises(UsageError, match="collection_method"):
        words_from_json({"collection_method": "guessing"})
    assert words_from_json({"name": "x"}).languages == ()
    assert words_from_json({"languages": ["en"], "name": "x"}).get("name") == "x"
    for bad in (
        {"name": ""},
        {"name": 7},
        {"name": "\ud800"},
        {"languages": "en"},
        {"languages": [""]},
        {"languages": ["x"] * 65},
    ):
        with pytest.raises(MalformedError):
            words_from_json(bad)
