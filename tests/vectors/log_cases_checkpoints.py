"""Cases of log_checkpoint.json and log_cosignature.json."""

from __future__ import annotations

from log_cases import LOG_KEY, ORIGIN, WITNESS, WITNESS_KEY, Case, b64, bad, loose, ok
from naive_bundle import (
    Key,
    checkpoint_text,
    cosignature,
    sha256,
    signature_line,
    signed_note,
    vkey,
)


def checkpoint_vectors() -> dict[str, list[Case]]:
    root = sha256(b"")
    good = checkpoint_text(ORIGIN, 3, sha256(b"root"))
    sizes = [0, 1, 9, 10, 2**63 - 1]
    return {
        "text": [
            *(
                ok(
                    f"size {n}",
                    text=checkpoint_text(ORIGIN, n, root).hex(),
                    origin=ORIGIN,
                    size=n,
                    root=root.hex(),
                )
                for n in sizes
            ),
            ok(
                "origin of 255 bytes",
                text=checkpoint_text("o" * 255, 1, root).hex(),
                origin="o" * 255,
                size=1,
                root=root.hex(),
            ),
            ok(
                "origin in another script",
                text=checkpoint_text("пример/журнал", 1, root).hex(),
                origin="пример/журнал",
                size=1,
                root=root.hex(),
            ),
            *bad_sizes(good),
            *bad_texts(good),
        ],
        "signed": signed_checkpoints(good),
    }


def bad_sizes(good: bytes) -> list[Case]:
    sizes = {
        "nothing": "",
        "leading zeros": "0012",
        "two zeros": "00",
        "underscore": "1_000",
        "blanks around": " 12 ",
        "blank behind": "12 ",
        "plus sign": "+5",
        "minus sign": "-5",
        "minus zero": "-0",
        "another script": "\u0663",
        "full-width digits": "\uff11\uff12",
        "superscript": "\u00b2",
        "hex": "0x10",
        "exponent": "1e3",
        "point": "3.0",
        "2^63": str(2**63),
        "2^64 + 3": str(2**64 + 3),
        "5,000 digits": "1" * 5000,
        "no-break space": "\u00a03",
    }
    return [
        bad(f"size: {why}", text=good.replace(b"\n3\n", f"\n{text}\n".encode()).hex())
        for why, text in sizes.items()
    ]


def bad_texts(good: bytes) -> list[Case]:
    root = b64(sha256(b"root"))
    texts = {
        "empty": b"",
        "no final newline": good[:-1],
        "an empty line more": good + b"\n",
        "an extension line": good + b"extension\n",
        "two lines": good[: good.rindex(b"\n", 0, -1) + 1],
        "no origin": good[len(ORIGIN) :],
        "origin of 256 bytes": checkpoint_text("o" * 256, 1, sha256(b"")),
        "origin cosignature/v1": checkpoint_text("cosignature/v1", 1, sha256(b"")),
        "origin with a blank": good.replace(b"byline", b"by line"),
        "origin with a plus": good.replace(b"byline", b"by+line"),
        "origin not UTF-8": good.replace(b"byline", b"by\xffline"),
        "root of 31 bytes": checkpoint_text(ORIGIN, 3, bytes(31)),
        "root of 33 bytes": checkpoint_text(ORIGIN, 3, bytes(33)),
        "root empty": checkpoint_text(ORIGIN, 3, b""),
        "root not padded": good.replace(b"=", b""),
        "root with loose bits": good.replace(root.encode(), loose(root).encode()),
        "root with junk": good.replace(
            root.encode(), (root[:4] + "*" + root[4:]).encode()
        ),
        "root with a blank behind": good.replace(root.encode(), root.encode() + b" "),
        "root in hex": good.replace(root.encode(), sha256(b"root").hex().encode()),
        "CR LF": good.replace(b"\n", b"\r\n"),
        "lines cut by U+2028": good.replace(b"\n3\n", "\u20283\n".encode()),
        "lines cut by U+0085": good.replace(b"\n3\n", "\u00853\n".encode()),
        "lines cut by U+2029": good.replace(b"\n3\n", "\u20293\n".encode()),
        "lines cut by form feeds": good.replace(b"\n3\n", b"\x0c3\n"),
        "root with four loose bits": good.replace(root.encode(), b"/x=="),
    }
    for byte in (0x0B, 0x0D, 0x1C, 0x1D, 0x1E):
        cut = bytes([byte]) + b"3\n"
        texts[f"lines cut by {byte:02x}"] = good.replace(b"\n3\n", cut)
    return [bad(why, text=text.hex()) for why, text in texts.items()]


def signed_checkpoints(text: bytes) -> list[Case]:
    log, other = vkey(ORIGIN, LOG_KEY), vkey("other.example/log", LOG_KEY)
    good = signed_note(text, ORIGIN, LOG_KEY)
    with_witness = good + cosignature(text, WITNESS, WITNESS_KEY, 1_790_000_000)
    extended = signed_note(text + b"extension\n", ORIGIN, LOG_KEY)
    foreign = signed_note(text, "other.example/log", LOG_KEY)
    larger = good.replace(b"\n3\n", b"\n4\n")
    stranger = signed_note(text, ORIGIN, Key("other"))
    as_cosigner = text + b"\n" + cosignature(text, ORIGIN, LOG_KEY, 1)
    return [
        ok("signed by the log", note=good.hex(), vkey=log, size=3),
        ok("with a witness", note=with_witness.hex(), vkey=log, size=3),
        bad("another size", "bad-signature", note=larger.hex(), vkey=log),
        bad("signed by a stranger", "bad-signature", note=stranger.hex(), vkey=log),
        bad("signed under another name", "bad-signature", note=foreign.hex(), vkey=log),
        bad("of another log", "bad-signature", note=foreign.hex(), vkey=other),
        bad(
            "only cosigned by the log's key",
            "bad-signature",
            note=as_cosigner.hex(),
            vkey=log,
        ),
        bad(
            "asked with a cosigner's key",
            "bad-signature",
            note=as_cosigner.hex(),
            vkey=vkey(ORIGIN, LOG_KEY, 4),
        ),
        bad("with an extension line", note=extended.hex(), vkey=log),
    ]


def cosignature_vectors() -> dict[str, list[Case]]:
    text = checkpoint_text(ORIGIN, 3, sha256(b"root"))
    note = signed_note(text, ORIGIN, LOG_KEY)
    witness = vkey(WITNESS, WITNESS_KEY, 4)
    time = 1_790_000_000

    def dated(stamp: bytes, signed: bytes) -> bytes:
        payload = stamp + WITNESS_KEY.sign(signed)
        return note + signature_line(WITNESS, WITNESS_KEY, payload, 4)

    def message(seconds: str) -> bytes:
        return f"cosignature/v1\ntime {seconds}\n".encode() + text

    big, little = time.to_bytes(8, "big"), time.to_bytes(8, "little")
    good = note + cosignature(text, WITNESS, WITNESS_KEY, time)
    wrong = {
        "no line": note,
        "time little-endian": dated(little, message(str(time))),
        "another time": dated((time + 1).to_bytes(8, "big"), message(str(time))),
        "time with a zero in front": dated(big, message(f"0{time}")),
        "time 0": dated(bytes(8), message("0")),
        "time 2^63": dated((2**63).to_bytes(8, "big"), message(str(2**63))),
        "no time": note
        + signature_line(WITNESS, WITNESS_KEY, WITNESS_KEY.sign(text), 4),
        "a plain signature behind a time": dated(big, text),
        "signed with the signatures": dated(big, message(str(time)) + b"\n"),
        "a byte more": note
        + signature_line(
            WITNESS, WITNESS_KEY, big + WITNESS_KEY.sign(message(str(time))) + b"\0", 4
        ),
        "of another tree": good.replace(b"\n3\n", b"\n4\n"),
        "under the key id of type 01": note
        + signature_line(
            WITNESS, WITNESS_KEY, big + WITNESS_KEY.sign(message(str(time))), 1
        ),
        "under another name": note
        + cosignature(text, "witness.example/w2", WITNESS_KEY, time),
    }
    own = text + b"\n" + cosignature(text, ORIGIN, WITNESS_KEY, time)
    plain = note + signature_line(WITNESS, WITNESS_KEY, WITNESS_KEY.sign(text), 1)
    longer = text + b"extension\n"
    extended = signed_note(longer, ORIGIN, LOG_KEY)
    extended += cosignature(longer, WITNESS, WITNESS_KEY, time)
    later = cosignature(text, WITNESS, WITNESS_KEY, time + 1)
    latest = note + cosignature(text, WITNESS, WITNESS_KEY, 2**63 - 1)
    return {
        "verify": [
            ok("cosigned", note=good.hex(), vkey=witness, time=time),
            ok("latest time", note=latest.hex(), vkey=witness, time=2**63 - 1),
            *(
                bad(why, "bad-signature", note=data.hex(), vkey=witness)
                for why, data in wrong.items()
            ),
            bad("over an extension line", note=extended.hex(), vkey=witness),
            bad("twice, the newer last", note=(good + later).hex(), vkey=witness),
            bad(
                "the log's own name",
                "bad-signature",
                note=own.hex(),
                vkey=vkey(ORIGIN, WITNESS_KEY, 4),
            ),
            bad(
                "a plain key",
                "bad-signature",
                note=plain.hex(),
                vkey=vkey(WITNESS, WITNESS_KEY, 1),
            ),
        ]
    }
