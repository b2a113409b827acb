"""Manifests: what is a row, what is a bad line, and that the rest goes on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.cids import cid_raw

from byline_ledger.digest import cid_of_statement, digest_bytes
from byline_ledger.errors import MalformedError, NotFoundError, ProofError
from byline_ledger.manifest import (
    MAX_LINE,
    BadLine,
    ManifestRow,
    header_line,
    is_table,
    known_columns,
    read_manifest,
    row_from_values,
    row_line,
)
from byline_ledger.manifest_path import quote_path, unquote_path
from byline_ledger.manifest_tree import (
    InManifest,
    ManifestSum,
    find_entry,
    manifest_root,
    membership_proof,
    tree_name,
)
from byline_ledger.merkle import leaf_hash

VECTORS = json.loads(
    (Path(__file__).parent.parent / "vectors" / "manifest.json").read_text()
)
PHOTO = digest_bytes(b"a photo")
HEX = PHOTO[2:].hex()
NEGATIVE = digest_bytes(b"its negative")


def read(text: str | bytes, size: int = 1 << 20) -> list[ManifestRow | BadLine]:
    data = text.encode() if isinstance(text, str) else text
    return list(read_manifest(data[at : at + size] for at in range(0, len(data), size)))


def bad(lines: Iterable[ManifestRow | BadLine]) -> dict[int, str]:
    return {one.number: one.reason for one in lines if isinstance(one, BadLine)}


def as_json(line: ManifestRow | BadLine) -> dict[str, Any]:
    if isinstance(line, BadLine):
        return {"line": line.number, "bad": True}
    return {
        "line": line.number,
        "digest": line.digest.hex(),
        "path": line.path,
        "bytes": line.bytes,
        "media-type": line.media_type,
        "license": line.license,
        "url": line.url,
    }


@pytest.mark.parametrize("case", VECTORS["files"], ids=lambda case: str(case["desc"]))
def test_a_file_of_the_vectors_reads_as_it_says(case: dict[str, Any]) -> None:
    data = bytes.fromhex(case["file"])
    if case["lines"] is None:
        with pytest.raises(MalformedError):
            read(data)
        return
    for size in (1, 7, 1 << 20):
        assert [as_json(one) for one in read(data, size)] == case["lines"]


@pytest.mark.parametrize("case", VECTORS["trees"], ids=lambda case: str(case["count"]))
def test_a_tree_of_the_vectors_has_its_root_and_proofs(case: dict[str, Any]) -> None:
    digests = [digest_bytes(str(i).encode()) for i in range(case["count"])]
    assert manifest_root(digests).hex() == case["root"]
    for proof in case["proofs"]:
        found = membership_proof(digests, proof["index"], case["count"])
        assert [one.hex() for one in found] == proof["proof"]


def test_the_example_of_the_specification_holds() -> None:
    page = Path(__file__).parents[2] / "docs" / "spec" / "collection.md"
    text = page.read_text("utf-8")
    example = text.split("```\n")[1]
    rows = [one for one in read(example) if isinstance(one, ManifestRow)]
    total = ManifestSum()
    for row in rows:
        total.add(row.digest, row.bytes)
    said = f"Count {total.count}, bytes {total.bytes}, root `{total.root().hex()}`"
    assert said in text
    assert header_line() + "".join(map(row_line, rows)) == example


def test_a_table_has_a_header() -> None:
    assert is_table("\ufeffpath,digest\nx".encode())
    assert not is_table(HEX.encode())
    assert not is_table(b"")
    assert not is_table(b"x" * (MAX_LINE + 1))


def test_an_empty_file_has_no_lines() -> None:
    assert read("") == []


def test_columns_are_known_by_several_names_in_any_order() -> None:
    text = f"Size, FILE_NAME ,sha256,extra\n7,a.txt,{HEX},x\n"
    assert read(text) == [ManifestRow(2, PHOTO, "a.txt", 7)]


def test_two_columns_of_one_meaning_are_refused() -> None:
    with pytest.raises(MalformedError, match="two columns mean digest"):
        read(f"digest,sha256\n{HEX},{HEX}\n")


def test_a_table_of_too_many_columns_is_refused() -> None:
    with pytest.raises(MalformedError, match="digest"):
        read("digest" + ",x" * 300)
    with pytest.raises(MalformedError, match="256 columns"):
        known_columns(["x"] * 300)


def test_bad_lines_are_named_and_the_rest_goes_on() -> None:
    lines = [
        "digest,path",
        f"{HEX},a",
        "no hash,b",
        f"{HEX}",
        f'"{HEX},c',
        "",
        f"{HEX},{'x' * MAX_LINE}",
        ",d",
        f"{cid_of_statement(PHOTO[2:])},e",
        f"{cid_raw(PHOTO)},f",
    ]
    found = read("\r\n".join(lines))
    assert [row.path for row in found if isinstance(row, ManifestRow)] == ["a", "f"]
    reasons = bad(found)
    assert sorted(reasons) == [3, 4, 5, 7, 8, 9]
    assert "'no hash'" in reasons[3]
    assert "expected 2 fields" in reasons[4]
    assert "quote" in reasons[5]
    assert "longer" in reasons[7]
    assert reasons[8] == "no digest"
    assert "statement" in reasons[9]


def test_a_long_line_is_never_held_whole() -> None:
    long = [b"x" * 60_000] * 3
    found = list(read_manifest([f"{HEX}\n".encode(), *long, f"\n{HEX}".encode()]))
    assert [one.number for one in found] == [1, 2, 3]
    assert list(bad(found)) == [2]
    assert list(bad(list(read_manifest([f"{HEX}\n".encode(), *long])))) == [2]


def test_a_line_may_have_65536_bytes_and_no_more() -> None:
    line = f"{HEX}  {'x' * (MAX_LINE - 66)}"
    found = read(f"{line}\n{line}x\n")
    assert isinstance(found[0], ManifestRow)
    assert list(bad(found)) == [2]


def test_values_that_are_not_sound_are_unknown_and_the_row_counts() -> None:
    head = "digest,bytes,media-type,license,url\n"
    assert read(f"{head}{HEX},-1,plain,None of yours,{'x' * 3000}") == [
        ManifestRow(2, PHOTO)
    ]
    assert read(f"digest,bytes\n{HEX},9999999999999999999") == [ManifestRow(2, PHOTO)]
    full = f"{HEX},7,image/png,cc-by-4.0,https://x.example/a"
    assert read(head + full) == [
        ManifestRow(2, PHOTO, None, 7, "image/png", "CC-BY-4.0", "https://x.example/a")
    ]


def test_hash_lists_of_several_programs_are_read() -> None:
    lines = [
        f"{HEX}  a b.txt",
        f"{HEX} *c.bin",
        "",
        "# a remark",
        f"\\{HEX}  line\\nbreak\\\\\\x",
        f"SHA256 (d) = {HEX}",
        f"sha256:{HEX}",
        "d41d8cd98f00b204e9800998ecf8427e  md5",
        "what is this?",
    ]
    found = read("\n".join(lines))
    assert [one.path for one in found if isinstance(one, ManifestRow)] == [
        "a b.txt",
        "c.bin",
        "line\nbreak\\\\x",
        "d",
        None,
    ]
    assert bad(found) == {
        8: "the hash is not SHA-256",
        9: "not a hash: 'what is this?'",
    }


def test_a_file_name_with_commas_is_no_header() -> None:
    assert read(f"{HEX}  name,path") == [ManifestRow(1, PHOTO, "name,path")]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"path,bytes\na,1\n", "column"),
        (b"\x00\x01\x02,", "no text"),
        (b"x" * (MAX_LINE + 1), "first line: longer"),
    ],
)
def test_what_is_no_manifest_is_refused_at_once(data: bytes, said: str) -> None:
    with pytest.raises(MalformedError, match=said):
        read_manifest([data])


def test_rows_of_another_format_are_read_by_the_names_of_their_columns() -> None:
    values: dict[str, object] = {"path": "a", "bytes": 7, "license": "MIT"}
    wanted = ManifestRow(1, PHOTO, "a", 7, None, "MIT")
    assert row_from_values(1, PHOTO, values) == wanted
    assert row_from_values(1, PHOTO[2:], values) == wanted
    assert row_from_values(1, HEX, values) == wanted
    odd: dict[str, object] = {"path": "", "bytes": -1, "url": 3}
    assert row_from_values(1, PHOTO, odd) == ManifestRow(1, PHOTO)
    assert row_from_values(2, b"short", {}) == BadLine(2, "no SHA-256 hash: 5 bytes")
    assert row_from_values(2, None, {}) == BadLine(2, "no digest")


PATHS = st.text(
    st.characters(codec="utf-8") | st.sampled_from('%,"\n\x7f\udc80\udcff'),
    min_size=1,
    max_size=20,
)


@given(st.binary(min_size=1, max_size=30))
def test_every_file_name_survives_writing_and_reading(name: bytes) -> None:
    path = name.decode("utf-8", "surrogateescape")
    row = ManifestRow(2, PHOTO, path, 7)
    assert read(header_line() + row_line(row)) == [row]


@given(PATHS)
def test_a_quoted_path_has_no_control_characters(path: str) -> None:
    quoted = quote_path(path)
    assert not any(c < " " or "\x7f" <= c <= "\x9f" for c in quoted)
    assert not set(quoted) & set("\u061c\u200f\u2028\u202e\u2066\ufeff")
    assert quoted[:1] not in tuple("=+-@")
    # Surrogates that together are UTF-8 come back as the character.
    whole = path.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")
    assert unquote_path(quoted) == whole


def test_a_percent_sign_without_digits_stands_for_itself() -> None:
    assert quote_path("100%.txt") == unquote_path("100%.txt") == "100%.txt"
    assert quote_path("a%20b") == "a%2520b"


@pytest.mark.parametrize(
    ("path", "quoted"),
    [
        ("=1+1", "%3D1+1"),
        ("@ä", "%40ä"),
        ("a=b", "a=b"),
        ("\u202egpj", "%E2%80%AEgpj"),
        ("", ""),
    ],
)
def test_no_path_is_a_formula_or_turns_text(path: str, quoted: str) -> None:
    assert quote_path(path) == quoted
    assert unquote_path(quoted) == path


@pytest.mark.parametrize("url", ["=HYPERLINK(1)", "https://a\x1b[31m", "\u202e", " \t"])
def test_an_address_that_harms_whoever_looks_is_unknown(url: str) -> None:
    (row,) = read(f'digest,url\n{PHOTO[2:].hex()},"{url}"\n')
    assert isinstance(row, ManifestRow)
    assert row.url is None


@pytest.mark.parametrize("count", [1, 2, 3, 1_023, 1_024, 1_025, 3_000])
def test_each_entry_has_a_proof_and_no_other_work_has(count: int) -> None:
    digests = [digest_bytes(str(i).encode()) for i in range(count)]
    root = manifest_root(digests)
    for index in {0, count // 2, count - 1}:
        assert find_entry(digests, digests[index]) == (index, count)
        proof = membership_proof(digests, index, count)
        found = InManifest(tree_name(root), index, count, proof)
        found.verify(digests[index], root)
        assert InManifest.from_field(found.to_field()) == found
        with pytest.raises(ProofError):
            found.verify(NEGATIVE, root)


def test_the_first_of_equal_rows_is_found_and_a_stranger_is_not() -> None:
    assert find_entry([NEGATIVE, PHOTO, PHOTO], PHOTO) == (1, 3)
    with pytest.raises(NotFoundError):
        find_entry([NEGATIVE], PHOTO)


def test_sums_count_rows_bytes_and_bad_lines() -> None:
    total = ManifestSum()
    for line in read(f"digest,bytes\n{HEX},7\n{HEX},\nx,\n"):
        total.add_line(line)
    assert (total.count, total.bytes, total.unsized, total.bad) == (2, 7, 1, 1)
    leaf = leaf_hash(PHOTO)
    assert total.root() == hashlib.sha256(b"\x01" + leaf + leaf).digest()


@pytest.mark.parametrize(
    "value",
    [
        None,
        {},
        {"manifest": PHOTO, "index": 1, "count": 1, "proof": b""},
        {"manifest": PHOTO, "index": 0, "count": 1, "proof": b"x"},
        {"manifest": PHOTO[2:], "index": 0, "count": 1, "proof": b""},
        {"manifest": PHOTO, "index": 0, "count": 2**64, "proof": b""},
        {"manifest": PHOTO, "index": True, "count": 2, "proof": b""},
    ],
)
def test_a_membership_that_is_not_sound_is_malformed(value: Any) -> None:
    with pytest.raises(MalformedError):
        InManifest.from_field(value)
