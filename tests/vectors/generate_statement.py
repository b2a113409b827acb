"""Writes statement.json, from docs/spec/statement.md alone.

    python tests/vectors/generate_statement.py

Imports nothing of the program, no MessagePack and no signature library.  Every invalid
case has exactly one thing wrong with it; `expect` is `ok` or the kind of the error.
"""

from __future__ import annotations

import hashlib
import json
from base64 import b32encode, b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from naive_bundle import Key, pack

HERE = Path(__file__).parent
TYPE = b"application/vnd.byline.statement.v1+msgpack"
AUTHOR = Key("statement author")
PHOTO, NEGATIVE = b"a photo", b"its negative"
TIME = 1_767_225_600_000  # 2026-01-01T00:00:00Z
SALT = bytes(range(16))
IPTC = "http://cv.iptc.org/newscodes/digitalsourcetype/"
ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

Case = dict[str, Any]


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def multihash(data: bytes) -> bytes:
    return b"\x12\x20" + sha256(data)


def pae(body: bytes) -> bytes:
    return b"DSSEv1 %d %s %d %s" % (len(TYPE), TYPE, len(body), body)


def base32(data: bytes) -> str:
    return "b" + b32encode(data).decode().lower().rstrip("=")


def statement_cid(body: bytes) -> str:
    return base32(b"\x01\x81\x04" + multihash(body))


def did_key(public: bytes, prefix: bytes = b"\xed\x01") -> str:
    number, text = int.from_bytes(prefix + public, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = ALPHABET[digit] + text
    return "did:key:z" + text


# The fields of a small statement and of one that says everything


def common(**further: Any) -> dict[str, Any]:
    """The common fields; a field given as None is left out."""
    fields = {
        "type": "work",
        "author": AUTHOR.public,
        "time": TIME,
        "about": multihash(PHOTO),
        "salt": SALT,
        **further,
    }
    return {name: value for name, value in fields.items() if value is not None}


def example() -> dict[str, Any]:
    return common(
        **{
            "source-type": IPTC + "digitalCapture",
            "title": "Dawn",
            "license": "CC-BY-4.0",
            "uses": {"cawg.ai_generative_training": {"use": "notAllowed"}},
            "sources": [source()],
            "media-type": "image/jpeg",
            "size": len(PHOTO),
        }
    )


def source(**further: Any) -> dict[str, Any]:
    fields = {"digest": multihash(NEGATIVE), "relationship": "parentOf", **further}
    return {name: value for name, value in fields.items() if value is not None}


# Encoding


def nested(depth: int) -> bytes:
    """Arrays in arrays, one element each."""
    return b"\x91" * (depth - 1) + b"\x90"


def key_map(*keys: bytes) -> bytes:
    """A map with these keys as given, each to 0."""
    return bytes([0x80 | len(keys)]) + b"".join(
        bytes([0xA0 | len(key)]) + key + b"\0" for key in keys
    )


def sound_encodings() -> Iterator[tuple[str, bytes]]:
    for number in (0, 127, 128, 255, 256, 65535, 65536, 2**32 - 1, 2**32, 2**64 - 1):
        yield f"integer {number}", pack(number)
    for size in (0, 31, 32, 255, 256):
        yield f"text of {size} bytes", pack("x" * size)
        yield f"{size} bytes", pack(b"x" * size)
    for size in (0, 15, 16):
        yield f"array of {size}", pack([1] * size)
        yield f"map of {size}", pack({chr(97 + n): n for n in range(size)})
    yield "booleans", pack([True, False])
    yield "keys in the order of bytes", key_map(b"", b"a", b"aa", b"b", b"\xc3\xa9")
    yield (
        "keys whose order in UTF-16 differs",
        key_map("\uffff".encode(), "\U00010000".encode()),
    )
    yield "text that is not normalised", pack(["e\u0301", "\u00e9"])
    yield "text with NUL", pack("a\0b")
    yield "depth 6", nested(6)


def unsound_encodings() -> Iterator[tuple[str, bytes]]:
    yield "nothing", b""
    yield "a byte after the value", b"\x01\x00"
    yield "truncated text", b"\xa2x"
    yield "truncated map", b"\x81\xa1a"
    yield "127 in two bytes", b"\xcc\x7f"
    yield "255 in three bytes", b"\xcd\x00\xff"
    yield "65535 in five bytes", b"\xce\x00\x00\xff\xff"
    yield "2^32-1 in nine bytes", b"\xcf" + (2**32 - 1).to_bytes(8, "big")
    yield "1 as a signed integer", b"\xd0\x01"
    yield "128 as a signed integer", b"\xd1\x00\x80"
    yield "-1", b"\xff"
    yield "-128", b"\xd0\x80"
    yield "-2^63", b"\xd3\x80" + bytes(7)
    yield "31 characters with a long header", b"\xd9\x1f" + b"x" * 31
    yield "255 characters with a long header", b"\xda\x00\xff" + b"x" * 255
    yield "1 character with the longest header", b"\xdb\x00\x00\x00\x01x"
    yield "255 bytes with a long header", b"\xc5\x00\xff" + b"x" * 255
    yield "1 byte with the longest header", b"\xc6\x00\x00\x00\x01x"
    yield "array of 15 with a long header", b"\xdc\x00\x0f" + b"\x01" * 15
    yield "array of 1 with the longest header", b"\xdd\x00\x00\x00\x01\x01"
    yield "map of 1 with a long header", b"\xde\x00\x01\xa1a\x01"
    yield "map of 1 with the longest header", b"\xdf\x00\x00\x00\x01\xa1a\x01"
    yield "float 32", b"\xca\x3f\x80\x00\x00"
    yield "float 64", b"\xcb\x3f\xf0" + bytes(6)
    yield "nil", b"\xc0"
    yield "nil in an array", b"\x91\xc0"
    yield "the byte that MessagePack never uses", b"\xc1"
    yield "extension", b"\xd4\x05\x00"
    yield "extension with a length", b"\xc7\x01\x05\x00"
    yield "timestamp", b"\xd6\xff" + bytes(4)
    yield "keys out of order", key_map(b"b", b"a")
    yield (
        "keys in the order of UTF-16",
        key_map("\U00010000".encode(), "\uffff".encode()),
    )
    yield "a longer key before its prefix", key_map(b"aa", b"a")
    yield "a key twice", key_map(b"a", b"a")
    yield "an integer as a key", b"\x81\x01\x01"
    yield "bytes as a key", b"\x81\xc4\x01a\x01"
    yield "nil as a key", b"\x81\xc0\x01"
    yield "an array as a key", b"\x81\x90\x01"
    yield "text and bytes as keys", b"\x82\xa1a\x01\xc4\x01b\x01"
    yield "text that is not UTF-8", b"\xa1\xff"
    yield "text with a surrogate", b"\xa3\xed\xa0\x80"
    yield "text with an overlong form", b"\xa2\xc0\x80"
    yield "a key that is not UTF-8", b"\x81\xa1\xff\x01"
    yield "depth 7", nested(7)
    yield "depth 7 with a map", b"\x91" * 6 + b"\x80"
    yield "depth 3000", nested(3000)
    yield "2^32-1 elements announced", b"\xdd\xff\xff\xff\xff"
    yield "long arrays announced in each other", b"\xdc\x2f\xff" * 1000 + bytes(10000)
    yield "2^32-1 bytes announced", b"\xc6\xff\xff\xff\xff"


def encodings() -> list[Case]:
    sound = [
        {"name": name, "bytes": data.hex(), "expect": "ok"}
        for name, data in sound_encodings()
    ]
    unsound = [
        {"name": name, "bytes": data.hex(), "expect": "malformed"}
        for name, data in unsound_encodings()
    ]
    return sound + unsound


# Envelopes


def envelope(body: bytes, signature: bytes | None = None) -> bytes:
    if signature is None:
        signature = AUTHOR.sign(pae(body))
    return pack([1, body, signature])


def filled(size: int) -> bytes:
    """A body of exactly this size."""
    rest = size - len(pack(common(note="")))
    # The header of the text grows with it: 1 byte before, 3 bytes now.
    body = pack(common(note="x" * (rest - 2)))
    assert len(body) == size
    return body


def sound_bodies() -> Iterator[tuple[str, bytes]]:
    yield "small", pack(common())
    yield "everything", pack(example())
    yield "of a type nobody knows", pack(common(type="x-new.type-2"))
    yield "unknown fields", pack(common(**{"zz": [True, {"a": b"b"}], "0": 1}))
    yield (
        "fields of its type that make no sense",
        pack(common(license=7, uses="no", **{"source-type": b"\0"})),
    )
    yield "type of 64 characters", pack(common(type="a" * 64))
    yield "time 0", pack(common(time=0))
    yield "time 2^63-1", pack(common(time=2**63 - 1))
    yield (
        "also a SHA-1 and a BLAKE3",
        pack(common(also=[b"\x11\x14" + bytes(20), b"\x1e\x20" + bytes(32)])),
    )
    yield (
        "also of 70 bytes, with a code of two",
        pack(common(also=[b"\xb2\x01\x43" + bytes(67)])),
    )
    yield "8 also", pack(common(also=[b"\x11\x14" + bytes(20)] * 8))
    yield "64 sources", pack(common(sources=[source()] * 64))
    yield "source with further keys", pack(common(sources=[source(region="left")]))
    yield (
        "relationship of 64 characters",
        pack(common(sources=[source(relationship="\u00e9" * 64)])),
    )
    yield "depth 6", pack(common(deep=[[[[[]]]]]))
    yield "1024 maps and arrays", pack(common(many=[{}] * 1022))
    yield "body of 255 bytes", filled_small(255)
    yield "body of 256 bytes", filled_small(256)
    yield "body of 16384 bytes", filled(16384)


def filled_small(size: int) -> bytes:
    fields = common(note="x" * 40)
    return pack(common(note="x" * (40 + size - len(pack(fields)))))


def unsound_bodies() -> Iterator[tuple[str, bytes]]:
    yield "empty body", b""
    yield "array as the body", pack([common()])
    yield "body not canonical", pack(common()).replace(b"\xa4work", b"\xd9\x04work")
    yield "a byte after the map", pack(common()) + b"\0"
    yield "body of 16385 bytes", filled(16385)
    yield "depth 7", pack(common(deep=[[[[[[]]]]]]))
    yield "1025 maps and arrays", pack(common(many=[{}] * 1023))
    for name in ("type", "author", "time", "about", "salt"):
        yield f"no {name}", pack(common(**{name: None}))
        yield f"{name} is a boolean", pack(common(**{name: True}))
    yield "type empty", pack(common(type=""))
    yield "type of 65 characters", pack(common(type="a" * 65))
    yield "type begins with a digit", pack(common(type="2work"))
    yield "type in capitals", pack(common(type="Work"))
    yield "type ends with a newline", pack(common(type="work\n"))
    yield "type in another script", pack(common(type="w\u00f6rk"))
    yield "type as bytes", pack(common(type=b"work"))
    yield "author of 31 bytes", pack(common(author=AUTHOR.public[1:]))
    yield "author of 33 bytes", pack(common(author=AUTHOR.public + b"\0"))
    yield "author as text", pack(common(author="a" * 32))
    yield "time 2^63", pack(common(time=2**63))
    yield "time as text", pack(common(time="1"))
    yield "about of 33 bytes", pack(common(about=multihash(PHOTO)[:-1]))
    yield "about of 35 bytes", pack(common(about=multihash(PHOTO) + b"\0"))
    yield "about of another hash", pack(common(about=b"\x1e\x20" + sha256(PHOTO)))
    yield "about with another length", pack(common(about=b"\x12\x1f" + sha256(PHOTO)))
    yield "salt of 15 bytes", pack(common(salt=bytes(15)))
    yield "salt of 17 bytes", pack(common(salt=bytes(17)))
    yield from unsound_also()
    yield from unsound_sources()


def unsound_also() -> Iterator[tuple[str, bytes]]:
    sha1 = b"\x11\x14" + bytes(20)
    for name, value in {
        "empty": [],
        "a single multihash": sha1,
        "of 9": [sha1] * 9,
        "a SHA-256": [multihash(PHOTO)],
        "of 71 bytes": [b"\xb2\x01\x44" + bytes(68)],
        "shorter than it says": [sha1[:-1]],
        "longer than it says": [sha1 + b"\0"],
        "with an empty digest": [b"\x11\x00"],
        "with a code that never ends": [b"\x80" * 40],
        "with a code in a long form": [b"\x91\x00\x14" + bytes(20)],
        "as text": ["sha1"],
    }.items():
        yield f"also {name}", pack(common(also=value))


def unsound_sources() -> Iterator[tuple[str, bytes]]:
    for name, value in {
        "empty": [],
        "a single map": source(),
        "of 65": [source()] * 65,
        "that are digests": [multihash(NEGATIVE)],
        "without digest": [source(digest=None)],
        "without relationship": [source(relationship=None)],
        "with an empty relationship": [source(relationship="")],
        "with a relationship of 65 characters": [source(relationship="x" * 65)],
        "with a relationship as bytes": [source(relationship=b"parentOf")],
        "with the digest of another hash": [source(digest=b"\x11\x14" + bytes(20))],
        "of which the second is wrong": [source(), source(digest=b"")],
    }.items():
        yield f"sources {name}", pack(common(sources=value))


def unsound_envelopes() -> Iterator[tuple[str, bytes, str]]:
    body = pack(common())
    good = AUTHOR.sign(pae(body))
    head = b"\x93\x01\xc4" + bytes([len(body)]) + body
    yield "nothing", b"", "malformed"
    yield "truncated", envelope(body)[:-1], "malformed"
    yield "a byte after the envelope", envelope(body) + b"\0", "malformed"
    yield "no signature", b"\x92" + head[1:], "malformed"
    yield "an empty array", b"\x90", "malformed"
    yield "four elements", pack([1, body, good, 1]), "malformed"
    yield "a map", pack({"body": body}), "malformed"
    yield "signature of 63 bytes", pack([1, body, good[:-1]]), "malformed"
    yield "signature of 65 bytes", pack([1, body, good + b"\0"]), "malformed"
    yield "signature as an array", pack([1, body, list(good)]), "malformed"
    yield "body not wrapped", pack([1, common(), good]), "malformed"
    long_head = b"\x93\x01\xc5\x00" + bytes([len(body)]) + body
    yield "length of the body in a long form", long_head + pack(good), "malformed"
    yield (
        "array header in a long form",
        b"\xdc\x00\x03" + envelope(body)[1:],
        ("malformed"),
    )
    yield "version in a long form", b"\x93\xcc\x01" + envelope(body)[2:], "malformed"
    yield "version as text", pack(["1", body, good]), "malformed"
    yield "version 0", pack([0, body, good]), "unsupported"
    yield "version 2", pack([2, body, good]), "unsupported"
    yield "version 2 of another shape", pack([2, {"a": [1]}]), "unsupported"
    yield "version 300", pack([300]), "unsupported"
    yield "one bit of the signature", envelope(body, flip(good)), "bad-signature"
    yield (
        "signature of the bare body",
        envelope(body, AUTHOR.sign(body)),
        ("bad-signature"),
    )
    other = Key("somebody else").sign(pae(body))
    yield "signed by somebody else", envelope(body, other), "bad-signature"
    changed = pack(common(time=TIME + 1))
    yield "signature of another body", envelope(changed, good), "bad-signature"
    nobody = pack(common(author=bytes(32)))
    yield "author of small order", envelope(nobody), "bad-signature"


def flip(signature: bytes) -> bytes:
    return bytes([signature[0] ^ 1]) + signature[1:]


def envelopes() -> list[Case]:
    sound = [
        {
            "name": name,
            "envelope": envelope(body).hex(),
            "expect": "ok",
            "id": sha256(body).hex(),
            "cid": statement_cid(body),
        }
        for name, body in sound_bodies()
    ]
    unsound = [
        {"name": name, "envelope": data.hex(), "expect": expect}
        for name, data, expect in [
            *((name, envelope(body), "malformed") for name, body in unsound_bodies()),
            *unsound_envelopes(),
        ]
    ]
    return sound + unsound


def worked_example() -> Case:
    """The example of docs/spec/statement.md."""
    body = pack(example())
    return {
        "seed": AUTHOR.seed.hex(),
        "author": did_key(AUTHOR.public),
        "work": PHOTO.decode(),
        "source": NEGATIVE.decode(),
        "body": body.hex(),
        "pae": pae(body).hex(),
        "signature": AUTHOR.sign(pae(body)).hex(),
        "id": sha256(body).hex(),
        "cid": statement_cid(body),
        "envelope": envelope(body).hex(),
    }


# Names


def hashes() -> list[Case]:
    """Texts that name a digest or a statement; all sound ones name SHA-256 of PHOTO."""
    digest = sha256(PHOTO)
    raw = base32(b"\x01\x55\x12\x20" + digest)
    good = {
        "hex": (digest.hex(), "either"),
        "hex in capitals": (digest.hex().upper(), "either"),
        "blanks around": (f" {digest.hex()}\n", "either"),
        "sha256:": ("sha256:" + digest.hex(), "digest"),
        "SHA256:": ("SHA256:" + digest.hex(), "digest"),
        "SRI": ("sha256-" + b64encode(digest).decode(), "digest"),
        "multihash": ("1220" + digest.hex(), "digest"),
        "CID of raw bytes": (raw, "digest"),
        "CID of a statement": (base32(b"\x01\x81\x04\x12\x20" + digest), "statement"),
    }
    bad = {
        "nothing": "",
        "63 digits": digest.hex()[1:],
        "65 digits": digest.hex() + "0",
        "not hex": "g" + digest.hex()[1:],
        "digits of another script": "\u0661" * 64,
        "a blank within": digest.hex()[:32] + " " + digest.hex()[33:],
        "SRI of another hash": "sha384-" + b64encode(digest + bytes(16)).decode(),
        "SRI without padding": "sha256-" + b64encode(digest).decode()[:-1],
        "SRI with loose bits": "sha256-" + loose(b64encode(digest).decode()),
        "multihash of SHA-1": "1114" + digest.hex()[:40],
        "multihash of another length": "121f" + digest.hex()[:62],
        "CID of a file cut into blocks": base32(b"\x01\x70\x12\x20" + digest),
        "CID with another hash": base32(b"\x01\x55\x1e\x20" + digest),
        "CID with a byte more": base32(b"\x01\x55\x12\x20" + digest + b"\0"),
        "CID in capitals": raw.upper(),
        "CID of version 0": "QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG",
        "CID with loose bits": raw[:-1] + chr(ord(raw[-1]) + 1),
        "a key": did_key(AUTHOR.public),
        "a path": "photo.jpg",
    }
    return [
        {"name": name, "text": text, "expect": "ok", "kind": kind}
        for name, (text, kind) in good.items()
    ] + [
        {"name": name, "text": text, "expect": "malformed"}
        for name, text in bad.items()
    ]


def loose(text: str) -> str:
    """Base64 that ends in one =, with a bit set that no byte holds."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    return text[:-2] + alphabet[alphabet.index(text[-2]) ^ 1] + "="


def did_keys() -> list[Case]:
    good = did_key(AUTHOR.public)
    bad = {
        "another method": good.replace("did:key:", "did:web:"),
        "no prefix": good.removeprefix("did:key:"),
        "another base": good.replace(":z", ":f"),
        "a secp256k1 key": did_key(AUTHOR.public + b"\2", b"\xe7\x01"),
        "an X25519 key": did_key(AUTHOR.public, b"\xec\x01"),
        "a byte less": did_key(AUTHOR.public[1:]),
        "a byte more": did_key(AUTHOR.public + b"\0"),
        "a leading 1": good.replace(":z", ":z1"),
        "a symbol that base58 lacks": good[:-1] + "0",
        "with a fragment": good + "#" + good.removeprefix("did:key:"),
        "a blank": good + " ",
        "the greatest of its length": "did:key:z" + "z" * 47,
        "nothing": "",
    }
    return [
        {"name": "a key", "text": good, "expect": "ok", "public": AUTHOR.public.hex()},
        *(
            {"name": name, "text": text, "expect": "malformed"}
            for name, text in bad.items()
        ),
    ]


def source_types() -> list[Case]:
    """The plain answer, version 1 of the table."""
    plain = {
        "human": "digitalCapture computationalCapture negativeFilm positiveFilm print "
        "humanEdits digitalCreation compositeCapture algorithmicallyEnhanced "
        "dataDrivenMedia minorHumanEdits digitalArt",
        "assisted": "compositeWithTrainedAlgorithmicMedia compositeSynthetic",
        "generated": "trainedAlgorithmicMedia",
        "other": "algorithmicMedia",
        "unknown": "screenCapture virtualRecording composite softwareImage aNewTerm",
    }
    rows = [(IPTC + term, answer) for answer in plain for term in plain[answer].split()]
    c2pa = "http://c2pa.org/digitalsourcetype/"
    rows += [(c2pa + "empty", "other"), (c2pa + "trainedAlgorithmicData", "generated")]
    secure = IPTC.replace("http:", "https:") + "trainedAlgorithmicMedia"
    rows += [(secure, "generated"), ("http://example.com/humanEdits", "unknown")]
    return [
        {"name": uri.rpartition("/")[2], "source_type": uri, "plain": answer}
        for uri, answer in rows
    ]


def main() -> None:
    content = {
        "example": worked_example(),
        "encodings": encodings(),
        "envelopes": envelopes(),
        "hashes": hashes(),
        "did_keys": did_keys(),
        "source_types": source_types(),
    }
    text = json.dumps(content, indent=1, sort_keys=True)
    (HERE / "statement.json").write_text(text + "\n", encoding="ascii")
    print("statement.json")


if __name__ == "__main__":
    main()
