"""Bundles with one failure each: everything but the lookup set."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy

from bundle_cases import (
    FEW,
    SMALL,
    Case,
    bad,
    few,
    incomplete,
    not_included,
    row_of,
)
from bundle_logs import (
    WITNESS_TIME,
    WITNESSES,
    cosigned,
    policy,
    witness_name,
    work_of,
)
from naive_bundle import (
    Key,
    L,
    cosignature,
    pack,
    sign,
    signature_line,
    vkey,
)
from naive_prover import View


def asked_cases() -> Iterator[Case]:
    other = work_of("other")
    why = "the reader asked for another digest"
    yield bad("asked", "another digest", why, few(), digest=other)
    why = "the file at hand is another one"
    yield bad("asked", "another file", why, few(), work=other.hex())
    fields = SMALL.fields()
    for name, why in (
        ("other", "the answer for one work, passed off as that for another"),
        ("source", "the answer for a work, passed off as that for its source"),
    ):
        fields["asked"] = [work_of(name)]
        yield bad(
            "completeness", f"asked for {name}", why, fields, digest=work_of(name)
        )


def signature_cases() -> Iterator[Case]:
    said = next(s for s in FEW.log.said.values() if s.type == "work")
    flipped = bytearray(said.signature)
    flipped[32] ^= 1
    scalar = int.from_bytes(said.signature[32:], "little") + L
    shifted = said.signature[:32] + scalar.to_bytes(32, "little")
    stranger = sign(said.fields, Key("stranger")).signature
    for name, why, signature in (
        ("bad author signature", "one bit of S flipped", bytes(flipped)),
        ("malleable author signature", "S + L instead of S", shifted),
        ("signature by another key", "signed by somebody else", stranger),
    ):
        fields = few()
        row_of(fields, said)[1] = pack([1, said.body, signature])
        yield bad("signatures", name, why, fields)


def log_cases() -> Iterator[Case]:
    view, other, stranger = FEW, SMALL.view, Key("stranger")
    origin = view.log.origin
    forged = signature_line(origin, view.log.key, stranger.sign(view.text))
    for name, why, change in (
        (
            "another log's key",
            "the checkpoint is not by the log named",
            {"log": other.vkey},
        ),
        (
            "another log's checkpoint",
            "the checkpoint is not by the log named",
            {"checkpoint": other.note},
        ),
        (
            "a stranger's key under the log's name",
            "that key signed nothing",
            {"log": vkey(origin, stranger)},
        ),
        (
            "forged checkpoint",
            "the log's line holds a stranger's signature",
            {"checkpoint": view.text + b"\n" + forged},
        ),
        ("no log signature", "only a witness signed", {"checkpoint": unsigned(view)}),
        (
            "cosigning key",
            "the verifier key is of a witness's type",
            {"log": vkey(origin, view.log.key, 4)},
        ),
        (
            "unknown kind of key",
            "a verifier key of type 6",
            {"log": vkey(origin, view.log.key, 6)},
        ),
    ):
        yield bad("log", name, why, {**few(), **change})


def unsigned(view: View) -> bytes:
    """A checkpoint without the log's own signature."""
    return cosigned(view, "one").replace(view.note, view.text + b"\n")


def depth_cases() -> Iterator[Case]:
    for name, why, step in (
        ("depth up", "the chain ends before the level that the bundle states", 1),
        ("depth down", "more is followed than the bundle states", -1),
    ):
        fields = SMALL.fields()
        fields["depth"] += step
        yield incomplete(name, why, fields)
    fields = SMALL.view.bundle(SMALL.asked, 0)[0]
    why = "the reader wants level 1, the bundle stops at 0"
    yield incomplete("shallower than wanted", why, fields, depth=1)


def inclusion_cases() -> Iterator[Case]:
    def index(name: str, why: str, at: int) -> Case:
        fields = SMALL.fields()
        row_of(fields, SMALL.claim)[0] = at
        return not_included(name, why, fields)

    def proof(name: str, why: str, inclusion: bytes) -> Case:
        return not_included(name, why, SMALL.fields() | {"inclusion": inclusion})

    fields = SMALL.fields()
    claim, dispute = row_of(fields, SMALL.claim), row_of(fields, SMALL.dispute)
    last = len(SMALL.view.entries) - 1
    yield index("index changed", "the neighbour's index", claim[0] ^ 1)
    yield index("index of another", "two statements at one index", dispute[0])
    yield index("index of the commitment", "no statement is there", last)
    yield index("index beyond the tree", "2^63 - 1", 2**63 - 1)
    claim[0], dispute[0] = dispute[0], claim[0]
    yield not_included("indexes exchanged", "each is the other's", fields)
    whole = SMALL.fields()["inclusion"]
    swapped = whole[32:64] + whole[:32] + whole[64:]
    yield proof("proof swapped", "two hashes exchanged", swapped)
    yield proof("proof short", "the last hash is missing", whole[:-32])
    yield proof("proof empty", "no hash at all", b"")
    yield proof("proof long", "one hash too many", whole + bytes(32))
    rows = SMALL.fields()["statements"]
    newer = SMALL.proof_of(rows, SMALL.newer)
    yield proof("proof for another tree", "the proof is for a newer tree", newer)
    one = SMALL.proof_of(rows[:1])
    yield proof("proof of one statement", "the others are in no tree", one)
    fields = deepcopy(FEW.bundle(work_of("never attested"), 4)[0])
    why = "there is no statement, and a hash all the same"
    fields["inclusion"] = bytes(32)
    asked = work_of("never attested")
    yield bad("inclusion", "proof of nothing", why, fields, digest=asked)


def trust_cases() -> Iterator[Case]:
    view, stranger = FEW, Key("stranger")
    other = f"log {SMALL.view.vkey}\nquorum none\n"
    why = "the policy names another log"
    yield bad("trust", "log not trusted", why, few(), policy=other)
    other = f"log {vkey(view.log.origin, stranger)}\nquorum none\n"
    why = "the policy names that log with another key"
    yield bad("trust", "log trusted with another key", why, few(), policy=other)
    second = signature_line(view.log.origin, stranger, stranger.sign(view.text))
    fields = few()
    fields["checkpoint"] = view.note + second
    fields["log"] = vkey(view.log.origin, stranger)
    why = "both keys signed; the bundle names the one that the policy does not"
    trusting = f"log {view.vkey}\nquorum none\n"
    yield bad(
        "trust", "a stranger's key beside the log's", why, fields, policy=trusting
    )


def witness_cases() -> Iterator[Case]:
    view, name = FEW, witness_name("two")
    key = WITNESSES["two"]
    older = cosignature(SMALL.older.text, name, key, WITNESS_TIME)
    timeless = WITNESS_TIME.to_bytes(8, "big") + key.sign(view.text)
    future = cosignature(view.text, name, key, WITNESS_TIME + 86_400)
    one = cosigned(view, "one")
    for case_name, why, checkpoint in (
        ("no witness", "the policy wants two", view.note),
        ("one witness of two", "the policy wants two", one),
        (
            "unknown second witness",
            "it is not one of the policy's",
            cosigned(view, "one three"),
        ),
        (
            "cosignature of another tree",
            "the second is of another checkpoint",
            one + older,
        ),
        (
            "cosignature without time",
            "the second signed the bare checkpoint",
            one + signature_line(name, key, timeless, 4),
        ),
        ("cosignature from the future", "the second is of tomorrow", one + future),
    ):
        ask = {"policy": policy(view), "now": (WITNESS_TIME + 60) * 1000}
        yield bad(
            "witnesses", case_name, why, {**few(), "checkpoint": checkpoint}, **ask
        )
    why = "two signed, and a third line by a trusted witness does not hold"
    bad_third = cosigned(view, "one two") + signature_line(
        witness_name("three"), WITNESSES["three"], bytes(72), 4
    )
    ask["policy"] = policy(view, quorum="2", names="one two three")
    fields = {**few(), "checkpoint": bad_third}
    yield bad("witnesses", "bad line beside a quorum", why, fields, **ask)
