"""Cases of alarm.json whose bytes have another form; one thing each."""

from __future__ import annotations

from typing import Any

from alarm_cases import LIE, Case, Fields, fails, holds, honest, on, works
from alarm_cases_leaves import LAST, NEW, entry, repeat
from alarm_cases_notes import equivocation, fork
from alarm_cases_sets import FALSE, first, from_nothing, step
from log_cases import bad, brief, pieces
from naive_bundle import pack

NIL = b"\xc0"
MAX_OPENING = 16 << 20


def good_ones() -> dict[str, Fields]:
    """One alarm of each kind, which holds, and is short."""
    return {
        "equivocation": equivocation(),
        "fork": fork(),
        "entry": entry(on(b"\x07", LAST), 28),
        "repeat": repeat(on(*works(7, 8), LAST), 8, 28),
        "commitment": first(LAST),
        "omission": from_nothing(),
    }


def malformed_cases() -> list[Case]:
    good = good_ones()
    return [
        *spoiled(good["equivocation"]),
        *(one for fields in good.values() for one in keys_of(fields)),
        *values(good["equivocation"], of_any()),
        *values(good["fork"], of_fork()),
        *values(good["entry"], of_leaves(good["entry"]["leaves"][0])),
        *values(good["repeat"], of_two(good["repeat"]["leaves"])),
        *values(good["commitment"], of_commitment(good["commitment"]["entries"])),
        *values(good["omission"], of_two(good["omission"]["leaves"])),
        *values(good["omission"], {"opening: a text": {"opening": "text"}}),
        *versions(good["equivocation"]),
        *large(good),
    ]


def wrong(name: str, data: bytes) -> Case:
    return bad(name, alarm=brief(data))


def spoiled(fields: Fields) -> list[Case]:
    """The bytes of any map."""
    data, names = pack(fields), sorted(fields)
    head, rest = data[:1], data[1:]
    pairs = [pack(name) + pack(fields[name]) for name in names]
    swapped = [pairs[1], pairs[0], *pairs[2:]]
    texts = {
        "nothing": b"",
        "a byte more": data + b"\0",
        "a byte less": data[:-1],
        "a text": pack("alarm"),
        "an array": pack([fields[name] for name in names]),
        "the map in an array": b"\x91" + data,
        "a map of nothing": b"\x80",
        "a long form of the header": b"\xde\0" + bytes([head[0] & 15]) + rest,
        "a key in its long form": head + b"\xd9\x06" + rest[1:],
        "a value in its long form": data.replace(b"\xac" + b"equiv", b"\xd9\x0cequiv"),
        "a key in bytes": head + pack(b"format") + rest[7:],
        "keys in another order": head + b"".join(swapped),
        "a key twice": bytes([head[0] + 1]) + pairs[0] + rest,
        "a value of nil": head + b"".join(pairs[:-1]) + pack("vkey") + NIL,
    }
    return [wrong(name, text) for name, text in texts.items()]


def keys_of(fields: Fields) -> list[Case]:
    """Each key is needed, and no other is known."""
    kind = fields["kind"]
    cases = [wrong(f"{kind}: a further key", pack(fields | {"more": 1}))]
    for name in sorted(fields):
        rest = {key: value for key, value in fields.items() if key != name}
        cases.append(wrong(f"{kind}: without {name}", pack(rest)))
    return cases


def values(fields: Fields, changes: dict[str, Fields]) -> list[Case]:
    kind = fields["kind"]
    return [
        wrong(f"{kind}: {name}", pack(fields | one)) for name, one in changes.items()
    ]


def of_any() -> dict[str, Fields]:
    return {
        "format: a bundle's": {"format": "byline-bundle/3"},
        "format: in capitals": {"format": "BYLINE-ALARM/1"},
        "format: bytes": {"format": b"byline-alarm/1"},
        "format: a number": {"format": 1},
        "kind: unknown": {"kind": "rumour"},
        "kind: another": {"kind": "fork"},
        "kind: bytes": {"kind": b"equivocation"},
        "kind: an array": {"kind": ["equivocation"]},
        "note: a text": {"note": "text"},
        "note: an array": {"note": [b"note"]},
        "note: 1,000,001 bytes": {"note": bytes(1_000_001)},
        "vkey: bytes": {"vkey": honest().vkey.encode()},
        "vkey: 1,025 characters": {"vkey": "x" * 1025},
        "other: a text": {"other": "text"},
        "other: a number": {"other": 7},
        "other: 1,000,001 bytes": {"other": bytes(1_000_001)},
    }


def of_fork() -> dict[str, Fields]:
    return {
        "root: 31 bytes": {"root": LIE[:31]},
        "root: 33 bytes": {"root": LIE + b"\0"},
        "root: none": {"root": b""},
        "root: a text": {"root": "f" * 32},
        "proof: a byte more": {"proof": LIE + b"\0"},
        "proof: 129 hashes": {"proof": LIE * 129},
        "proof: an array": {"proof": [LIE]},
        "proof: a text": {"proof": "f" * 32},
    }


def of_leaves(leaf: list[Any]) -> dict[str, Fields]:
    index, data, proof = leaf
    leaves = {
        "a leaf of two": [index, data],
        "a leaf of four": [index, data, proof, b""],
        "a leaf of none": [],
        "a leaf in bytes": b"leaf",
        "a leaf in a map": {"entry": data, "index": index, "proof": proof},
        "an index in text": ["28", data, proof],
        "an index of 2^63": [2**63, data, proof],
        "a truth for an index": [True, data, proof],
        "an entry in text": [index, "text", proof],
        "an entry in an array": [index, [data], proof],
        "an entry of 65,536 bytes": [index, b"\x07" * 65_536, proof],
        "a proof in text": [index, data, "text"],
        "a proof in an array": [index, data, [LIE]],
        "a proof of a byte more": [index, data, proof + b"\0"],
        "a proof of 64 hashes": [index, data, LIE * 64],
    }
    return {
        **{f"leaves: {name}": {"leaves": [one]} for name, one in leaves.items()},
        "leaves: none": {"leaves": []},
        "leaves: three": {"leaves": [leaf] * 3},
        "leaves: a leaf itself": {"leaves": leaf},
        "leaves: bytes": {"leaves": b""},
        "leaves: a map": {"leaves": {"first": leaf}},
    }


def of_two(leaves: list[Any]) -> dict[str, Fields]:
    index, data, proof = leaves[1]
    return {
        "leaves: none": {"leaves": []},
        "leaves: one": {"leaves": leaves[:1]},
        "leaves: three": {"leaves": [*leaves, leaves[0]]},
        "leaves: the second of two": {"leaves": [leaves[0], [index, data]]},
        "leaves: the second at 2^63": {"leaves": [leaves[0], [2**63, data, proof]]},
    }


def of_commitment(entries: bytes) -> dict[str, Fields]:
    return {
        "start: a text": {"start": "27"},
        "start: 2^63": {"start": 2**63, "before": LIE},
        "start: a truth": {"start": True},
        "before: a byte more": {"before": LIE + b"\0"},
        "before: 65 hashes": {"before": LIE * 65},
        "before: an array": {"before": [LIE]},
        "entries: none": {"entries": b""},
        "entries: half a length": {"entries": entries + b"\0"},
        "entries: a length alone": {"entries": entries + b"\0\x01"},
        "entries: cut off": {"entries": entries[:-1]},
        "entries: an array": {"entries": [entries]},
        "entries: 65,537 of them": {"entries": b"\0\0" * 65_537},
        "opening: a text": {"opening": "text"},
        "proof: a byte more": {"proof": LIE + b"\0"},
        "proof: 129 hashes": {"proof": LIE * 129},
    }


def versions(fields: Fields) -> list[Case]:
    later = {"format": "byline-alarm/2"}
    return [
        bad("another version", "unsupported", alarm=pack(fields | later).hex()),
        bad(
            "another version, of other keys",
            "unsupported",
            alarm=pack({**later, "what": "else"}).hex(),
        ),
        bad(
            "another version, a text for a number",
            "unsupported",
            alarm=pack(fields | {"format": "byline-alarm/next"}).hex(),
        ),
    ]


# What is long: at its limit and a byte above


def large(good: dict[str, Fields]) -> list[Case]:
    step_, omitted = step(on(*NEW, FALSE), 27, 34), good["omission"]
    many = {"entries": b"\0\0" * 65_536}
    return [
        filled("equivocation: a note of 1,000,000 bytes", good["equivocation"], "note"),
        filled("equivocation: another of 1,000,000", good["equivocation"], "other"),
        fails("commitment: 65,536 entries", step_ | many),
        zeros("commitment: an opening of 16 MiB", step_, MAX_OPENING),
        zeros("commitment: an opening of 16 MiB and a byte", step_, MAX_OPENING + 1),
        zeros("omission: an opening of 16 MiB", omitted, MAX_OPENING),
        zeros("omission: an opening of 16 MiB and a byte", omitted, MAX_OPENING + 1),
        too_long(step_),
    ]


def filled(name: str, fields: Fields, key: str) -> Case:
    """A stranger's signature makes the note so long, and changes nothing."""
    note, size = fields[key], 1_000_000
    for length in range(1, 5):
        head = f"\u2014 {'x' * length} ".encode()
        room = size - len(note) - len(head) - 1
        if room % 4 == 0:
            break
    long = pack(fields | {key: note + head + b"A" * room + b"\n"})
    return holds(name, fields) | {"alarm": brief(long)}


def zeros(name: str, fields: Fields, count: int) -> Case:
    kind = "verification" if count <= MAX_OPENING else "malformed"
    return bad(name, kind, alarm=brief(pack(fields | {"opening": bytes(count)})))


def too_long(fields: Fields) -> Case:
    """32 MiB and a byte; each part is as it may be."""
    opening, size = bytes(MAX_OPENING), (32 << 20) + 1
    one = b"\xff\xff" + b"\x07" * 65_535
    count = (size - MAX_OPENING) // len(one)
    rest = size - len(pack(fields | {"entries": one * count, "opening": opening}))
    last = (rest - 2).to_bytes(2, "big") + b"\x07" * (rest - 2)
    data = pack(fields | {"entries": one * count + last, "opening": opening})
    assert len(data) == size
    first = data.index(one)
    behind = first + len(one) * count + len(last)
    parts = [(data[:first], 1)]
    parts += [(b"\xff\xff", 1), (b"\x07", 65_535)] * count
    parts += [(last[:2], 1), (b"\x07", rest - 2)]
    parts += [(data[behind : data.index(opening)], 1), (b"\0", MAX_OPENING)]
    parts += [(data[data.index(opening) + MAX_OPENING :], 1)]
    return bad("a file of 32 MiB and a byte", alarm=pieces(*parts))
