"""Cases of alarm.json about the lookup set: commitment and omission."""

from __future__ import annotations

from typing import Any

from alarm_cases import (
    LIE,
    NOTICE,
    Case,
    Fields,
    Tree,
    bundle,
    closed,
    commit,
    fails,
    holds,
    honest,
    on,
    opening,
    strings_in,
    works,
)
from alarm_cases_leaves import unproven
from alarm_cases_notes import unsigned
from naive_bundle import commitment, trie, trie_hash, write_opening

NEW = works(25, 30)
BASE = list(honest().entries)
SET = strings_in(BASE)
LAST = BASE[-1]
FALSE = commitment(len(SET) + 10, LIE)
OTHER_SET = sorted([*SET[1:], SET[0][:71] + bytes([SET[0][71] ^ 1])])
"""Of as many strings."""
NOTHING = b"\x02\0"
"""The opening of the empty set."""


def step(tree: Tree, start: int, end: int, **changed: Any) -> Fields:
    """Of the commitment of leaf end-1, from that of leaf `start`."""
    entries = tree.entries[start:end]
    fields = {
        "before": tree.frontier(start),
        "entries": bundle(entries),
        "opening": opening(strings_in(tree.entries[:start]), strings_in(entries)),
        "proof": tree.proof(end),
        "start": start,
    }
    return tree.alarm("commitment", **(fields | changed))


def commitment_cases() -> list[Case]:
    return [*false_steps(), *false_beginnings(), *true_steps(), *broken_steps()]


def false_steps() -> list[Case]:
    """From the commitment at 27, the last of the honest log."""
    grown = strings_in([*BASE, *NEW])
    true_root = trie_hash(trie(grown))
    ended = on(*NEW, NOTICE, FALSE)
    whole = write_opening(trie(SET))
    last = on(*NEW, FALSE)
    later = on(*NEW, FALSE, *works(30, 33), FALSE)
    return [
        holds("commitment: another root", step(on(*NEW, FALSE), 27, 34)),
        holds(
            "commitment: another count",
            step(on(*NEW, commitment(len(grown) - 1, true_root)), 27, 34),
        ),
        holds("commitment: nothing taken in", step(on(*NEW, LAST), 27, 34)),
        holds(
            "commitment: a string left out",
            step(on(*NEW, without(grown, grown[20])), 27, 34),
        ),
        holds(
            "commitment: a string too many",
            step(on(*NEW, set_of([*grown, b"\xff" * 72])), 27, 34),
        ),
        holds("commitment: one statement", step(on(NEW[0], FALSE), 27, 30)),
        holds("commitment: of no statements", step(on(FALSE), 27, 29)),
        holds("commitment: entries follow", step(later, 27, 34)),
        holds("commitment: behind a notice", step(ended, 27, 35)),
        holds("commitment: from another past one", step_from_21()),
        holds("commitment: a leaf that splits", step(splitting(), 0, 12)),
        holds("commitment: an opening of all", step(last, 27, 34, opening=whole)),
        holds("commitment: from the beginning", step(true_then_false(), 0, 4)),
    ]


def set_of(strings: list[bytes]) -> bytes:
    return commitment(len(strings), trie_hash(trie(sorted(strings))))


def without(strings: list[bytes], one: bytes) -> bytes:
    return set_of([string for string in strings if string != one])


def step_from_21() -> Fields:
    entries = [*BASE[:27], FALSE, *NEW, FALSE]
    return step(Tree(tuple(entries)), 21, 28)


def splitting() -> Tree:
    """The empty set grows to 20 strings."""
    return Tree((BASE[0], *works(0, 10), FALSE))


def true_then_false() -> Tree:
    return Tree((BASE[0], *works(0, 2), FALSE))


def first(*entries: bytes, **changed: Any) -> Fields:
    """The first commitment of these entries, which commits to something."""
    tree = Tree(entries)
    fields = {
        "before": b"",
        "entries": bundle(entries[:1]),
        "opening": b"",
        "proof": tree.proof(1),
        "start": 0,
    }
    return tree.alarm("commitment", **(fields | changed))


def false_beginnings() -> list[Case]:
    empty = BASE[0]
    return [
        holds("commitment: the first, the only leaf", first(commitment(0, LIE))),
        holds("commitment: the first, a count", first(commitment(1, empty[9:]))),
        holds("commitment: the first of many", first(LAST, *BASE[1:])),
        holds(
            "commitment: the first, with an opening", first(LAST, opening=closed(SET))
        ),
        fails("commitment: the first, to nothing", first(empty)),
        fails("commitment: the first of many, to nothing", first(*BASE)),
        fails("commitment: a statement alone", first(NEW[0], LAST)),
        fails("commitment: the first, a hash too many", first(LAST, proof=LIE)),
    ]


def true_steps() -> list[Case]:
    """What an honest log did, and what proves nothing of one that did not."""
    tree = on(*NEW, commit([*BASE, *NEW]))
    ended = on(*NEW, NOTICE, commit([*BASE, *NEW]))
    again, twice = on(BASE[3], FALSE), on(NEW[0], NEW[0], FALSE)
    between = on(*NEW[:2], LAST, *NEW[2:], FALSE)
    steps = {
        "what the entries make it": step(tree, 27, 34),
        "what the entries make it, before a notice too": step(ended, 27, 35),
        "an earlier one that is true": step(tree, 21, 28),
        "from the empty set, true": step(tree, 0, 22),
        "no statements, the same": step(on(LAST), 27, 29),
        "a string that is there already": step(again, 27, 30),
        "a string twice": step(twice, 27, 31),
        "a commitment between": step(between, 27, 35),
        "something malformed between": step(on(NEW[0], b"\x07", FALSE), 27, 31),
        "the last is a statement": step(on(*NEW, FALSE), 27, 33),
        "the last is a notice": step(on(NEW[0], NOTICE, FALSE), 27, 30),
        "the last is malformed": step(on(NEW[0], FALSE[:-1], FALSE), 27, 30),
        "the first is a statement": from_statement(),
        "the first is malformed": step(on(b"\x07", NEW[0], FALSE), 28, 31),
        "a commitment alone, not the first": step(on(*NEW, FALSE), 33, 34),
    }
    return [fails(f"commitment: {name}", fields) for name, fields in steps.items()]


def from_statement() -> Fields:
    """As if the statement at 26 were a commitment to what is before it."""
    tree = Tree((*BASE[:27], FALSE))
    return step(tree, 26, 28)


def broken_steps() -> list[Case]:
    """One part of a step that is false is not what it should be."""
    tree = on(*NEW, FALSE, LAST)
    good = step(tree, 27, 34)
    before, proof, entries = good["before"], good["proof"], tree.entries[27:34]
    wanted, fewer = strings_in(entries), strings_in(NEW[1:])
    set_root = trie_hash(trie(SET))
    other = works(40, 41)[0]
    changes: dict[str, Fields] = {
        "before: a hash less": {"before": before[:-32]},
        "before: a hash more": {"before": before + LIE},
        "before: none": {"before": b""},
        "before: 64 hashes": {"before": LIE * 64},
        "before: another hash": {"before": LIE + before[32:]},
        "before: in another order": {
            "before": before[32:64] + before[:32] + before[64:]
        },
        "start: another of as many bits": {"start": 23},
        "start: 2^63 - 1": {"start": 2**63 - 1, "before": LIE * 63},
        "start: 0": {"start": 0, "before": b""},
        "proof: none": {"proof": b""},
        "proof: a hash less": {"proof": proof[:-32]},
        "proof: a hash more": {"proof": proof + LIE},
        "proof: 128 hashes": {"proof": LIE * 128},
        "proof: another hash": {"proof": LIE + proof[32:]},
        "entries: another one": {"entries": bundle((entries[0], other, *entries[2:]))},
        "entries: one less": {"entries": bundle((entries[0], *entries[2:]))},
        "entries: one more": {"entries": bundle((*entries[:-1], other, entries[-1]))},
        "entries: beyond the tree": {
            "entries": bundle((*entries, *entries[1:], entries[-1]))
        },
        "entries: one of no bytes": {"entries": b"\0\0"},
        "opening: empty": {"opening": b""},
        "opening: closed": {"opening": closed(SET)},
        "opening: closed where a string leads": {"opening": opening(SET, fewer[:1])},
        "opening: of another set": {"opening": opening(OTHER_SET, wanted)},
        "opening: of no set": {"opening": NOTHING},
        "opening: a byte more": {"opening": good["opening"] + b"\0"},
        "opening: a byte less": {"opening": good["opening"][:-1]},
        "opening: of an unknown kind": {"opening": b"\x01" + set_root},
    }
    end = step(on(*NEW, FALSE), 27, 34)
    return [
        holds("commitment: one that follows it", good),
        *(fails(f"commitment: {n}", good | one) for n, one in changes.items()),
        fails("commitment: at the end, a proof", end | {"proof": LIE}),
        fails("commitment: the count is another", other_count()),
        *unsigned("commitment", first(LAST)),
    ]


def other_count() -> Fields:
    """The base commits to the right root and to another number of strings."""
    base = commitment(len(SET) + 1, LAST[9:])
    tree = Tree((*BASE[:27], base, *NEW, FALSE))
    return step(tree, 27, 34)


# Omission


def omission(lacks: bytes, *entries: bytes, index: int = 28, **changed: Any) -> Fields:
    """The honest log goes on with `entries`; its set has all but the string `lacks`."""
    strings = [s for s in strings_in([*BASE, *entries]) if s != lacks]
    tree = on(*entries, set_of(strings))
    fields = {
        "leaves": [tree.leaf(index), tree.leaf(tree.size - 1)],
        "opening": opening(strings, [lacks]),
    }
    return tree.alarm("omission", **(fields | changed))


def omission_cases() -> list[Case]:
    one = strings_in(NEW[:1])
    good = omission(one[0], NEW[0])
    early = omission(strings_in(BASE[4:5])[0], index=4)
    all_of = sorted([*SET, *one])
    stopped = on(NEW[0])
    none = stopped_set(NEW[0])
    return [
        holds("omission: the first string", good),
        holds("omission: the second string", omission(one[1], NEW[0])),
        holds("omission: of an old statement", early),
        holds("omission: of one batch, one", omission(one[0], *NEW)),
        holds("omission: the whole statement", none),
        holds(
            "omission: an opening of all",
            good | {"opening": write_opening(trie([s for s in all_of if s != one[0]]))},
        ),
        holds("omission: from a set of nothing", from_nothing()),
        *(fails(f"omission: {name}", f) for name, f in kept(one, all_of).items()),
        fails("omission: the second leaf is not the last", not_the_last()),
        fails("omission: the last leaf is a statement", ends_with_statement(stopped)),
        *(
            fails(f"omission: {name}", good | {"opening": data})
            for name, data in wrong_openings(one, all_of).items()
        ),
        *unproven("omission: the statement", good),
        *unproven("omission: the commitment", good, 1),
        *unsigned("omission", from_nothing()),
    ]


def stopped_set(statement: bytes) -> Fields:
    """The set is the old one."""
    tree = on(statement, LAST)
    fields = {
        "leaves": [tree.leaf(28), tree.leaf(29)],
        "opening": opening(SET, strings_in([statement])),
    }
    return tree.alarm("omission", **fields)


def from_nothing() -> Fields:
    tree = Tree((BASE[0], NEW[0], BASE[0]))
    leaves = [tree.leaf(1), tree.leaf(2)]
    return tree.alarm("omission", leaves=leaves, opening=NOTHING)


def not_the_last() -> Fields:
    """At 29 the log had left it out; at 30 it made up for that."""
    tree = on(NEW[0], LAST, set_of([*SET, *strings_in(NEW[:1])]))
    leaves = [tree.leaf(28), tree.leaf(29)]
    shown = opening(SET, strings_in(NEW[:1]))
    return tree.alarm("omission", leaves=leaves, opening=shown)


def ends_with_statement(tree: Tree) -> Fields:
    leaves = [tree.leaf(5), tree.leaf(28)]
    return tree.alarm("omission", leaves=leaves, opening=closed(SET))


def kept(one: list[bytes], all_of: list[bytes]) -> dict[str, Fields]:
    """Nothing is left out, or nothing that a statement says."""
    true = omission(b"", NEW[0], opening=opening(all_of, one))
    last, whole = true["leaves"][1], write_opening(trie(all_of))
    tree, notice = on(NEW[0], set_of(all_of)), on(NOTICE, LAST)
    broken, cut = on(NEW[0] + b"\0", LAST), on(NEW[0], LAST[:-1])
    spared = closed(SET)
    return {
        "all strings are there": true,
        "all strings are there, an opening of all": true | {"opening": whole},
        "shown of no string": true | {"opening": closed(all_of)},
        "the last leaf twice": true | {"leaves": [last, last]},
        "a commitment for a statement": true | {"leaves": [tree.leaf(27), last]},
        "in the other order": true | {"leaves": true["leaves"][::-1]},
        "a notice for a statement": notice.alarm(
            "omission", leaves=[notice.leaf(28), notice.leaf(29)], opening=spared
        ),
        "a malformed statement": broken.alarm(
            "omission", leaves=[broken.leaf(28), broken.leaf(29)], opening=spared
        ),
        "a malformed commitment": cut.alarm(
            "omission",
            leaves=[cut.leaf(28), cut.leaf(29)],
            opening=opening(SET, one),
        ),
    }


def wrong_openings(one: list[bytes], all_of: list[bytes]) -> dict[str, bytes]:
    lacking = [s for s in all_of if s != one[0]]
    good = opening(lacking, one[:1])
    others = sorted([*lacking[1:], lacking[0][:71] + bytes([lacking[0][71] ^ 1])])
    return {
        "an opening that is closed": closed(lacking),
        "an opening of another set": opening(others, one[:1]),
        "an opening of no set": NOTHING,
        "an opening of no bytes": b"",
        "an opening, a byte more": good + b"\0",
        "an opening, a byte less": good[:-1],
        "an opening that is closed where it leads": opening(lacking, SET[-1:]),
    }
