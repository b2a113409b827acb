"""Cases of log_proof.json: C2SP tlog-proof files, and the one thing that is wrong."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

from log_cases import (
    LOG_KEY,
    ORIGIN,
    TIME,
    WITNESS,
    WITNESS_KEY,
    Case,
    b64,
    bad,
    loose,
    ok,
    pieces,
)
from naive_bundle import (
    Key,
    Said,
    checkpoint_text,
    cosignature,
    digest_of,
    entry_of,
    inclusion,
    say,
    sha256,
    signature_line,
    signed_note,
    vkey,
)
from naive_prover import Log, View

HEADER = b"c2sp.org/tlog-proof@v1"
LARGEST = 2**63 - 1
MAX_FILE = 1 << 20


@dataclass(frozen=True)
class File:
    """The parts of a proof file, and the entry and key that it is verified with."""

    index: int
    hashes: tuple[bytes, ...]
    note: bytes
    entry: bytes
    extra: bytes | None
    vkey: str = vkey(ORIGIN, LOG_KEY)

    @property
    def lines(self) -> list[bytes]:
        """Those before the empty line."""
        extra = [] if self.extra is None else [b"extra " + b64(self.extra).encode()]
        index = b"index %d" % self.index
        return [HEADER, *extra, index, *(b64(one).encode() for one in self.hashes)]

    @property
    def data(self) -> bytes:
        return self.with_lines(self.lines)

    def with_lines(self, lines: list[bytes]) -> bytes:
        return b"\n".join([*lines, b"", b""]) + self.note


@cache
def example() -> tuple[View, list[Said]]:
    """A log of three commits, 24 entries."""
    author = Key("author")
    said = [
        say(author, "work", digest_of(b"work %d" % n), time=n, title=f"Work {n}")
        for n in range(20)
    ]
    log = Log(ORIGIN, LOG_KEY)
    for part in ([], said[:11], said[11:], []):
        view = log.publish(part)
    return view, said


def proof_of(index: int) -> File:
    """With the envelope, where the entry is a statement's."""
    view, said = example()
    envelopes = {view.log.index[one.id]: one.envelope for one in said}
    entries = view.entries
    hashes = tuple(inclusion(index, entries))
    return File(index, hashes, view.note, entries[index], envelopes.get(index))


def proof_vectors() -> dict[str, list[Case]]:
    """`file` is verified for `entry` by `vkey`; a valid one says what it shows.

    `statement` tells that `extra` is an envelope, from which the entry follows.
    """
    return {
        "proofs": [*good_files(), *bad_lines(), *bad_bases(), *bad_sizes(), *untrue()]
    }


def good(name: str, file: File, size: int = 24) -> Case:
    extra = None if file.extra is None else file.extra.hex()
    return ok(
        name,
        file=file.data.hex(),
        entry=file.entry.hex(),
        vkey=file.vkey,
        index=file.index,
        hashes=[one.hex() for one in file.hashes],
        extra=extra,
        size=size,
        statement=any(
            (file.extra, file.entry) == (one.envelope, entry_of(one))
            for one in example()[1]
        ),
    )


def good_files() -> list[Case]:
    one = proof_of(5)
    text = example()[0].text
    cosigned = one.note + cosignature(text, WITNESS, WITNESS_KEY, TIME)
    stranger = signature_line("stranger.example", Key("stranger"), bytes(64))
    alone = Log(ORIGIN, LOG_KEY).publish([])
    return [
        good("a statement", one),
        good("the last statement", proof_of(21)),
        good("the first leaf, without extra data", proof_of(0)),
        good("the last leaf, without extra data", proof_of(23)),
        good("extra data of no bytes", replace(one, extra=b"")),
        good("extra data of one byte", replace(one, extra=b"\xff")),
        good("the statement of another entry", replace(one, extra=proof_of(6).extra)),
        good("cosigned", replace(one, note=cosigned)),
        good("with a stranger's line", replace(one, note=one.note + stranger)),
        good("the only leaf", File(0, (), alone.note, alone.entries[0], None), 1),
        good("the first leaf of the largest tree", largest(0), LARGEST),
        good("the last leaf of the largest tree", largest(LARGEST - 1), LARGEST),
    ]


def largest(index: int) -> File:
    """Of 63 hashes that nobody has leaves for; log.md, "Tree", says which side is
    whose."""
    last, entry = LARGEST - 1, example()[0].entries[5]
    inner = (index ^ last).bit_length()
    count = inner + (index >> inner).bit_count()
    hashes = tuple(sha256(b"sibling %d" % n) for n in range(count))
    root = sha256(b"\0" + entry)
    for level, other in enumerate(hashes):
        is_left = level < inner and not index >> level & 1
        root = sha256(b"\x01" + (root + other if is_left else other + root))
    note = signed_note(checkpoint_text(ORIGIN, LARGEST, root), ORIGIN, LOG_KEY)
    return File(index, hashes, note, entry, None)


def wrong(
    name: str, data: bytes, kind: str = "malformed", file: File | None = None
) -> Case:
    """The bytes, to be verified for the entry and key of `file`."""
    of = file or proof_of(5)
    return bad(name, kind, file=data.hex(), entry=of.entry.hex(), vkey=of.vkey)


def bad_lines() -> list[Case]:
    one = proof_of(5)
    header, extra, index, *hashes = one.lines
    lines = {
        "no first line": [extra, index, *hashes],
        "another version": [HEADER[:-1] + b"2", extra, index, *hashes],
        "a blank behind the version": [header + b" ", extra, index, *hashes],
        "an empty line in front": [b"", header, extra, index, *hashes],
        "the first line alone": [header],
        "no index": [header, extra, *hashes],
        "the index twice": [header, extra, index, index, *hashes],
        "the index before the extra data": [header, index, extra, *hashes],
        "the index behind the hashes": [header, extra, *hashes, index],
        "extra data twice": [header, extra, extra, index, *hashes],
        "extra data without a value": [header, b"extra", index, *hashes],
        "an unknown line": [header, extra, b"size 24", index, *hashes],
        "Extra": [header, b"E" + extra[1:], index, *hashes],
        "Index": [header, extra, b"I" + index[1:], *hashes],
        "an index without a value": [header, extra, b"index", *hashes],
        "a tab for a blank": [header, extra, index.replace(b" ", b"\t"), *hashes],
        "an empty line among the hashes": [header, extra, index, b"", *hashes],
        "two empty lines": [*one.lines, b""],
        "64 hashes": [header, extra, index, *hashes, *hashes[:1] * (64 - len(hashes))],
    }
    numbers = {
        "an empty index": b"",
        "an index with a zero in front": b"05",
        "an index with a plus": b"+5",
        "a negative index": b"-5",
        "an index with a blank behind": b"5 ",
        "two blanks before the index": b" 5",
        "an index in another script": "\u0665".encode(),
        "an index of 2^63": b"%d" % 2**63,
        "an index in hex": b"0x5",
    }
    lines |= {
        name: [header, extra, b"index " + text, *hashes]
        for name, text in numbers.items()
    }
    return [wrong(name, one.with_lines(changed)) for name, changed in lines.items()]


def bad_bases() -> list[Case]:
    """Every value of the file in a spelling that is not the one."""
    one = proof_of(5)
    header, _, index, first, *hashes = one.lines
    padded = b64(b"\xfb\xff\xbf\xfe")
    extras = {
        "extra data with loose bits": loose(padded),
        "extra data not padded": padded.rstrip("="),
        "extra data padded twice": padded + "=",
        "extra data in the URL alphabet": padded.replace("+", "-").replace("/", "_"),
        "extra data with junk": "!" + padded,
        "two blanks before the extra data": " " + padded,
        "a blank behind the extra data": padded + " ",
    }
    text = first.decode()
    firsts = {
        "a hash with loose bits": loose(text),
        "a hash not padded": text.rstrip("="),
        "a hash with a blank in front": " " + text,
        "a hash with a blank behind": text + " ",
        "a hash in hex": one.hashes[0].hex(),
        "a hash of 31 bytes": b64(one.hashes[0][:31]),
        "a hash of 33 bytes": b64(one.hashes[0] + b"\0"),
        "two hashes in a line": b64(one.hashes[0] + one.hashes[1]),
    }
    lines = {
        name: [header, b"extra " + value.encode(), index, first, *hashes]
        for name, value in extras.items()
    }
    lines |= {
        name: [*one.lines[:3], value.encode(), *hashes]
        for name, value in firsts.items()
    }
    whole = one.data
    ends = {
        "nothing": b"",
        "no checkpoint": whole[: -len(one.note)],
        "no empty line": whole.replace(b"\n\n", b"\n", 1),
        "CR LF before the checkpoint": whole[: -len(one.note)].replace(b"\n", b"\r\n")
        + one.note,
        "CR LF in the checkpoint": whole[: -len(one.note)]
        + one.note.replace(b"\n", b"\r\n"),
        "a byte order mark": b"\xef\xbb\xbf" + whole,
        "a line behind": whole + b"more\n",
        "no last newline": whole[:-1],
        "a checkpoint without signatures": whole[: whole.rindex(b"\xe2\x80\x94")],
        "a checkpoint with an extension line": extended(one).data,
    }
    return [
        *(wrong(name, one.with_lines(changed)) for name, changed in lines.items()),
        *(wrong(name, data) for name, data in ends.items()),
    ]


def extended(one: File) -> File:
    text = example()[0].text + b"extension\n"
    return replace(one, note=signed_note(text, ORIGIN, LOG_KEY))


def bad_sizes() -> list[Case]:
    """At the limit and a byte above: extra data of many zero bytes, and a stranger's
    line as long as it takes."""
    one = replace(proof_of(5), extra=b"")
    front = b"\n".join(one.lines[:2])
    cases = []
    for size in (MAX_FILE, MAX_FILE + 1):
        room = size - len(one.data)
        names = (f"stranger.example/{'x' * n}" for n in range(4))
        lines = (signature_line(name, Key("stranger"), bytes(64)) for name in names)
        line = next(line for line in lines if (room - len(line)) % 4 == 0)
        rest = one.data[len(front) :] + line
        file = pieces((front, 1), (b"A", size - len(front) - len(rest)), (rest, 1))
        common = {"file": file, "entry": one.entry.hex(), "vkey": one.vkey}
        if size > MAX_FILE:
            cases.append(bad("a file of 1,048,577 bytes", **common))
            continue
        shown = {"index": 5, "hashes": [h.hex() for h in one.hashes], "size": 24}
        extra = pieces((b"\0", (room - len(line)) // 4 * 3))
        further = {"extra": extra, "statement": False}
        cases.append(ok("a file of 1,048,576 bytes", **common, **shown, **further))
    return cases


def untrue() -> list[Case]:
    """Well-formed, and not so."""
    one, text = proof_of(5), example()[0].text
    cosigned = text + b"\n" + cosignature(text, WITNESS, WITNESS_KEY, TIME)
    other = signed_note(text, ORIGIN, Key("other"))
    renamed = checkpoint_text("other.example/log", 24, sha256(b"root"))
    larger = one.note.replace(b"\n24\n", b"\n25\n")
    long = one.hashes + one.hashes[:1] * (63 - len(one.hashes))
    signatures = {
        "signed by a stranger": replace(one, note=other),
        "signed by a witness alone": replace(one, note=cosigned),
        "of another tree": replace(one, note=larger),
        "of another log": replace(
            one, note=signed_note(renamed, "other.example/log", LOG_KEY)
        ),
        "asked with another log's key": replace(
            one, vkey=vkey("other.example/log", LOG_KEY)
        ),
        "asked with a cosigner's key": replace(one, vkey=vkey(ORIGIN, LOG_KEY, 4)),
    }
    proofs = {
        "another entry": replace(one, entry=proof_of(6).entry),
        "another index": replace(one, index=4),
        "an index that is the size": replace(one, index=24),
        "an index far beyond the size": replace(one, index=LARGEST),
        "a hash less": replace(one, hashes=one.hashes[:-1]),
        "a hash more": replace(one, hashes=(*one.hashes, bytes(32))),
        "no hashes": replace(one, hashes=()),
        "63 hashes": replace(one, hashes=long),
        "hashes in another order": replace(one, hashes=one.hashes[::-1]),
        "another hash": replace(one, hashes=(bytes(32), *one.hashes[1:])),
    }
    return [
        *(wrong(n, f.data, "bad-signature", f) for n, f in signatures.items()),
        *(wrong(n, f.data, "proof", f) for n, f in proofs.items()),
    ]
