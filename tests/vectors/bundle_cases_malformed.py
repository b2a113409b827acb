"""Bundles that do not parse, one failure each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bundle_cases import (
    FEW,
    SMALL,
    Case,
    Fields,
    bad,
    few,
    inner_with_prefix,
)
from naive_bundle import (
    pack,
    signed_note,
    write_opening,
)
from naive_prover import encode


def malformed_cases() -> Iterator[Case]:
    fields = few()
    data = encode(fields)
    count = bytes([fields["depth"]])

    def put(**change: Any) -> bytes:
        return encode({**fields, **change})

    def edit(old: bytes, new: bytes) -> bytes:
        assert data.count(old) == 1, old
        return data.replace(old, new)

    rows = fields["statements"]
    row = rows[0]
    body = next(iter(FEW.log.said.values())).body
    (asked,) = fields["asked"]
    many = [b"\x12\x20" + number.to_bytes(32, "big") for number in range(513)]
    keys = [bytes([number]) * 32 for number in range(17)]
    without = {name: value for name, value in fields.items() if name != "strings"}
    for name, why, spoiled in (
        ("another kind of file", "its format is that of no bundle", put(format="zip")),
        ("empty file", "no bytes at all", b""),
        ("truncated by one byte", "the last byte is missing", data[:-1]),
        ("truncated in the middle", "half a bundle", data[: len(data) // 2]),
        ("trailing byte", "one byte after the end", data + b"\0"),
        ("two bundles", "one after the other", data + data),
        ("not a map", "an array", pack([1, 2])),
        ("unknown key", "one key more", put(zeal=1)),
        ("missing key", "no count of strings", encode(without)),
        (
            "key twice",
            "depth, and depth again",
            b"\x8f" + edit(b"\xa5depth" + count, (b"\xa5depth" + count) * 2)[1:],
        ),
        ("map out of order", "depth before checkpoint", out_of_order(fields)),
        (
            "long integer",
            "depth in two bytes",
            edit(b"\xa5depth" + count, b"\xa5depth\xcc" + count),
        ),
        ("long map", "a map of 14 with a two-byte length", b"\xde\0\x0e" + data[1:]),
        (
            "long string",
            "format in a long form",
            edit(b"\xa6format\xaf", b"\xa6format\xd9\x0f"),
        ),
        (
            "text for bytes",
            "asked as a string",
            edit(b"asked\x91\xc4\x22", b"asked\x91\xd9\x22"),
        ),
        (
            "bytes for text",
            "format as bytes",
            edit(b"\xa6format\xaf", b"\xa6format\xc4\x0f"),
        ),
        (
            "float",
            "depth as a float",
            edit(b"depth" + count, b"depth\xcb\x3f\xf0" + bytes(6)),
        ),
        ("nil", "depth is nil", edit(b"depth" + count, b"depth\xc0")),
        ("negative", "depth is -1", edit(b"depth" + count, b"depth\xff")),
        ("truth value", "depth is true", put(depth=True)),
        (
            "extension type",
            "depth is an ext",
            edit(b"depth" + count, b"depth\xd4\x01\x01"),
        ),
        (
            "invalid UTF-8",
            "in the verifier key",
            edit(
                b"\xd9%cfew" % len(fields["log"]), b"\xd9%c\xffew" % len(fields["log"])
            ),
        ),
        ("asked for nothing", "no digest", put(asked=[])),
        ("asked is no array", "one digest by itself", put(asked=asked)),
        ("short asked", "33 bytes", put(asked=[asked[:-1]])),
        ("asked is no SHA-256", "multihash code 13", put(asked=[b"\x13" + asked[1:]])),
        ("asked twice", "the same digest again", put(asked=[asked, asked])),
        ("asked out of order", "digests descend", put(asked=many[1::-1])),
        ("asked for too many", "513 digests", put(asked=many)),
        ("asked is an array of arrays", "a digest in an array", put(asked=[[asked]])),
        ("keys is no array", "one key by itself", put(keys=keys[0])),
        ("short key", "31 bytes", put(keys=[bytes(31)])),
        ("key as text", "32 letters", put(keys=["k" * 32])),
        ("trusted twice", "the same key again", put(keys=[keys[1], keys[1]])),
        ("keys out of order", "keys descend", put(keys=keys[1::-1])),
        ("too many keys", "17 keys", put(keys=keys)),
        ("first is no array", "one key by itself", put(first=keys[0])),
        ("short key of who came first", "31 bytes", put(first=[bytes(31)])),
        ("first twice", "the same key again", put(first=[keys[1], keys[1]])),
        ("first and trusted", "in both", put(first=keys[:2], keys=keys[1:2])),
        ("too many came first", "9 keys", put(first=keys[:9])),
        ("first of two works", "two digests", put(first=keys[:1], asked=many[:2])),
        ("depth beyond the limit", "17", put(depth=17)),
        ("count beyond the limit", "2^63 strings", put(strings=2**63)),
        ("uneven commitment proof", "33 bytes", put(proof=fields["proof"] + b"\0")),
        ("endless commitment proof", "64 hashes", put(proof=bytes(64 * 32))),
        ("uneven inclusion proof", "31 bytes", put(inclusion=bytes(31))),
        ("inclusion proof as text", "64 letters", put(inclusion="k" * 64)),
        ("index beyond the limit", "2^63", put(statements=[[2**63, row[1]]])),
        ("row of one", "an index alone", put(statements=[row[:1]])),
        ("row of three", "a proof of its own", put(statements=[[*row, bytes(32)]])),
        ("statements reordered", "ids descend", put(statements=rows[::-1])),
        ("statement twice", "the same row again", put(statements=[row, *rows])),
        ("statements as a map", "not an array", put(statements={})),
        (
            "statement that is no envelope",
            "the body alone",
            put(statements=[[row[0], body]]),
        ),
        (
            "statement with trailing bytes",
            "one byte after the envelope",
            put(statements=[[row[0], row[1] + b"\0"]]),
        ),
        (
            "statement not canonical",
            "its map in a long form",
            put(
                statements=[
                    [
                        0,
                        pack(
                            [1, b"\xde\0" + bytes([body[0] & 15]) + body[1:], bytes(64)]
                        ),
                    ]
                ]
            ),
        ),
        (
            "statement with a short signature",
            "63 bytes",
            put(statements=[[0, pack([1, body, bytes(63)])]]),
        ),
        ("checkpoint without signature", "text alone", put(checkpoint=FEW.text)),
        (
            "checkpoint with an extension line",
            "four lines",
            put(
                checkpoint=signed_note(
                    FEW.text + b"more\n", FEW.log.origin, FEW.log.key
                )
            ),
        ),
        (
            "checkpoint signed twice",
            "two lines by one key",
            put(checkpoint=FEW.note + FEW.note.split(b"\n\n")[1]),
        ),
        (
            "verifier key cut short",
            "its last character is missing",
            put(log=fields["log"][:-1]),
        ),
        (
            "verifier key of another id",
            "one digit of the key id changed",
            put(log=_other_key_id(fields["log"])),
        ),
        (
            "nested too deep",
            "a proof that is an array of arrays",
            put(statements=[[0, [[[[]]]]]]),
        ),
    ):
        yield bad("malformed", name, why, spoiled)
    for name, why, spoiled in (
        ("unknown format", "byline-bundle/4", put(format="byline-bundle/4")),
        ("old format", "byline-bundle/2", put(format="byline-bundle/2")),
        (
            "statement of another version",
            "envelope version 2",
            put(statements=[[0, pack([2, body, bytes(64)])]]),
        ),
    ):
        yield bad("unsupported", name, why, spoiled)


def out_of_order(fields: Fields) -> bytes:
    names = sorted(fields)
    names[1], names[2] = names[2], names[1]
    fields = {**fields, "opening": write_opening(fields["opening"])}
    return b"\x8e" + b"".join(pack(name) + pack(fields[name]) for name in names)


def _other_key_id(text: str) -> str:
    name, key_id, material = text.split("+", 2)
    return f"{name}+{'10'[key_id[0] == '1']}{key_id[1:]}+{material}"


def malformed_opening_cases() -> Iterator[Case]:
    """What no prover can mean: the opening does not follow its grammar."""
    data = write_opening(SMALL.fields()["opening"])
    ragged = SMALL.fields()
    node = inner_with_prefix(ragged, ragged=True)
    node[4] += "0" * (-node[1] % 8 - 1) + "1"
    for name, why, opening in (
        ("opening empty", "no node", b""),
        ("opening truncated", "ends within a node", data[:-1]),
        ("opening with a trailing byte", "one byte after the last node", data + b"\0"),
        ("unknown node kind", "kind 1", b"\x01" + data[1:]),
        (
            "prefix not zero-padded",
            "a bit after the prefix",
            write_opening(ragged["opening"]),
        ),
    ):
        fields = SMALL.fields()
        fields["opening"] = opening
        yield bad("malformed", name, why, fields, digest=SMALL.asked)
