"""Cases of log_entry.json and log_lookup.json, and the worked example of log.md."""

from __future__ import annotations

from typing import Any

from log_cases import LOG_KEY, ORIGIN, WITNESS, WITNESS_KEY, Case, bad, ok, proof_hex
from log_cases_tree import consistency
from naive_bundle import (
    Key,
    checkpoint_text,
    commitment,
    cosignature,
    digest_of,
    entry_of,
    inclusion,
    keys_of,
    say,
    sha256,
    signed_note,
    strings_of,
    tag,
    tree_root,
    trie,
    trie_hash,
    vkey,
)

AUTHOR = Key("log author")
PHOTO = digest_of(b"the bytes of a photograph")
NEGATIVE = digest_of(b"the bytes of its negative")


def statements() -> dict[str, Any]:
    work = say(AUTHOR, "work", PHOTO, time=1_790_000_000_000, title="Morning, with fog")
    parent = {"digest": NEGATIVE, "relationship": "parentOf"}
    twice = {"digest": NEGATIVE, "relationship": "inputTo"}
    many = [
        {"digest": digest_of(b"%d" % n), "relationship": "componentOf"}
        for n in range(64)
    ]
    time = 1_790_000_000_001
    return {
        "no source": work,
        "one source": say(AUTHOR, "work", PHOTO, time=time, sources=[parent]),
        "one source twice": say(
            AUTHOR, "work", PHOTO, time=time, sources=[parent, twice]
        ),
        "its own source": say(AUTHOR, "work", NEGATIVE, time=time, sources=[parent]),
        "64 sources": say(AUTHOR, "work", PHOTO, time=time, sources=many),
        "about a statement": say(
            AUTHOR, "withdraw", work.name, time=time, reason="mistaken"
        ),
        "about the author's key": say(
            AUTHOR, "profile", digest_of(AUTHOR.public), time=time
        ),
        "of an unknown type": say(AUTHOR, "no-such-type.v9", PHOTO, time=time),
    }


def entry_vectors() -> dict[str, list[Case]]:
    made = [
        ok(
            name,
            envelope=said.envelope.hex(),
            id=said.id.hex(),
            entry=entry_of(said).hex(),
            leaf=sha256(b"\0" + entry_of(said)).hex(),
            tag=tag(said.author).hex(),
            keys=[key.hex() for key in keys_of(said)],
            strings=[string.hex() for string in strings_of(said)],
        )
        for name, said in statements().items()
    ]
    return {"statements": made, "parse": [*good_entries(), *bad_entries()]}


def good_entries() -> list[Case]:
    texts = {
        "short": "x",
        "long": "e" * 1024,
        "any script": "Schlu\u00df \u0669 \u2028",
    }
    return [
        ok("empty commitment", entry=commitment(0, sha256(b"\x02")).hex()),
        ok("largest commitment", entry=commitment(2**63 - 1, bytes(32)).hex()),
        *(
            ok(f"{name} retirement", entry=(b"\x02" + text.encode()).hex())
            for name, text in texts.items()
        ),
    ]


def bad_entries() -> list[Case]:
    head = b"\0" + bytes(range(40))
    one, two = b"\x01" * 32, b"\x02" * 32
    empty = commitment(0, sha256(b"\x02"))
    broken = {
        "nothing": b"",
        "unknown kind": b"\x03" + head[1:] + b"\x02" + one + two,
        "kind ff": b"\xff",
        "statement without keys": head + b"\0",
        "statement with one key": head + b"\x01" + one,
        "statement with 67 keys": head
        + b"\x43"
        + b"".join(bytes([n]) * 32 for n in range(67)),
        "statement cut before the count": head,
        "statement cut in a key": head + b"\x02" + one + two[:-1],
        "statement with a key more than it says": head
        + b"\x02"
        + one
        + two
        + b"\x03" * 32,
        "statement with a byte more": head + b"\x02" + one + two + b"\0",
        "keys descending": head + b"\x02" + two + one,
        "a key twice": head + b"\x02" + one + one,
        "commitment cut": empty[:-1],
        "commitment with a byte more": empty + b"\0",
        "commitment to 2^63 strings": b"\x01" + (2**63).to_bytes(8, "big") + bytes(32),
        "retirement without text": b"\x02",
        "retirement of 1,025 bytes": b"\x02" + b"e" * 1025,
        "retirement not UTF-8": b"\x02\xff",
        "retirement with a newline": b"\x02a\nb",
        "retirement with an escape": b"\x02\x1b[2J",
        "retirement with DEL": b"\x02\x7f",
        "retirement with U+0085": b"\x02\xc2\x85",
    }
    return [bad(name, entry=data.hex()) for name, data in broken.items()]


def adversarial(first: int, last: int) -> list[bytes]:
    """Strings of `first` to `last` zero bits and then ones: each splits off alone."""
    zeros = range(first, last + 1)
    return sorted(((1 << 576 - n) - 1).to_bytes(72, "big") for n in zeros)


def lookup_vectors() -> dict[str, list[Case]]:
    plain = [
        sha256(b"%d" % n) + sha256(b"t")[:8] + sha256(b"i%d" % n) for n in range(300)
    ]
    one_key = [
        sha256(b"k") + sha256(b"t%d" % n)[:8] + sha256(b"i%d" % n) for n in range(40)
    ]
    one_author = [
        sha256(b"k") + sha256(b"t")[:8] + sha256(b"i%d" % n) for n in range(40)
    ]
    sets = {f"{n} strings": plain[:n] for n in (0, 1, 2, 15, 16, 17, 18, 33, 300)}
    sets |= {
        "40 under one key": one_key,
        "40 under one key and author": one_author,
        "last bits differ": [bytes(71) + bytes([n]) for n in range(17)],
        "first bit differs": [bytes(72)]
        + [b"\xff" * 71 + bytes([n]) for n in range(16)],
        "nested 60 deep": adversarial(1, 60),
        "nested to the last bit": adversarial(516, 576),
        "all of the above": sorted(
            {*plain, *one_key, *one_author, *adversarial(1, 60)}
        ),
    }
    cases = []
    for name, strings in sets.items():
        top = trie(sorted(strings))
        root = trie_hash(top)
        cases.append(
            ok(
                name,
                strings=[string.hex() for string in sorted(strings)],
                root=root.hex(),
                commitment=commitment(len(strings), root).hex(),
            )
        )
    return {"sets": cases}


def example_vectors() -> dict[str, Any]:
    parent = {"digest": NEGATIVE, "relationship": "parentOf"}
    said = say(
        AUTHOR,
        "work",
        PHOTO,
        time=1_790_000_000_000,
        title="Morning, with fog",
        sources=[parent],
    )
    strings = strings_of(said)
    roots = [trie_hash(trie([])), trie_hash(trie(strings))]
    entries = (
        commitment(0, roots[0]),
        entry_of(said),
        commitment(len(strings), roots[1]),
    )
    texts = [checkpoint_text(ORIGIN, n, tree_root(entries[:n])) for n in (1, 3)]
    note = signed_note(texts[1], ORIGIN, LOG_KEY)
    cosigned = note + cosignature(texts[1], WITNESS, WITNESS_KEY, 1_790_000_060)
    return {
        "author": AUTHOR.public.hex(),
        "about": PHOTO.hex(),
        "source": NEGATIVE.hex(),
        "envelope": said.envelope.hex(),
        "id": said.id.hex(),
        "tag": tag(AUTHOR.public).hex(),
        "subject_key": strings_key(said, "subject"),
        "source_key": strings_key(said, "source"),
        "author_key": strings_key(said, "author"),
        "strings": [string.hex() for string in strings],
        "set_roots": [root.hex() for root in roots],
        "entries": [entry.hex() for entry in entries],
        "leaves": [sha256(b"\0" + entry).hex() for entry in entries],
        "roots": [tree_root(entries[:1]).hex(), tree_root(entries).hex()],
        "log_seed": LOG_KEY.seed.hex(),
        "log_public": LOG_KEY.public.hex(),
        "log_vkey": vkey(ORIGIN, LOG_KEY),
        "witness_seed": WITNESS_KEY.seed.hex(),
        "witness_vkey": vkey(WITNESS, WITNESS_KEY, 4),
        "first_note": signed_note(texts[0], ORIGIN, LOG_KEY).decode(),
        "note": cosigned.decode(),
        "inclusion_of_1_in_3": proof_hex(inclusion(1, entries)),
        "inclusion_of_2_in_3": proof_hex(inclusion(2, entries)),
        "consistency_1_to_3": proof_hex(consistency(1, entries)),
        "hash_tile": b"".join(sha256(b"\0" + entry) for entry in entries).hex(),
        "entry_bundle": b"".join(len(e).to_bytes(2, "big") + e for e in entries).hex(),
    }


def strings_key(said: Any, role: str) -> str:
    what = {"subject": PHOTO, "source": NEGATIVE, "author": AUTHOR.public}[role]
    key = sha256(f"byline/{role}/v1\0".encode() + what)
    assert key in keys_of(said)
    return key.hex()
