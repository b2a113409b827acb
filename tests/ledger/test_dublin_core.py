"""Dublin Core as archives export it: what maps, what is left out, and hostile XML."""

from __future__ import annotations

import json

import pytest

from byline_ledger import catalogue, dublin_core
from byline_ledger.catalogue import Entry
from byline_ledger.digest import multihash
from byline_ledger.dublin_core import licence_of, read_dublin_core
from byline_ledger.errors import MalformedError
from byline_ledger.licence import ALL_RIGHTS_RESERVED
from byline_ledger.statement import Source
from byline_ledger.vocabulary import IPTC_SCHEME

A = "aa" * 32
DIGEST = multihash(bytes.fromhex(A))
OPEN = (
    '<all xmlns:dc="http://purl.org/dc/elements/1.1/"'
    ' xmlns:o="http://www.openarchives.org/OAI/2.0/oai_dc/">'
)


def xml(*records: str) -> bytes:
    body = "\n".join(f"<o:dc>{one}</o:dc>" for one in records)
    return f"{OPEN}{body}</all>".encode()


def read(data: bytes | str) -> list[Entry]:
    return list(read_dublin_core(data.encode() if isinstance(data, str) else data))


def test_a_record_in_xml() -> None:
    (entry,) = read(
        xml(
            "<dc:title> Mill </dc:title><dc:title>Mühle</dc:title>"
            "<dc:creator>A</dc:creator>"
            "<dc:rights>Ask us</dc:rights><dc:rights>CC0-1.0</dc:rights>"
            "<dc:format>30 cm</dc:format><dc:format>image/tiff</dc:format>"
            f"<dc:type>Image</dc:type><dc:type>{IPTC_SCHEME}print</dc:type>"
            f"<dc:source>Box 7</dc:source><dc:source>sha256:{'bb' * 32}</dc:source>"
            f"<dc:identifier>mill.tif</dc:identifier><dc:identifier>urn:sha256:{A}"
            "</dc:identifier><dc:date/><unknown/>"
        )
    )
    assert entry == Entry(
        1,
        DIGEST,
        ("mill.tif",),
        {
            "title": "Mill",
            "license": "CC0-1.0",
            "media_type": "image/tiff",
            "source_type": IPTC_SCHEME + "print",
            "sources": (Source(multihash(b"\xbb" * 32), "parentOf", {}),),
        },
        (
            "title has 2 values; the first is taken",
            "source is named by no digest",
        ),
        ("creator",),
    )


def test_what_does_not_map_for_certain_is_left_out_and_named() -> None:
    (entry,) = read(
        xml(
            f"<dc:title>{'x' * 513}</dc:title><dc:format>paper</dc:format>"
            "<dc:rights>MIT</dc:rights><dc:rights>Zlib</dc:rights>"
            f"<dc:type>http://purl.org/dc/dcmitype/Image</dc:type>"
            f"<dc:identifier>{A}</dc:identifier>"
        )
    )
    assert (entry.says, entry.refused) == ({}, None)
    assert entry.left_out == (
        "title is longer than 512 characters",
        "rights name several licences: unknown",
        "format is no media type",
    )


def test_records_that_name_no_work_or_two_are_refused() -> None:
    neither, both = read(
        xml(
            "<dc:title>x</dc:title>",
            f"<dc:identifier>{A}</dc:identifier><dc:identifier>{'bb' * 32}"
            "</dc:identifier>",
        )
    )
    assert (neither.number, neither.refused) == (1, "names neither a digest nor a file")
    assert (both.number, both.refused) == (2, "names several digests; a work has one")


def test_any_element_that_holds_dublin_core_is_a_record() -> None:
    (entry,) = read(
        f'<x xmlns:d="http://purl.org/dc/terms/"><y><z/><d:identifier>{A}</d:identifier>'
        "<d:license>MIT <b>x</b></d:license></y><d/></x>"
    )
    assert (entry.digest, entry.says) == (DIGEST, {})


@pytest.mark.parametrize(
    ("text", "licence"),
    [
        ("http://creativecommons.org/licenses/by-sa/4.0/", "CC-BY-SA-4.0"),
        ("https://creativecommons.org/licenses/by/3.0/deed.de", "CC-BY-3.0"),
        ("https://creativecommons.org/publicdomain/zero/1.0", "CC0-1.0"),
        ("https://creativecommons.org/licenses/xx/4.0/", None),
        ("All rights reserved.", ALL_RIGHTS_RESERVED),
        ("mit", "MIT"),
        ("Free for teaching", None),
        ("http://rightsstatements.org/vocab/InC/1.0/", None),
    ],
)
def test_rights_that_name_a_licence(text: str, licence: str | None) -> None:
    assert licence_of(text) == licence


def test_json_of_several_shapes() -> None:
    values = {
        "dc:identifier": [A, 7, None],
        "dcterms:title": {"@value": "Mill"},
        "Creator": "x",
        "filename": "mill.tif",
        "year": 1912,
    }
    for whole in ([values], {"count": 1, "records": [values]}, values):
        (entry,) = read(json.dumps(whole))
        assert entry == Entry(
            1, DIGEST, ("mill.tif", "7"), {"title": "Mill"}, (), ("creator", "year")
        )


def test_json_records_that_are_none() -> None:
    torn = [{"title": "\ud800"}, {"title": "x", "\udfff": 1}]
    found = read(json.dumps([1, {"title": ["x"] * 257}, *torn]))
    assert [one.refused for one in found] == [
        "expected an object",
        "more than 256 values",
        "a text holds half of a character",
        "a text holds half of a character",
    ]


def test_csv_of_a_repository() -> None:
    found = read(
        "dc.title[en],dc:creator,dc.identifier.uri,SHA256,shelf\n"
        f"Mill||Mühle,A||B,mill.tif||http://x/7,{A},9\n"
        'x\n"a" b'
    )
    assert found == [
        Entry(
            2,
            DIGEST,
            ("mill.tif", "http://x/7"),
            {"title": "Mill"},
            ("title has 2 values; the first is taken",),
            ("creator", "shelf"),
        ),
        Entry(3, refused="expected 5 cells, got 1"),
        Entry(4, refused="not CSV: ',' expected after '\"'"),
    ]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "it is empty"),
        (b"<html><p>x</p></html>", "holds no element of Dublin Core"),
        (b"<html><p>x</html>", "mismatched tag"),
        (b"{", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"name,year\n", "holds no element of Dublin Core"),
        (b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>', "document type with entities"),
        (b'<!DOCTYPE x SYSTEM "http://x/x.dtd"><x/>', "document type with entities"),
        (b"<x>" * 100, "nested deeper than 64"),
        # Each chunk begun anew: minutes for 30 MB, half an hour for 128.
        (b"<x><!--" + b"y" * (2 << 20), "a tag or comment of more than 1,048,576"),
        (b'<x y="' + b"z" * (2 << 20), "a tag or comment of more than 1,048,576"),
        (b'<?xml version="1.0" encoding="nope"?><x/>', "(encoding|not XML)"),
        (b'<?xml version="1.0" encoding="utf-7"?><x/>', "(encoding|not XML)"),
        (b"<" + b"x" * 1_000, "not XML"),
        (xml("<dc:title>x</dc:title>" * 257), "more than 256 values"),
    ],
)
def test_what_is_no_catalogue(data: bytes, message: str) -> None:
    with pytest.raises(MalformedError, match=message):
        read(data)


def test_xml_that_breaks_gives_what_came_before() -> None:
    before, broken = read(xml(f"<dc:identifier>{A}</dc:identifier>")[:-4] + b"\n</x>")
    assert before.digest == DIGEST
    assert broken.refused == (
        "not XML from here on (not well-formed (invalid token)); nothing below was read"
    )
    assert broken.number == 1


def test_everything_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    (entry,) = read(
        xml(f"<dc:identifier>{A}</dc:identifier><dc:title>{'y' * 70_000}</dc:title>")
    )
    assert entry.left_out == ("title is longer than 512 characters",)
    monkeypatch.setattr(dublin_core, "MAX_ENTRIES", 1)
    monkeypatch.setattr(catalogue, "MAX_ENTRIES", 9)
    found = read(xml("", "", ""))
    assert [one.refused for one in found] == [
        "names neither a digest nor a file",
        "nothing is read after 1 entries",
    ]
    monkeypatch.setattr(dublin_core, "MAX_CATALOGUE", 1)
    with pytest.raises(MalformedError, match="expected at most 1 bytes"):
        read("[]")
