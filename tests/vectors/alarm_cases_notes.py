"""Cases of alarm.json that are made of two notes: equivocation and fork."""

from __future__ import annotations

from functools import cache
from typing import Any

from alarm_cases import (
    LIE,
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
from log_cases import LOG_KEY, ORIGIN, TIME, WITNESS, WITNESS_KEY
from naive_bundle import (
    Key,
    checkpoint_text,
    cosignature,
    signed_note,
    tree_root,
    vkey,
)


@cache
def other_past() -> Tree:
    """As long as the honest log, with other works in its second batch."""
    entries = [*honest().entries[:22], *works(40, 45)]
    return Tree((*entries, commit(entries)))


def equivocation(**changed: Any) -> Fields:
    return honest().alarm("equivocation", other=other_past().note) | changed


def equivocation_cases() -> list[Case]:
    tree, text = honest(), checkpoint_text
    of = other_past().entries
    cosigned = tree.note + cosignature(
        text(ORIGIN, 28, tree.root(28)), WITNESS, WITNESS_KEY, TIME
    )
    empty, no_root = bare(0, tree_root(())), bare(0, LIE)
    others = {
        "the same note": tree.note,
        "the same tree, cosigned": cosigned,
        "a smaller tree": bare(22, tree.root(22)),
        "a smaller tree of another history": Tree(of[:27]).note,
        "a larger tree of another history": Tree((*of, of[0])).note,
    }
    return [
        holds("equivocation", equivocation()),
        holds(
            "equivocation: the notes in the other order",
            equivocation(note=other_past().note, other=tree.note),
        ),
        holds(
            "equivocation: of trees that nobody has", equivocation(other=bare(28, LIE))
        ),
        holds("equivocation: cosigned", equivocation(note=cosigned)),
        holds("equivocation: of no leaves", equivocation(note=empty, other=no_root)),
        *(
            fails(f"equivocation: {name}", equivocation(other=note))
            for name, note in others.items()
        ),
        *unsigned_others("equivocation", equivocation()),
        *unsigned("equivocation", equivocation()),
    ]


def bare(size: int, root: bytes, key: Key = LOG_KEY, name: str = ORIGIN) -> bytes:
    """A note of the log with any size and root."""
    return signed_note(checkpoint_text(name, size, root), name, key)


def fork(m: int = 27, **changed: Any) -> Fields:
    """The honest log does not extend the first m leaves of the other one."""
    tree = honest()
    other = Tree(other_past().entries[:m]).note
    proof, root = tree.proof(m), tree.root(m)
    return tree.alarm("fork", other=other, proof=proof, root=root) | changed


def fork_cases() -> list[Case]:
    tree = honest()
    good = tree.proof(27)
    eight = tree.alarm(
        "fork", other=bare(8, LIE), proof=tree.proof(8), root=tree.root(8)
    )
    one = tree.alarm("fork", other=bare(1, LIE), proof=tree.proof(1), root=tree.root(1))
    true = fork(other=Tree(tree.entries[:27]).note)
    larger = on(*works(25, 26))
    swapped = larger.alarm(
        "fork", other=larger.note, proof=b"", root=other_past().root(28)
    )
    wrong = {
        "fork: the other tree is a part of this one": true,
        "fork: of one size": fork(
            other=other_past().note, proof=b"", root=tree.root(28)
        ),
        "fork: the other is larger": fork(other=bare(29, LIE), proof=b""),
        "fork: of no leaves": fork(other=bare(0, LIE), proof=b"", root=tree_root(())),
        "fork: the note itself": swapped,
        "fork: no proof": fork(proof=b""),
        "fork: a hash less": fork(proof=good[:-32]),
        "fork: a hash more": fork(proof=good + LIE),
        "fork: 128 hashes": fork(proof=(good * 128)[: 128 * 32]),
        "fork: another hash": fork(proof=LIE + good[32:]),
        "fork: the proof from another size": fork(proof=tree.proof(26)),
        "fork: the root of another size": fork(root=tree.root(26)),
        "fork: a root of nothing": fork(root=LIE),
        "fork: from 8, a root of nothing": eight | {"root": b"\x67" * 32},
        "fork: the proof of the other tree": fork(
            note=other_past().note, root=other_past().root(27)
        ),
    }
    return [
        holds("fork", fork()),
        holds("fork: from 23", fork(23)),
        holds("fork: from 8", eight),
        holds("fork: from 1", one),
        *(fails(name, fields) for name, fields in wrong.items()),
        *unsigned_others("fork", fork()),
        *unsigned("fork", fork()),
    ]


# Every note MUST be signed by `vkey` (type 01) as a checkpoint of its origin


def unsigned_others(kind: str, fields: Fields) -> list[Case]:
    named = unsigned_notes(fields["other"])
    return [
        fails(f"{kind}: the other note is {name}", fields | {"other": note})
        for name, note in named.items()
    ]


def unsigned(kind: str, fields: Fields) -> list[Case]:
    named = unsigned_notes(fields["note"])
    tree = honest()
    other = Tree(tree.entries, "other.example/log", Key("other"))
    keys = {
        "another log's": other.vkey,
        "the same name's, another key": Tree((), ORIGIN, Key("other")).vkey,
        "another name's, the same key": Tree((), other.origin).vkey,
        "a cosigner's": vkey(ORIGIN, LOG_KEY, 4),
        "no key": "nobody",
        "of a type of others": "byline.example+d1ec3fb2+Bg==",
        "1,024 characters of nothing": "x" * 1024,
    }
    return [
        *(
            fails(f"{kind}: the note is {name}", fields | {"note": note})
            for name, note in named.items()
        ),
        *(
            fails(f"{kind}: the key is {name}", fields | {"vkey": key})
            for name, key in keys.items()
        ),
    ]


def unsigned_notes(note: bytes) -> dict[str, bytes]:
    """The same checkpoint in notes that this log did not sign."""
    text = note[: note.index(b"\n\n") + 1]
    _, size, root = text.split(b"\n")[:3]
    renamed = b"other.example/log\n%s\n%s\n" % (size, root)
    longer = text + b"extension\n"
    return {
        "signed by a stranger": signed_note(text, ORIGIN, Key("other")),
        "altered": note.replace(root, root[:-4] + b"AAA="),
        "of another origin": signed_note(renamed, "other.example/log", LOG_KEY),
        "of another origin under this key's name": signed_note(
            renamed, ORIGIN, LOG_KEY
        ),
        "cosigned alone": text + b"\n" + cosignature(text, ORIGIN, LOG_KEY, TIME),
        "with an extension line": signed_note(longer, ORIGIN, LOG_KEY),
        "no note": b"nothing",
        "empty": b"",
    }
