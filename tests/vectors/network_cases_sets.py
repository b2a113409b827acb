"""Comparing lookup sets: messages, and what a set answers.

A case of `sets` has the strings of the set that the log commits to at `size`; `request`
is answered with `response`, or refused where that is null.
"""

from __future__ import annotations

import hashlib
from typing import Any

from naive_bundle import bits, pack, trie, trie_hash, unbits
from network_log import HASH, Case, ok

Fields = dict[str, Any]
SIZE = 9


def place(prefix: str) -> bytes:
    """From a text of bits."""
    return len(prefix).to_bytes(2, "big") + unbits(prefix)


def digest(string: bytes) -> bytes:
    return hashlib.sha256(string).digest()[:8]


ROOT = place("")


def nodes(places: list[bytes], levels: Any = 1, **other: Any) -> Fields:
    fields = {"ask": "nodes", "levels": levels, "nodes": places, "size": SIZE}
    return fields | other


def leaves(places: list[bytes], digests: list[bytes], **other: Any) -> Fields:
    fields = {"ask": "leaves", "digests": digests, "leaves": places, "size": SIZE}
    return fields | other


def set_requests() -> tuple[dict[str, Fields], dict[str, Fields]]:
    good = {
        "nodes": nodes([ROOT, place("101"), place("11110000" * 72)], 8),
        "4,096 nodes": nodes([ROOT] * 4096),
        "leaves": leaves([place("101"), ROOT], [b"", bytes(512)]),
    }
    wrong = {
        "no nodes": nodes([]),
        "4,097 nodes": nodes([ROOT] * 4097),
        "no levels": nodes([ROOT], 0),
        "nine levels": nodes([ROOT], 9),
        "levels as text": nodes([ROOT], "1"),
        "nodes of no size": {k: v for k, v in nodes([ROOT]).items() if k != "size"},
        "a place of one byte": nodes([b"\0"]),
        "a place without its prefix": nodes([b"\0\x08"]),
        "a place with a byte too many": nodes([b"\0\x08aa"]),
        "a place that is not padded with zeros": nodes([b"\0\x04\x11"]),
        "a place of 577 bits": nodes([place("0" * 577)]),
        "a place that is text": nodes(["101"]),
        "leaves with digests too few": leaves([ROOT], []),
        "half a digest": leaves([ROOT], [bytes(4)]),
        "65 digests": leaves([ROOT], [bytes(520)]),
        "leaves with a key too many": leaves([ROOT], [b""], levels=1),
    }
    return good, wrong


def set_responses() -> tuple[dict[str, Fields], dict[str, Fields]]:
    good = {
        "nodes": {"nodes": [b"\0" + HASH]},
        "leaves": {"absent": [b"", b"\x80"], "strings": [bytes(72 * 16), b""]},
    }
    wrong = {
        "4,097 nodes": {"nodes": [b""] * 4097},
        "a node of 40,001 bytes": {"nodes": [bytes(40_001)]},
        "a bitmap too few": {"absent": [], "strings": [b""]},
        "a bitmap of nine bytes": {"absent": [bytes(9)], "strings": [b""]},
        "17 strings in a leaf": {"absent": [b""], "strings": [bytes(72 * 17)]},
        "part of a string": {"absent": [b""], "strings": [bytes(71)]},
    }
    return good, wrong


# What a set answers


def strings(count: int) -> list[bytes]:
    """Strings whose first bits fall everywhere."""
    made = [hashlib.sha512(b"%d" % n).digest() + bytes(8) for n in range(count)]
    return sorted(made)


def opened(node: list[Any], at: int, levels: int) -> bytes:
    """The node at a place of `at` bits, by some levels; leaves stay closed."""
    if levels == 0 or node[0] == "leaf":
        return b"\x00" + trie_hash(node)
    depth, left, shared = node[1], node[2], node[4]
    head = b"\x03"
    if depth > at:
        head = b"\x04" + number(depth - at) + unbits(shared[at:])
    sides = (opened(side, depth + 1, levels - 1) for side in children(node))
    return head + number(left) + b"".join(sides)


def number(value: int) -> bytes:
    """LEB128."""
    if value < 128:
        return bytes([value])
    return bytes([value % 128 + 128]) + number(value // 128)


def children(node: list[Any]) -> tuple[list[Any], list[Any]]:
    return node[-2], node[-1]


def set_cases() -> list[Case]:
    many = strings(60)
    top = trie(many)
    left, right = children(top)
    first = [one for one in many if bits(one).startswith("0")]
    few = strings(9)
    shared = "1011011"
    labelled = [unbits(shared + bits(one)[: 576 - len(shared)]) for one in strings(300)]
    other = hashlib.sha512(b"another").digest() + bytes(8)

    def case(name: str, of: list[bytes], request: Fields, response: Any) -> Case:
        told = pack(response).hex() if response is not None else None
        held = [one.hex() for one in of]
        return ok(name, strings=held, size=SIZE, request=pack(request).hex(),
                  response=told)  # fmt: skip

    return [
        case("the root, by one level", many, nodes([ROOT]),
             {"nodes": [opened(top, 0, 1)]}),
        case("the root, by three levels", many, nodes([ROOT], 3),
             {"nodes": [opened(top, 0, 3)]}),
        case("both of its sides, by eight levels", many,
             nodes([place("0"), place("1")], 8),
             {"nodes": [opened(left, 1, 8), opened(right, 1, 8)]}),
        case("more than 127 on a side, and a label", labelled,
             nodes([ROOT, place(shared)], 2),
             {"nodes": [opened(trie(labelled), 0, 2),
                        opened(trie(labelled), len(shared), 2)]}),
        case("a leaf is no node", few, nodes([ROOT]), None),
        case("nothing is no node", first, nodes([place("1")]), None),
        case("another size", many, nodes([ROOT], size=SIZE + 2), None),
        case("a leaf, all of it", few, leaves([ROOT], [b""]),
             {"absent": [b""], "strings": [b"".join(few)]}),
        case("a leaf, what is not known of it", few,
             leaves([ROOT], [digest(few[0]) + digest(other) + digest(few[3])]),
             {"absent": [b"\x40"],
              "strings": [b"".join([*few[1:3], *few[4:]])]}),
        case("a place within a leaf", few,
             leaves([place(bits(few[2])), place(bits(other))], [b"", b""]),
             {"absent": [b"", b""], "strings": [few[2], b""]}),
        case("a node is no leaf", many, leaves([ROOT], [b""]), None),
    ]  # fmt: skip
