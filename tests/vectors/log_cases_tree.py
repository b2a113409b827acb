"""Cases of log_tree.json: roots and proofs by the recursive definitions of RFC 6962."""

from __future__ import annotations

from log_cases import Case, bad, ok, proof_hex
from naive_bundle import inclusion, sha256, tree_root

LEAVES = tuple(
    bytes.fromhex(leaf)
    for leaf in (
        *("", "00", "10", "2021", "3031", "40414243", "5051525354555657"),
        "606162636465666768696a6b6c6d6e6f",
        *(f"{number:04x}" for number in range(100, 113)),
    )
)


def split_of(size: int) -> int:
    k = 1
    while 2 * k < size:
        k *= 2
    return k


def consistency(
    old: int, entries: tuple[bytes, ...], whole: bool = True
) -> list[bytes]:
    """SUBPROOF(old, entries, whole) of RFC 6962, section 2.1.2."""
    if old == len(entries):
        return [] if whole else [tree_root(entries)]
    k = split_of(len(entries))
    if old <= k:
        return [*consistency(old, entries[:k], whole), tree_root(entries[k:])]
    return [*consistency(old - k, entries[k:], False), tree_root(entries[:k])]


def inclusion_case(index: int, size: int) -> Case:
    entries = LEAVES[:size]
    return {
        "leaf": sha256(b"\0" + LEAVES[index]).hex(),
        "index": index,
        "size": size,
        "proof": proof_hex(inclusion(index, entries)),
        "root": tree_root(entries).hex(),
    }


def consistency_case(old: int, size: int) -> Case:
    proof = consistency(old, LEAVES[:size]) if old else []
    return {
        "old": old,
        "size": size,
        "old_root": tree_root(LEAVES[:old]).hex(),
        "root": tree_root(LEAVES[:size]).hex(),
        "proof": proof_hex(proof),
    }


def flipped(data: str) -> str:
    raw = bytearray.fromhex(data)
    raw[-1] ^= 1
    return raw.hex()


def broken_proofs(good: Case) -> list[Case]:
    """What may not pass for any proof: one change each."""
    proof = good["proof"]
    other = "11" * 32
    cases = [
        bad("a hash too many", "proof", **{**good, "proof": [*proof, other]}),
        bad("a zero hash too many", "proof", **{**good, "proof": [*proof, "00" * 32]}),
        bad("another root", "proof", **{**good, "root": flipped(good["root"])}),
        bad("a root of 31 bytes", "proof", **{**good, "root": good["root"][2:]}),
        bad("size 2^63", "proof", **{**good, "size": 2**63}),
        bad("size 64 more", "proof", **{**good, "size": good["size"] + 64}),
    ]
    if proof:
        cases += [
            bad("a hash too few", "proof", **{**good, "proof": proof[:-1]}),
            bad(
                "a bit flipped",
                "proof",
                **{**good, "proof": [flipped(proof[0]), *proof[1:]]},
            ),
            bad(
                "a hash of 31 bytes",
                "proof",
                **{**good, "proof": [proof[0][2:], *proof[1:]]},
            ),
            bad(
                "a hash of 33 bytes",
                "proof",
                **{**good, "proof": [proof[0] + "00", *proof[1:]]},
            ),
        ]
    if len(proof) > 1:
        cases.append(bad("hashes swapped", "proof", **{**good, "proof": proof[::-1]}))
    return cases


def broken_inclusions() -> list[Case]:
    cases = []
    for index, size in ((0, 1), (5, 8), (6, 7), (20, 21)):
        good = inclusion_case(index, size)
        cases += [
            named(case, f"leaf {index} of {size}") for case in broken_proofs(good)
        ]
    good = inclusion_case(5, 8)
    cases += [
        bad("index equal to the size", "proof", **{**good, "index": 8}),
        bad("negative index", "proof", **{**good, "index": -1}),
        bad("the neighbour's index", "proof", **{**good, "index": 4}),
        bad("another leaf", "proof", **{**good, "leaf": flipped(good["leaf"])}),
        bad(
            "the entry instead of its hash",
            "proof",
            **{**good, "leaf": LEAVES[5].hex()},
        ),
        bad("the empty tree", "proof", **{**good, "index": 0, "size": 0, "proof": []}),
    ]
    return cases


def broken_consistencies() -> list[Case]:
    cases = []
    for old, size in ((1, 2), (6, 8), (4, 7), (13, 21)):
        good = consistency_case(old, size)
        name = f"{old} to {size}"
        cases += [named(case, name) for case in broken_proofs(good)]
        other = {**good, "old_root": flipped(good["old_root"])}
        cases.append(bad(f"{name}: another old root", "proof", **other))
    good, same = consistency_case(6, 8), consistency_case(5, 5)
    swapped = {**good, "old_root": good["root"], "root": good["old_root"]}
    cases += [
        bad("a tree that shrinks", "proof", **{**swapped, "old": 8, "size": 6}),
        bad("negative old size", "proof", **{**good, "old": -1}),
        bad("one size, two roots", "proof", **{**same, "root": flipped(same["root"])}),
        bad("one size and a proof", "proof", **{**same, "proof": ["11" * 32]}),
        bad(
            "from nothing, with a proof",
            "proof",
            **{**consistency_case(0, 3), "proof": ["11" * 32]},
        ),
        bad(
            "from nothing, with a root",
            "proof",
            **{**consistency_case(0, 3), "old_root": "11" * 32},
        ),
        bad(
            "nothing to nothing, another root",
            "proof",
            **{**consistency_case(0, 0), "root": "11" * 32, "old_root": "11" * 32},
        ),
    ]
    return cases


def named(case: Case, name: str) -> Case:
    return {**case, "name": f"{name}: {case['name']}"}


def tree_vectors() -> dict[str, list[Case]]:
    sizes = range(len(LEAVES) + 1)
    pairs = [(old, size) for size in sizes for old in range(size + 1)]
    return {
        "roots": [
            ok(
                f"{size} leaves",
                leaves=[leaf.hex() for leaf in LEAVES[:size]],
                root=tree_root(LEAVES[:size]).hex(),
            )
            for size in sizes
        ],
        "inclusion": [
            *(
                ok(f"leaf {index} of {size}", **inclusion_case(index, size))
                for size in sizes
                for index in range(size)
            ),
            *broken_inclusions(),
        ],
        "consistency": [
            *(
                ok(f"{old} to {size}", **consistency_case(old, size))
                for old, size in pairs
            ),
            *broken_consistencies(),
        ],
    }
