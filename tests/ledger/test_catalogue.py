"""Catalogues as CSV: what a line says, and what becomes of lines that say nonsense."""

from __future__ import annotations

import pytest
from tests.support.cids import cid_raw

from byline_ledger import catalogue
from byline_ledger.catalogue import Entry, checked, read_csv
from byline_ledger.digest import cid_of_statement, multihash
from byline_ledger.errors import MalformedError
from byline_ledger.statement import Source
from byline_ledger.vocabulary import IPTC_SCHEME

A = "aa" * 32
DIGEST = multihash(bytes.fromhex(A))


def read(*lines: str, encoding: str = "utf-8") -> list[Entry]:
    return list(read_csv("\n".join(lines).encode(encoding), encoding))


def one(header: str, line: str) -> Entry:
    (entry,) = read(header, line)
    return entry


def test_a_line_says_what_its_cells_say() -> None:
    header = (
        "SHA256;Path;Made;Source_Type;Title;Licence;Tools;media type;size;from;"
        "cawg.data_mining;AI Training;Notes"
    )
    line = (
        f"{A};a/b.tif;human;{IPTC_SCHEME}print; Mill ;MIT;GIMP ; nib;image/tiff;7;"
        f"sha256:{'bb' * 32} {'cc' * 32}:inputTo;allowed;constrained:ask me;x"
    )
    entry = one(header, line.replace(" ; nib", ""))
    assert entry.refused is None
    assert (entry.number, entry.digest, entry.files) == (2, DIGEST, ("a/b.tif",))
    assert entry.ignored == ("Notes",)
    assert entry.says == {
        "made": "human",
        "source_type": IPTC_SCHEME + "print",
        "title": "Mill",
        "license": "MIT",
        "tools": ("GIMP",),
        "media_type": "image/tiff",
        "size": 7,
        "sources": (
            Source(multihash(b"\xbb" * 32), "parentOf", {}),
            Source(multihash(b"\xcc" * 32), "inputTo", {}),
        ),
        "uses": {"data_mining": "allowed", "ai_training": "constrained:ask me"},
    }


def test_what_a_line_does_not_say_stays_unsaid() -> None:
    assert one("digest,title,made", f"{A},,").says == {}


@pytest.mark.parametrize(
    ("header", "line", "why"),
    [
        ("digest,made", f"{A},humans", "did you mean human?"),
        ("digest,license", f"{A},CC BY 4.0", "did you mean CC-BY-4.0?"),
        ("digest,ai_training", f"{A},alowed", "did you mean allowed?"),
        ("digest,size", f"{A},7 bytes", "expected a number of bytes, got '7 bytes'"),
        ("digest,size", f"{A},٣", "expected a number of bytes"),
        ("digest,sources", f"{A},nothing", "not a hash: 'nothing'"),
        ("digest,sources", f"{A},{A}", "a work cannot be its own source"),
        ("digest,sources", f"{A},{'bb' * 32}:parent", "did you mean parentOf?"),
        ("digest,title", "abc,x", "not a hash: 'abc'"),
        ("digest,title", f"{cid_of_statement(bytes(32))},x", "a statement's id"),
        ("digest,title", ",x", "names neither a digest nor a file"),
        ("digest,title", f"{A}", "expected 2 cells as in the header, got 1"),
        ("digest,title", f'{A},"a" b', "not CSV: "),
    ],
)
def test_a_line_that_is_not_sound_is_refused(header: str, line: str, why: str) -> None:
    entry = one(header, line)
    assert why in (entry.refused or "")
    assert entry.says is None


def test_the_rest_goes_on_and_lines_keep_their_numbers() -> None:
    found = read("digest,title", f'{A},"a', 'b"', "", "x,y", " ,", f"{A},c")
    assert [(one.number, one.refused is None) for one in found] == [
        (2, True),
        (5, False),
        (7, True),
    ]


def test_a_digest_comes_in_any_form() -> None:
    assert one("digest", cid_raw(DIGEST)).digest == DIGEST


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "latin-1", "cp1252"])
def test_texts_in_other_encodings(encoding: str) -> None:
    (entry,) = read("digest,title", f"{A},Mühle", encoding=encoding)
    assert entry.says == {"title": "Mühle"}


def test_a_byte_order_mark_is_no_part_of_the_header() -> None:
    for encoding in ("utf-8-sig", "utf-16"):
        data = f"digest,title\n{A},Mühle".encode(encoding)
        assert [one.says for one in read_csv(data)] == [{"title": "Mühle"}]


def test_a_line_in_another_encoding_is_named_and_the_rest_goes_on() -> None:
    data = b"digest,title\n%s,M\xfchle\n%s,b" % (A.encode(), A.encode())
    bad, good = read_csv(data)
    assert bad.refused == "not utf-8; if it is latin-1, say --encoding latin-1"
    assert good.refused is None


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not a catalogue as CSV: it is empty"),
        (b'"a" b,c\n', "not a catalogue as CSV: not CSV"),
        (b'"a" b\tc\n', "not CSV: a tab expected after '\"'"),
        (b"name,year\n", "neither a digest nor a file column"),
        (b"digest,sha256\n", "names a column twice: 'digest'"),
        (b"digest" + b"," * 256, "expected at most 256 columns, got 257"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "expected a text, got a file with NUL bytes"),
        (b"\xff\xfed", "the catalogue is not utf-8: byte 3 cannot be read"),
    ],
)
def test_what_is_no_catalogue(data: bytes, message: str) -> None:
    with pytest.raises(MalformedError, match=message):
        read_csv(data)


def test_a_catalogue_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "MAX_ENTRIES", 2)
    found = read("file", "a", "b", "c", "d")
    assert [one.refused for one in found] == [
        None,
        None,
        "nothing is read after 2 entries",
    ]
    torn = read("file", '"a" x', '"b" x', "c", "d")
    assert [one.refused is None for one in torn] == [False] * 3
    assert torn[-1].refused == "nothing is read after 2 entries"
    monkeypatch.setattr(catalogue, "MAX_CATALOGUE", 3)
    with pytest.raises(MalformedError, match="expected at most 3 bytes, got 4"):
        read("file")


def test_an_entry_may_say_nothing() -> None:
    assert checked(Entry(1, DIGEST)).refused is None
