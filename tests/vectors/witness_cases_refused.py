"""Cases of witness.json that are not cosigned, row by row of the table in witness.md,
and what is wrong in two ways: the first row counts."""

from __future__ import annotations

from typing import Any

from log_cases import ORIGIN, b64, loose
from naive_bundle import (
    Key,
    checkpoint_text,
    sha256,
    signature_line,
    signed_note,
)
from witness_cases import (
    FALSE,
    KEYS,
    NOW,
    OTHER,
    OWN,
    TRUE,
    Case,
    History,
    Request,
    case,
    cosigned,
    filled,
    with_lines,
)

STRANGE = History("true", "strange.example/log", Key("strange log"))


def unsigned(size: int, history: History = TRUE) -> bytes:
    """The log's line does not verify."""
    return (
        history.text(size)
        + b"\n"
        + signature_line(history.origin, history.key, bytes(64))
    )


def refused_cases() -> list[Case]:
    return [
        *malformed_bodies(),
        *malformed_notes(),
        *unknown(),
        *forbidden(),
        *too_old(),
        *conflicts(),
        *unproven(),
        *unavailable(),
    ]


# 400


def malformed_bodies() -> list[Case]:
    one = Request(12, 7)
    old, first, *rest = one.lines
    text = first.decode()
    lines = {
        "no old line": [first, *rest],
        "no lines": [],
        "OLD": [b"OLD 7", first, *rest],
        "old alone": [b"old", first, *rest],
        "an empty old size": [b"old ", first, *rest],
        "an old size with a zero in front": [b"old 07", first, *rest],
        "an old size with a plus": [b"old +7", first, *rest],
        "a negative old size": [b"old -7", first, *rest],
        "an old size with a blank behind": [b"old 7 ", first, *rest],
        "two blanks before the old size": [b"old  7", first, *rest],
        "a tab before the old size": [b"old\t7", first, *rest],
        "an old size in another script": ["old \u0667".encode(), first, *rest],
        "an old size of 2^63": [b"old %d" % 2**63, first, *rest],
        "two old lines": [old, old, first, *rest],
        "the old line behind the proof": [first, *rest, old],
        "64 proof lines": [old, *[first] * 64],
        "a proof line of 31 bytes": [old, b64(bytes(31)).encode(), *rest],
        "a proof line of 33 bytes": [old, b64(bytes(33)).encode(), *rest],
        "a proof line with loose bits": [old, loose(text).encode(), *rest],
        "a proof line that is not padded": [old, first.rstrip(b"="), *rest],
        "a proof line with a blank behind": [old, first + b" ", *rest],
        "a proof line in hex": [old, sha256(b"").hex().encode(), *rest],
        "an empty line among the proof": [old, first, b"", *rest],
        "two empty lines": [*one.lines, b""],
    }
    known = cosigned(TRUE, 7)
    whole = one.body
    bodies = {
        "nothing": b"",
        "no empty line": whole.replace(b"\n\n", b"\n", 1),
        "no checkpoint": with_lines(one.lines, b""),
        "CR LF": whole.replace(b"\n", b"\r\n"),
        "CR LF in the head": with_lines(one.lines, b"").replace(b"\n", b"\r\n")
        + one.signed,
        "a byte order mark": b"\xef\xbb\xbf" + whole,
    }
    return [
        *(case(n, 400, with_lines(v, one.signed), known) for n, v in lines.items()),
        *(case(name, 400, data, known) for name, data in bodies.items()),
        case("a body of 65,537 bytes", 400, b"", known)
        | {"request": filled(whole, 65_537)},
    ]


def malformed_notes() -> list[Case]:
    text, note = TRUE.text(12), TRUE.note(12)
    line = note[len(text) + 1 :]
    notes = {
        "no signature lines": text + b"\n",
        "no last newline": note[:-1],
        "a line behind": note + b"more\n",
        "not UTF-8": note.replace(b"byline", b"by\xffine"),
        "a control character": note.replace(b"byline", b"by\x0bine"),
        "one key twice": note + line,
        "101 signature lines": text + b"\n" + line + strangers(100),
        "an extension line": signed_note(text + b"extension\n", ORIGIN, TRUE.key),
        "no root": signed_note(text[: text.rindex(b"\n", 0, -1) + 1], ORIGIN, TRUE.key),
        "a size with a zero in front": resigned(text.replace(b"\n12\n", b"\n012\n")),
        "a root of 31 bytes": resigned(checkpoint_text(ORIGIN, 12, bytes(31))),
        "the origin cosignature/v1": signed_note(
            checkpoint_text("cosignature/v1", 12, bytes(32)), "cosignature/v1", TRUE.key
        ),
        "an unknown log's, and no checkpoint": signed_note(
            STRANGE.text(12) + b"extension\n", STRANGE.origin, STRANGE.key
        ),
        "unsigned, and no checkpoint": unsigned(12).replace(
            b"\n\n", b"\nextension\n\n"
        ),
    }
    known = cosigned(TRUE, 7)
    return [
        case(f"note: {name}", 400, Request(12, 7, note=data), known)
        for name, data in notes.items()
    ]


def strangers(count: int) -> bytes:
    """Lines of as many strangers."""
    key = Key("stranger")
    names = (f"stranger.example/{n}" for n in range(count))
    return b"".join(signature_line(name, key, bytes(64)) for name in names)


def resigned(text: bytes) -> bytes:
    return signed_note(text, ORIGIN, TRUE.key)


# 404


def unknown() -> list[Case]:
    own = [History("true", f"{OWN}/{role}", Key("log")) for role in ROLES]
    strange = Request(12, history=STRANGE)
    return [
        case("an unknown log", 404, strange),
        case("of two known logs, neither", 404, strange, TRUE.known(), OTHER.known()),
        case("an unknown log, unsigned", 404, Request(12, note=unsigned(12, STRANGE))),
        case("an unknown log, old above size", 404, Request(7, 9, STRANGE)),
        case("an unknown log that lied", 404, strange, state="alarmed"),
        case(
            "the known key of another log",
            404,
            Request(12, history=History("true", STRANGE.origin, TRUE.key)),
        ),
        *(
            case(f"a log called as {what}", 404, Request(7, history=one), one.known())
            for what, one in zip(ROLES.values(), own, strict=True)
        ),
    ]


ROLES = {"witness": "the witness", "replay": "the replay witness"}


# 403


def forbidden() -> list[Case]:
    text, known = TRUE.text(12), cosigned(TRUE, 7)
    stranger = signed_note(text, ORIGIN, Key("stranger"))
    cosigner = signature_line(ORIGIN, TRUE.key, NOW.to_bytes(8) + bytes(64), 4)
    payload = TRUE.key.sign(text)
    notes = {
        "signed by a stranger": stranger,
        "signed by a stranger under the log's key id": text
        + b"\n"
        + signature_line(ORIGIN, TRUE.key, Key("stranger").sign(text)),
        "a signature that does not verify": unsigned(12),
        "a signature over another tree": TRUE.note(11).replace(b"\n11\n", b"\n12\n"),
        "a signature of 63 bytes": text
        + b"\n"
        + signature_line(ORIGIN, TRUE.key, payload[:-1]),
        "signed under another name": signed_note(text, OTHER.origin, TRUE.key),
        "a line of a cosigner's type alone": text + b"\n" + cosigner,
        "a cosignature of this witness alone": text
        + b"\n"
        + KEYS.line("witness", text, NOW),
    }
    lied = {
        "a log that lied": (Request(12, 7), known),
        "a log that lied, never cosigned": (Request(12), TRUE.known()),
        "a log that lied, unsigned": (Request(12, 7, note=unsigned(12)), known),
        "a log that lied, old above size": (Request(7, 9), known),
        "a log that lied, another old size": (Request(12, 3), known),
        "a log that lied, another history": (Request(12, 7, FALSE), known),
    }
    return [
        *(case(n, 403, Request(12, 7, note=v), known) for n, v in notes.items()),
        case("unsigned, old above size", 403, Request(7, 9, note=unsigned(7)), known),
        case(
            "unsigned, another old size", 403, Request(12, 3, note=unsigned(12)), known
        ),
        case(
            "unsigned, another history",
            403,
            Request(12, 7, proof=FALSE.proof(7, 12), note=unsigned(12, FALSE)),
            known,
        ),
        *(
            case(name, 403, request, memory, state="alarmed")
            for name, (request, memory) in lied.items()
        ),
    ]


# 400, once the signature holds


def too_old() -> list[Case]:
    smaller = Request(7, 12)
    return [
        case("old above size, never cosigned", 400, Request(7, 9)),
        case("old above size, another than the last", 400, Request(7, 9), last(8)),
        case("old above size, the last", 400, smaller, last(12)),
        case("old above size, a proof too", 400, smaller_with_proof(), last(12)),
        case("old above a size of 0", 400, Request(0, 7), last(7)),
    ]


def smaller_with_proof() -> Request:
    return Request(7, 12, proof=TRUE.proof(7, 12))


def last(size: int) -> dict[str, Any]:
    return cosigned(TRUE, size)


# 409


def conflicts() -> list[Case]:
    seven, wrong = last(7), checkpoint_text(ORIGIN, 0, sha256(b"root"))
    return [
        conflict("old 3, never cosigned", 0, Request(12, 3)),
        conflict("old is the size, never cosigned", 0, Request(12, 12)),
        conflict("old 0", 7, Request(12), seven),
        conflict("old 3", 7, Request(12, 3), seven),
        conflict("old 8", 7, Request(12, 8), seven),
        conflict("old is the size, which is another", 7, Request(12, 12), seven),
        conflict("a smaller tree", 12, Request(7), last(12)),
        conflict("a tree of no leaves", 7, Request(0), seven),
        conflict("the same tree from 0", 7, Request(7), seven),
        conflict("old 0, another history", 7, Request(12, history=FALSE), seven),
        conflict("old 0, the same size, another root", 7, Request(7, 0, FALSE), seven),
        conflict("old 3, a proof that fails", 7, Request(12, 3, proof=[]), seven),
        conflict("old 0, a proof too", 7, Request(12, proof=[bytes(32)]), seven),
        conflict(
            "no leaves and another root", 7, Request(0, note=resigned(wrong)), seven
        ),
        conflict(
            "another log has that size", 7, Request(12, 3), cosigned(OTHER, 3), seven
        ),
        conflict("nothing to store", 7, Request(12), seven, state="no room"),
    ]


def conflict(
    name: str, size: int, request: Request, *known: dict[str, Any], **further: Any
) -> Case:
    return case(
        name,
        409,
        request,
        *known,
        body=f"{size}\n",
        type="text/x.tlog.size",
        **further,
    )


# 422


def unproven() -> list[Case]:
    one = Request(12, 7)
    good = TRUE.proof(7, 12)
    empty = resigned(checkpoint_text(ORIGIN, 0, sha256(b"root")))
    proofs = {
        "no proof": [],
        "a hash less": good[:-1],
        "a hash more": [*good, bytes(32)],
        "63 proof lines": (good * 63)[:63],
        "another hash": [bytes(32), *good[1:]],
        "hashes in another order": good[::-1],
        "the proof from another size": TRUE.proof(6, 12),
        "the proof to another size": TRUE.proof(7, 13),
    }
    return [
        case("no leaves and another root, first", 422, Request(0, note=empty)),
        case("no leaves and another root, again", 422, Request(0, note=empty), last(0)),
        case("old 0 and a proof", 422, Request(12, proof=good)),
        case("old 0, cosigned, and a proof", 422, Request(12, proof=good), last(0)),
        case("the same tree and a proof", 422, Request(7, 7, proof=good), last(7)),
        case("the same size, another root", 422, Request(7, 7, FALSE), last(7)),
        case("another history", 422, Request(12, 7, FALSE), last(7)),
        case("another history, from 8", 422, Request(12, 8, FALSE), last(8)),
        case(
            "another history, the true proof",
            422,
            Request(12, 7, FALSE, proof=good),
            last(7),
        ),
        *(
            case(name, 422, Request(12, 7, proof=proof), last(one.old))
            for name, proof in proofs.items()
        ),
        case("from 8, no proof", 422, Request(12, 8, proof=[]), last(8)),
    ]


# 503


def unavailable() -> list[Case]:
    """Of what it does not know for certain, a witness says nothing at all."""
    held = {
        "held": Request(12, 7),
        "held, a body of another form": b"old\n\n",
        "held, an unknown log": Request(12, history=STRANGE),
        "held, unsigned": Request(12, 7, note=unsigned(12)),
        "held, another old size": Request(12),
        "held, another history": Request(12, 7, FALSE),
    }
    return [
        *(case(n, 503, request, last(7), state="held") for n, request in held.items()),
        case("no room to store it", 503, Request(12, 7), last(7), state="no room"),
        case("no room, never cosigned", 503, Request(7), state="no room"),
    ]
