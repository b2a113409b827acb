"""Bundles whose lookup set or commitment does not hold, one failure each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from bundle_cases import (
    FEW,
    SMALL,
    Case,
    Fields,
    about_string,
    bad,
    incomplete,
    inner_with_prefix,
    leaf_with,
    nodes,
    not_included,
    row_of,
)
from bundle_logs import (
    claim,
    work_of,
)
from naive_bundle import (
    Key,
    bits,
    inclusion,
    opened,
    strings_of,
    subject,
    tag,
    trie,
    trie_hash,
)
from naive_chain import Chain
from naive_prover import View


def dropped_cases() -> Iterator[Case]:
    dropped = (
        ("statement", SMALL.claim),
        ("dispute", SMALL.dispute),
        ("withdrawal", SMALL.withdrawal),
        ("source's statement", SMALL.source),
    )
    for what, said in dropped:
        fields = SMALL.fields()
        fields["statements"].remove(row_of(fields, said))
        why = "its string is shown, the statement is not"
        yield incomplete(f"{what} dropped", why, fields)
        why = "the opening is that of a log which never saw it"
        fields = SMALL.without(said)
        yield incomplete(f"{what} dropped from the set", why, fields)
        fields = SMALL.fields()
        fields["statements"].remove(row_of(fields, said))
        leaf = leaf_with(fields, about_string(said))
        leaf[:] = ["closed", trie_hash(leaf)]
        why = "the leaf that lists it is closed"
        yield incomplete(f"{what} dropped, leaf closed", why, fields)
    everything = [SMALL.first, SMALL.claim]
    why = "two statements about the work exist; the opening shows none"
    fields = SMALL.without(*everything)
    yield incomplete("absence of something present", why, fields)
    stranger = Key("phantom")
    phantom = claim(stranger, "work")
    fields = SMALL.with_row(SMALL.fields(), [5, phantom.envelope])
    why = "a statement that is not listed in the lookup set"
    yield incomplete("phantom statement", why, fields)
    view = SMALL.with_strings(*strings_of(phantom))
    SMALL.log.said[phantom.id], SMALL.log.index[phantom.id] = phantom, 5
    fields = view.bundle(SMALL.asked, 4)[0]
    fields["checkpoint"] = SMALL.view.note
    fields["proof"] = SMALL.fields()["proof"]
    why = "a statement listed in a lookup set that the log did not commit to"
    yield incomplete("phantom statement in the set", why, fields)
    del SMALL.log.said[phantom.id], SMALL.log.index[phantom.id]
    fields = SMALL.with_row(SMALL.fields(), SMALL.view.row(SMALL.other.id))
    why = "a statement of the log that the answer does not use"
    yield incomplete("unused statement", why, fields)


def opening_cases() -> Iterator[Case]:
    listed = about_string(SMALL.claim)
    fields = SMALL.fields()
    strings = leaf_with(fields, listed)[1]
    strings[0], strings[1] = strings[1], strings[0]
    yield incomplete("strings reordered", "a leaf's strings ascend", fields)
    fields = SMALL.fields()
    strings = leaf_with(fields, listed)[1]
    at = strings.index(listed)
    strings[at ^ 1] = listed
    yield incomplete("string twice", "a leaf's strings ascend strictly", fields)
    fields = SMALL.fields()
    strings = leaf_with(fields, listed)[1]
    strings[strings.index(listed)] = listed[:-1] + bytes([listed[-1] ^ 1])
    yield incomplete("string changed", "one bit of a listed id", fields)
    fields = SMALL.fields()
    leaf_with(fields, listed)[1].remove(listed)
    why = "the leaf has fewer strings than its parent says"
    yield incomplete("string dropped from a leaf", why, fields)

    def inner(change: Callable[[list[Any]], None], *, ragged: bool = False) -> Fields:
        fields = SMALL.fields()
        change(inner_with_prefix(fields, ragged=ragged))
        return fields

    def shift(node: list[Any]) -> None:
        node[2], node[3] = node[2] + 1, node[3] - 1

    def flip(node: list[Any]) -> None:
        node[4] = node[4][:-1] + "10"[int(node[4][-1])]

    def first(node: list[Any]) -> None:
        node[4] = "10"[int(node[4][0])] + node[4][1:]

    def deeper(node: list[Any]) -> None:
        node[1], node[4] = node[1] + 1, node[4] + "0"

    def shallow(node: list[Any]) -> None:
        node[1], node[4] = 0, ""

    def swap(node: list[Any]) -> None:
        node[5], node[6] = node[6], node[5]

    why = "one string moved from the right side to the left by count"
    yield incomplete("counts of the sides changed", why, inner(shift))
    why = "a side of no strings"
    fields = inner(lambda n: n.__setitem__(slice(2, 4), [n[2] + n[3], 0]))
    yield incomplete("count of a side is zero", why, fields)
    why = "the sides have more strings than the parent says"
    fields = inner(lambda n: n.__setitem__(2, n[2] + 1))
    yield incomplete("counts do not add up", why, fields)
    why = "a bit of a node's prefix changed"
    yield incomplete("last prefix bit changed", why, inner(flip))
    yield incomplete("first prefix bit changed", why, inner(first))
    why = "the node says to split one bit later"
    yield incomplete("node depth up", why, inner(deeper))
    why = "the node says to split where its parent did"
    yield incomplete("node depth down", why, inner(shallow))
    yield incomplete("sides exchanged", "left is right", inner(swap))
    fields = SMALL.fields()
    closed = next(n for n in nodes(fields["opening"]) if n[0] == "closed")
    closed[1] = bytes([closed[1][0] ^ 1]) + closed[1][1:]
    yield incomplete("hash of a closed node", "one bit changed", fields)
    yield from surplus_cases()


def surplus_cases() -> Iterator[Case]:
    chain = Chain(SMALL.view)
    chain.answer([SMALL.asked], 4)
    beside = next(
        node
        for node in nodes(SMALL.view.top)
        if node[0] == "leaf" and id(node) not in chain.visited
    )
    path = {id(n) for n in nodes(SMALL.view.top) if any(m is beside for m in nodes(n))}
    fields = SMALL.fields()
    fields["opening"] = opened(SMALL.view.top, chain.visited | path)
    yield incomplete("extra open leaf", "no owed lookup visits it", fields)
    fields = SMALL.fields()
    fields["opening"] = ["closed", trie_hash(SMALL.view.top)]
    yield incomplete("nothing open", "every owed lookup is closed", fields)


def lying_cases() -> Iterator[Case]:
    """A log signs a commitment that is wrong; the reader can tell from the bundle."""
    phantom = claim(Key("phantom"), "work")
    view = SMALL.with_strings(*strings_of(phantom))
    SMALL.log.said[phantom.id], SMALL.log.index[phantom.id] = phantom, 5
    fields = view.bundle(SMALL.asked, 4)[0]
    why = "the log lists a statement that it does not hold"
    yield not_included("committed phantom", why, fields)
    del SMALL.log.said[phantom.id], SMALL.log.index[phantom.id]
    other = SMALL.other
    key = subject(SMALL.asked)
    for name, why, string in (
        (
            "listed under another work",
            "the statement is about something else",
            key + tag(other.author) + other.id,
        ),
        (
            "listed under another author",
            "the tag is not its author's",
            key + tag(Key("stranger").public) + SMALL.claim.id,
        ),
    ):
        fields = SMALL.with_strings(string).bundle(SMALL.asked, 4)[0]
        yield incomplete(name, why, fields)
    strings = sorted(SMALL.log.strings)
    for name, why, top in misshapen(strings, about_string(SMALL.withdrawal)):
        view = SMALL.lying(top, len(strings))
        fields = view.bundle(SMALL.asked, 4)[0]
        yield incomplete(name, why, fields)


def misshapen(
    strings: list[bytes], hidden: bytes
) -> Iterator[tuple[str, str, list[Any]]]:
    """Tries of the right strings in the wrong shape, each with its own root."""
    yield "leaf too large", "a leaf of more than 16 strings", ["leaf", strings]
    top = trie(strings)
    leaf = next(n for n in nodes(top) if n[0] == "leaf" and hidden in n[1])
    few = leaf[1]
    d = next(i for i in range(576) if bits(few[0])[i] != bits(few[-1])[i])
    left = [s for s in few if bits(s)[d] == "0"]
    right = [s for s in few if bits(s)[d] == "1"]
    leaf[:] = [
        "inner",
        d,
        len(left),
        len(right),
        bits(few[0])[:d],
        ["leaf", left],
        ["leaf", right],
    ]
    yield "leaf split too early", "an inner node of 16 strings or fewer", top
    top = trie(strings)
    leaf = next(n for n in nodes(top) if n[0] == "leaf" and hidden in n[1])
    shown = {
        s for n in nodes(SMALL.fields()["opening"]) if n[0] == "leaf" for s in n[1]
    }
    elsewhere = next(
        n
        for n in nodes(top)
        if n[0] == "leaf" and n is not leaf and len(n[1]) < 16 and shown & set(n[1])
    )
    leaf[1].remove(hidden)
    elsewhere[1] = sorted([*elsewhere[1], hidden])
    recount(top)
    yield "string in the wrong leaf", "a withdrawal hidden where no lookup leads", top


def recount(node: list[Any]) -> int:
    if node[0] == "leaf":
        return len(node[1])
    node[2], node[3] = recount(node[5]), recount(node[6])
    return int(node[2] + node[3])


def commitment_cases() -> Iterator[Case]:
    view, entries = SMALL.view, SMALL.view.entries
    last = len(entries) - 1
    for name, why, step in (
        ("number of strings up", "one more than committed", 1),
        ("number of strings down", "one less than committed", -1),
    ):
        fields = SMALL.fields()
        fields["strings"] += step
        yield incomplete(name, why, fields)
    fields = SMALL.fields()
    fields["proof"] = b"".join(inclusion(last - 1, entries))
    why = "the proof is that of the leaf before"
    yield incomplete("commitment proof of another leaf", why, fields)
    fields = SMALL.fields()
    hashes = [fields["proof"][i : i + 32] for i in range(0, len(fields["proof"]), 32)]
    fields["proof"] = b"".join([hashes[1], hashes[0], *hashes[2:]])
    why = "two hashes exchanged"
    yield incomplete("commitment proof swapped", why, fields)
    fields["proof"] = b"".join(hashes[:-1])
    why = "the proof lacks its last hash"
    yield incomplete("commitment proof short", why, fields)
    fields["proof"] = b"".join(hashes) + bytes(32)
    yield incomplete("commitment proof long", "one hash too many", fields)
    for name, other in (("older", SMALL.older), ("newer", SMALL.newer)):
        fields = SMALL.fields()
        fields["checkpoint"] = other.note
        why = f"a true checkpoint of this log, but an {name} one"
        yield incomplete(
            f"{name} checkpoint", why.replace("an newer", "a newer"), fields
        )
    fields = SMALL.fields()
    fields.update(checkpoint=FEW.note, log=FEW.vkey)
    why = "another log's checkpoint and key; its tree holds another commitment"
    yield incomplete("another log altogether", why, fields)
    early = View(SMALL.log, SMALL.older.entries, view.top, view.count)
    fields = SMALL.fields()
    fields["checkpoint"] = early.note
    fields["proof"] = b"".join(inclusion(len(early.entries) - 1, early.entries))
    why = "the older tree commits to an older set"
    yield incomplete("older checkpoint with its proof", why, fields)
    open_ended = View(SMALL.log, entries[:-1], view.top, view.count)
    fields = SMALL.fields()
    fields["checkpoint"] = open_ended.note
    fields["proof"] = b"".join(inclusion(last - 1, entries[:-1]))
    fields["inclusion"] = SMALL.proof_of(fields["statements"], open_ended)
    why = "the tree that the log signed ends with a statement"
    yield incomplete("last leaf is no commitment", why, fields)
    buried = View(SMALL.log, (*entries, entries[0]), view.top, view.count)
    fields = SMALL.fields()
    fields["checkpoint"] = buried.note
    fields["proof"] = b"".join(inclusion(last, buried.entries))
    fields["inclusion"] = SMALL.proof_of(fields["statements"], buried)
    why = "the commitment is proven, but a statement follows it"
    yield incomplete("commitment is not the last leaf", why, fields)
    empty = View(SMALL.log, (), ["leaf", []], 0)
    asked = work_of("never attested")
    fields = {**fields, "asked": [asked], "checkpoint": empty.note, "depth": 0}
    fields |= {"opening": empty.top, "proof": b"", "statements": [], "strings": 0}
    fields["inclusion"] = b""
    why = "a tree of size 0 commits to nothing"
    yield bad("completeness", "empty tree", why, fields, digest=asked)
