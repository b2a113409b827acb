"""Cases of log_note.json: every way to spell a note or key that is not the one."""

from __future__ import annotations

from log_cases import Case, b64, bad, loose, ok
from naive_bundle import Key, key_id, sha256, signature_line, signed_note, vkey

TEXT = b"a line\n"
SPACES = (
    *("\u0020", "\u0085", "\u00a0", "\u1680", "\u2000", "\u200a"),
    *("\u2028", "\u2029", "\u202f", "\u205f", "\u3000"),
)
CONTROLS = ("\u001c", "\u001d", "\u001e", "\u001f")
"""Blanks for Python's `str.isspace`, not for Unicode."""
NOT_SPACES = ("\u180e", "\u200b", "\ufeff")


def note_vectors() -> dict[str, list[Case]]:
    return {
        "verifiers": verifier_cases(),
        "parse": [*good_notes(), *bad_notes()],
        "verify": note_signature_cases(),
    }


def verifier_cases() -> list[Case]:
    name, key = "example.com/key", Key("note")
    good = vkey(name, key)
    ident, material = key_id(name, 1, key.public).hex(), b64(b"\x01" + key.public)
    long = b64(b"\x06" + bytes(1312))
    long_id = sha256(name.encode() + b"\n\x06" + bytes(1312))[:4].hex()
    with_slash = key_with("/")
    url_material = b64(b"\x01" + with_slash.public).replace("/", "_").replace("+", "-")
    url_vkey = f"{name}+{key_id(name, 1, with_slash.public).hex()}+{url_material}"
    assert ident != ident.upper()
    texts = {
        "two parts": f"{name}+{ident}",
        "empty": "",
        "no name": good.removeprefix(name),
        "another key's id": f"{name}+{'0' * 8}+{material}",
        "upper-case id": f"{name}+{ident.upper()}+{material}",
        "id with a blank": f"{name}+{ident[:4]} {ident[4:]}+{material}",
        "id with a tab": f"{name}+{ident[:4]}\t{ident[4:]}+{material}",
        "id with blanks around": f"{name}+ {ident} +{material}",
        "id in another script": f"{name}+" + "\u0660" * 8 + f"+{material}",
        "id of 3 bytes": f"{name}+{ident[:6]}+{material}",
        "id of 5 bytes": f"{name}+{ident}00+{material}",
        "id with a newline": f"{name}+{ident}\n+{material}",
        "no key": f"{name}+{ident}+",
        "key of 31 bytes": short_vkey(name, key.public[:31]),
        "key of 33 bytes": short_vkey(name, key.public + b"\0"),
        "key padded for nothing": good + "====",
        "key with a newline": good + "\n",
        "key in the URL alphabet": url_vkey,
        "name with a newline": good.replace("com", "com\n"),
        "name of 256 bytes": vkey("n" * 256, key),
    }
    letters = (*SPACES, *CONTROLS)
    names = {f"U+{ord(one):04X} in the name": f"a{one}b" for one in letters}
    return [
        known("plain", name, key),
        known("cosigner", name, key, 4),
        known("plus in the base64", name, key_with("+")),
        known("name of 255 bytes", "n" * 255, key),
        *(
            known(f"U+{ord(letter):04X} in the name is no space", f"a{letter}b", key)
            for letter in NOT_SPACES
        ),
        ok(
            "published example",
            vkey="PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
            id="c74f20a3",
            type=1,
            public="1a5cd907143c384c41e830c5bce12aa8817ec5649aaabf2c31388b35b2d744d6",
        ),
        *(bad(why, vkey=text) for why, text in texts.items()),
        *(bad(why, vkey=vkey(text, key)) for why, text in names.items()),
        bad("a key type of others", "unsupported", vkey=f"{name}+{long_id}+{long}"),
    ]


def known(why: str, name: str, key: Key, type_: int = 1) -> Case:
    public = key.public
    ident = key_id(name, type_, public).hex()
    text = vkey(name, key, type_)
    return ok(why, vkey=text, id=ident, type=type_, public=public.hex())


def key_with(letter: str) -> Key:
    """A key whose base64 has this letter."""
    keys = (Key(f"key {number}") for number in range(1000))
    return next(key for key in keys if letter in b64(b"\x01" + key.public))


def short_vkey(name: str, public: bytes) -> str:
    material = b64(b"\x01" + public)
    return f"{name}+{key_id(name, 1, public).hex()}+{material}"


def line(name: str = "example.com/key", payload: str | None = None) -> bytes:
    return f"\u2014 {name} {payload or b64(bytes(range(68)))}\n".encode()


def numbered(number: int) -> bytes:
    return line(payload=b64(number.to_bytes(4, "big") + b"signature"))


def good_notes() -> list[Case]:
    separators = "one\u0085two\u2028three\u2029four\n".encode()
    notes = {
        "one line": (TEXT, [line()]),
        "empty lines in the text": (b"a\n\n\nb\n\n", [line()]),
        "the text is one newline": (b"\n", [line()]),
        "a signature line in the text": (b"a\n\n" + line(), [line()]),
        "what some readers take for line ends": (separators, [line()]),
        "two signatures": (TEXT, [numbered(1), numbered(2)]),
        "100 signatures": (TEXT, [numbered(n) for n in range(100)]),
        "one name, two ids": (TEXT, [numbered(1), numbered(2)]),
        "one id, two names": (TEXT, [line("a"), line("b")]),
        "signature of one byte": (TEXT, [line(payload=b64(bytes(5)))]),
        "signature of ML-DSA length": (TEXT, [line(payload=b64(bytes(2432)))]),
        "DEL in the text": (b"\x7f\n", [line()]),
    }
    return [
        ok(
            name,
            note=(text + b"\n" + b"".join(lines)).hex(),
            text=text.hex(),
            signatures=len(lines),
        )
        for name, (text, lines) in notes.items()
    ]


def bad_notes() -> list[Case]:
    good = b64(bytes(range(68)))
    note = TEXT + b"\n" + line()
    payloads = {
        "base64 with a blank": good[:8] + " " + good[8:],
        "base64 with a newline": good[:8] + "\n" + good[8:],
        "base64 with other junk": good[:8] + "!" + good[8:],
        "base64 not padded": good.rstrip("="),
        "base64 padded twice": good + "=",
        "base64 padded for nothing": b64(bytes(66)) + "====",
        "base64 with loose bits": loose(good),
        "base64 with four loose bits": "AAAAAAAA/x==",
        "base64 in the URL alphabet": b64(b"\xfb\xff" * 4)
        .replace("+", "-")
        .replace("/", "_"),
        "base64 then a blank": good + " ",
        "base64 in other digits": good[:-4] + "\u0661A==",
        "key id alone": b64(bytes(4)),
        "three bytes": b64(bytes(3)),
    }
    notes = {
        "empty": b"",
        "newline only": b"\n",
        "no signatures": TEXT + b"\n",
        "no empty line": TEXT + line(),
        "no final newline": note[:-1],
        "text not ended": b"a line\n" + line(),
        "no text": line(),
        "empty line, no text": b"\n" + line(),
        "hyphen for the dash": note.replace(b"\xe2\x80\x94", b"-"),
        "en dash for the dash": note.replace(b"\xe2\x80\x94", b"\xe2\x80\x93"),
        "dash without a blank": note.replace(b"\xe2\x80\x94 ", b"\xe2\x80\x94"),
        "no-break space after the dash": note.replace(b"\x94 ", b"\x94\xc2\xa0"),
        "blank before the dash": TEXT + b"\n " + line(),
        "two blanks": note.replace(b"/key ", b"/key  "),
        "no name": TEXT + b"\n" + line(""),
        "plus in the name": TEXT + b"\n" + line("a+b"),
        "name of 256 bytes": TEXT + b"\n" + line("n" * 256),
        "text after the signatures": note + b"more\n",
        "CR LF": note.replace(b"\n", b"\r\n"),
        "tab in the text": b"a\tline\n\n" + line(),
        "text not UTF-8": b"\xff\n\n" + line(),
        "overlong UTF-8": b"\xc0\xaf\n\n" + line(),
        "surrogate in UTF-8": b"\xed\xa0\x80\n\n" + line(),
        "name not UTF-8": note.replace(b"/key", b"/\xff"),
        "one key twice": TEXT + b"\n" + line() + line(),
        "one key twice, other signature": TEXT
        + b"\n"
        + numbered(1)
        + line(payload=b64(b"\0\0\0\x01other")),
        "101 signatures": TEXT + b"\n" + b"".join(map(numbered, range(101))),
    }
    for byte in (0x00, 0x0B, 0x0C, 0x1C, 0x1D, 0x1E, 0x1F):
        notes[f"control {byte:02x} in the text"] = (
            b"a" + bytes([byte]) + b"b\n\n" + line()
        )
    for letter in CONTROLS:
        notes[f"control {ord(letter):02x} in a name"] = (
            TEXT + b"\n" + line(f"a{letter}b")
        )
    notes |= {why: TEXT + b"\n" + line(payload=text) for why, text in payloads.items()}
    for space in SPACES[1:]:
        notes[f"U+{ord(space):04X} in a name"] = TEXT + b"\n" + line(f"a{space}b")
    return [bad(name, note=data.hex()) for name, data in notes.items()]


def note_signature_cases() -> list[Case]:
    name, key, other = "example.com/key", Key("note"), Key("other")
    good = signed_note(TEXT, name, key)
    mine = signature_line(name, key, key.sign(TEXT))
    theirs = signature_line(name, other, other.sign(TEXT))
    verifier = vkey(name, key)
    published = (
        "If you think cryptography is the answer to your problem,\n"
        "then you don't know what your problem is.\n\n"
        "\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNI"
        "uGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
    ).encode()
    neumann = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    wrong = {
        "another text": good.replace(b"a line", b"b line"),
        "a stranger's signature only": TEXT + b"\n" + theirs,
        "the stranger's signature under this key's id": TEXT
        + b"\n"
        + signature_line(name, key, other.sign(TEXT)),
        "signed without the final newline": TEXT
        + b"\n"
        + signature_line(name, key, key.sign(TEXT[:-1])),
        "signed with the empty line": TEXT
        + b"\n"
        + signature_line(name, key, key.sign(TEXT + b"\n")),
        "under another name": TEXT
        + b"\n"
        + signature_line("example.com/yek", key, key.sign(TEXT)),
        "a signature of 63 bytes": TEXT
        + b"\n"
        + signature_line(name, key, key.sign(TEXT)[:-1]),
        "a signature of 65 bytes": TEXT
        + b"\n"
        + signature_line(name, key, key.sign(TEXT) + b"\0"),
        "S plus the group order": TEXT
        + b"\n"
        + signature_line(name, key, plus_order(key.sign(TEXT))),
    }
    return [
        ok("one signature", note=good.hex(), vkey=verifier),
        ok(
            "beside a stranger's",
            note=(TEXT + b"\n" + theirs + mine).hex(),
            vkey=verifier,
        ),
        ok("published example", note=published.hex(), vkey=neumann),
        *(
            bad(why, "bad-signature", note=note.hex(), vkey=verifier)
            for why, note in wrong.items()
        ),
        bad(
            "a key for cosignatures",
            "bad-signature",
            note=good.hex(),
            vkey=vkey(name, key, 4),
        ),
    ]


def plus_order(signature: bytes) -> bytes:
    order = 2**252 + 27742317777372353535851937790883648493
    s = int.from_bytes(signature[32:], "little") + order
    return signature[:32] + s.to_bytes(32, "little")
