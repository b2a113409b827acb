"""Cases of alarm.json that are made of leaves: entry and repeat."""

from __future__ import annotations

from typing import Any

from alarm_cases import (
    LIE,
    NOTICE,
    Case,
    Fields,
    Tree,
    commit,
    fails,
    holds,
    honest,
    on,
    works,
)
from alarm_cases_notes import unsigned
from naive_bundle import commitment

NEW = works(25, 30)
LAST = honest().entries[-1]


def entry(tree: Tree, *indexes: int, **changed: Any) -> Fields:
    leaves = [tree.leaf(index) for index in indexes]
    return tree.alarm("entry", leaves=leaves) | changed


def entry_cases() -> list[Case]:
    return [*malformed_entries(), *out_of_place(), *after_the_end(), *no_fault()]


def malformed_entries() -> list[Case]:
    """Whatever is no entry (log.md, "Entries"), at leaf 28 of 30."""
    statement = NEW[0]
    head, keys = statement[:41], [statement[42:74], statement[74:]]
    many = [bytes([n]) * 32 for n in range(67)]
    entries = {
        "of no bytes": b"",
        "of an unknown kind": b"\x07what",
        "a statement with one key": head + b"\x01" + keys[0],
        "a statement with 67 keys": head + b"\x43" + b"".join(many),
        "a statement, keys descending": head + b"\x02" + keys[1] + keys[0],
        "a statement, a key twice": head + b"\x02" + keys[0] * 2,
        "a statement, a byte more": statement + b"\0",
        "a statement, a byte less": statement[:-1],
        "a statement of a kind alone": b"\0",
        "a commitment of 40 bytes": commitment(50, LIE)[:-1],
        "a commitment of 42 bytes": commitment(50, LIE) + b"\0",
        "a commitment to 2^63 strings": commitment(2**63, LIE),
        "a notice of no text": b"\x02",
        "a notice of 1,025 bytes": b"\x02" + b"x" * 1025,
        "a notice of two lines": b"\x02two\nlines",
        "a notice with U+0085": b"\x02" + "a\u0085b".encode(),
        "a notice not UTF-8": b"\x02\xff",
        "of 65,535 bytes": b"\x07" * 65_535,
    }
    return [
        holds(f"entry: {name}", entry(on(data, commitment(50, LIE)), 28))
        for name, data in entries.items()
    ]


def out_of_place() -> list[Case]:
    """Where a commitment must be there is something else."""
    first = Tree((NEW[0], commit([NEW[0]])))
    return [
        holds("entry: a statement at the end", entry(on(NEW[0]), 28)),
        holds("entry: a notice at the end", entry(on(NOTICE), 28)),
        holds("entry: a malformed one at the end", entry(on(b"\x07"), 28)),
        holds("entry: a statement at the beginning", entry(first, 0)),
        holds("entry: a notice at the beginning", entry(Tree((NOTICE, LAST)), 0)),
        holds("entry: a statement, the only leaf", entry(Tree((NEW[0],)), 0)),
    ]


def after_the_end() -> list[Case]:
    """The notice is leaf 28."""
    behind = {
        "a statement directly": (on(NOTICE, NEW[0], LAST), 29),
        "a notice directly": (on(NOTICE, NOTICE, LAST), 29),
        "a malformed one directly": (on(NOTICE, b"\x07", LAST), 29),
        "a malformed commitment directly": (on(NOTICE, LAST[:-1], LAST), 29),
        "a second commitment": (on(NOTICE, LAST, LAST), 30),
        "a statement behind the commitment": (on(NOTICE, LAST, NEW[0], LAST), 30),
        "a commitment behind a statement": (on(NOTICE, NEW[0], LAST), 30),
        "something malformed later": (on(NOTICE, LAST, b"", LAST), 30),
    }
    return [
        holds(f"entry: after the end, {name}", entry(tree, 28, index))
        for name, (tree, index) in behind.items()
    ]


def no_fault() -> list[Case]:
    good, ended = honest(), on(NOTICE, LAST)
    after = on(NOTICE, LAST, NEW[0], LAST)
    broken = on(b"\x07", LAST)
    one = {
        "the first commitment": entry(good, 0),
        "the last commitment": entry(good, 27),
        "a commitment between": entry(good, 21),
        "a statement": entry(good, 5),
        "a notice before the last commitment": entry(ended, 28),
        "a statement second to last": entry(on(NEW[0], LAST), 28),
    }
    two = {
        "of two, the first is a commitment": entry(after, 27, 30),
        "of two, the first is a statement": entry(after, 26, 30),
        "of two, the first is malformed": entry(broken, 28, 29),
        "of two, the second is before the first": entry(after, 28, 26),
        "of two, the second is the first": entry(after, 28, 28),
        "of two, the other way round": entry(after, 30, 28),
        "of two, the commitment that ends the log": entry(ended, 28, 29),
    }
    return [
        *(fails(f"entry: {n}", fields) for n, fields in {**one, **two}.items()),
        *unproven("entry", entry(broken, 28)),
        *unproven("entry: of two, the first", entry(after, 28, 30)),
        *unproven("entry: of two, the second", entry(after, 28, 30), 1),
        *unsigned("entry", entry(broken, 28)),
    ]


def unproven(kind: str, fields: Fields, which: int = 0) -> list[Case]:
    """The leaf does not hold; all else would."""
    index, data, proof = fields["leaves"][which]
    other = data[:-1] + bytes([data[-1] ^ 1])
    leaves = {
        "is another entry": [index, other, proof],
        "is at another place": [index ^ 1, data, proof],
        "is at the tree's size": [2 * index + 9, data, proof],
        "is beyond every tree": [2**63 - 1, data, proof],
        "has no proof": [index, data, b""],
        "has a hash less": [index, data, proof[:-32]],
        "has a hash more": [index, data, proof + LIE],
        "has 63 hashes": [index, data, (proof * 63)[: 63 * 32]],
        "has another hash": [index, data, LIE + proof[32:]],
    }
    return [
        fails(f"{kind}: the leaf {name}", fields | {"leaves": replaced})
        for name, leaf in leaves.items()
        for replaced in [
            [*fields["leaves"][:which], leaf, *fields["leaves"][which + 1 :]]
        ]
    ]


def repeat(tree: Tree, *indexes: int) -> Fields:
    return tree.alarm("repeat", leaves=[tree.leaf(index) for index in indexes])


def repeat_cases() -> list[Case]:
    """Statement 7 is leaf 8, and leaf 28 too."""
    again = works(7, 8)[0]
    tree = on(again, LAST)
    body, tail = again[:41], again[42:]
    same_id = on(body + b"\x03" + tail + b"\xff" * 32, LAST)
    other_tag = on(again[:33] + bytes(8) + again[41:], LAST)
    both = on(NOTICE, LAST, NOTICE, LAST)
    broken = on(again + b"\0", LAST)
    wrong = {
        "one leaf twice": repeat(tree, 8, 8),
        "two statements": repeat(tree, 8, 9),
        "two commitments alike": repeat(tree, 27, 29),
        "two notices alike": repeat(both, 28, 30),
        "a statement and a commitment": repeat(tree, 8, 27),
        "the second is malformed": repeat(broken, 8, 28),
        "the first is malformed": repeat(broken, 28, 8),
    }
    return [
        holds("repeat", repeat(tree, 8, 28)),
        holds("repeat: in the other order", repeat(tree, 28, 8)),
        holds("repeat: side by side", repeat(on(NEW[0], NEW[0], LAST), 28, 29)),
        holds("repeat: one id, other keys", repeat(same_id, 8, 28)),
        holds("repeat: one id, another tag", repeat(other_tag, 8, 28)),
        *(fails(f"repeat: {name}", fields) for name, fields in wrong.items()),
        *unproven("repeat: the first", repeat(tree, 8, 28)),
        *unproven("repeat: the second", repeat(tree, 8, 28), 1),
        *unsigned("repeat", repeat(tree, 8, 28)),
    ]
