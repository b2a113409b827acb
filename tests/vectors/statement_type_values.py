"""What every statement type can say, and values for its fields that are not sound.

Used by generate_statement_types.py.
"""

from __future__ import annotations

import hashlib
from base64 import b32encode
from typing import Any

from naive_content import C2PA, CAWG, IPTC

Fields = dict[str, Any]


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def multihash(text: str) -> bytes:
    return b"\x12\x20" + sha256(text.encode())


def unit(first: int, second: int = 0x07, size: int = 32) -> str:
    """An ISCC unit with this header."""
    data = bytes([first, second]) + sha256(b"code")[:size]
    return "ISCC:" + b32encode(data).decode().rstrip("=")


KEY, OTHER, ID = sha256(b"key"), sha256(b"other"), sha256(b"id")
ABOUT = b"\x12\x20" + sha256(KEY)
"""What all of these are about: a key's name, as good as any."""
TRAINING, MINING = "cawg.ai_generative_training", "cawg.data_mining"
MODEL = {
    "name": "Midnight 2",
    "identifier": "https://models.example/midnight-2",
    "type": "c2pa.types.model.torch",
}
SOURCE = {"digest": multihash("source"), "relationship": "inputTo"}
PLACE = {
    "manifest": multihash("manifest"),
    "index": 1,
    "count": 3,
    "proof": sha256(b"left") + sha256(b"right"),
}
SSH = {"method": "ssh", "name": "forge.example/ada"}
PRICE = {"amount": 250, "currency": "EUR", "per": "item"}

FULL: dict[str, Fields] = {
    "work": {
        "source-type": IPTC + "trainedAlgorithmicMedia",
        "title": "Dawn",
        "license": "cc-by-4.0",
        "uses": {
            TRAINING: {"use": "constrained", "constraint-info": "ask me"},
            MINING: {"use": "allowed"},
        },
        "tools": ["a brush"],
        "sources": [SOURCE],
        "media-type": "image/png",
        "size": 7,
        "model": MODEL,
        "oversight": "human_validated",
        "shares": [{"key": KEY, "parts": 2}, {"key": OTHER, "parts": 1}],
        "group": OTHER,
        "seal": ID,
        "seal-nonce": sha256(b"nonce"),
        "fingerprints": {
            "iscc": [unit(0x00), unit(0x41)],
            "windows": bytes(8) + b"12345678",
            "chunks": b"abcdefgh",
        },
    },
    "endorse": {"role": "editor", "note": "I cut it"},
    "dispute": {
        "reason": "consent",
        "note": "I am in it",
        "evidence": [multihash("letter")],
    },
    "withdraw": {"reason": "superseded", "replacement": ID},
    "grant": {
        "grantee": OTHER,
        "uses": [TRAINING],
        "from": 0,
        "until": 2**63 - 1,
        "constraint-info": "name me",
        "request": ID,
    },
    "profile": {
        "name": "Ada",
        "links": ["https://ada.example"],
        "recovery": OTHER,
        "proofs": [
            {"method": "dns-txt", "name": "ada.example"},
            {"method": "ssh", "name": "forge.example/ada", "signature": b"signed"},
        ],
    },
    "rotate": {"successor": OTHER, "reason": "routine"},
    "delegate": {
        "types": ["work", "x-new.type"],
        "until": 9,
        "from": 5,
        "uses": CAWG,
        "manifests": [multihash("manifest")],
        "count": 1_000_000,
        "note": "the camera",
    },
    "admit": {
        "from": 5,
        "until": 9,
        "terms": multihash("terms"),
        "terms-url": "https://coop.example/terms",
        "parts": 1,
        "note": "welcome",
    },
    "leave": {"note": "thanks"},
    "offer": {
        "uses": {TRAINING: {"use": "constrained", "constraint-info": "pay"}},
        "license": "MIT",
        "grantee": OTHER,
        "from": 5,
        "until": 9,
        "price": PRICE,
        "terms": multihash("terms"),
        "terms-url": "https://coop.example/terms",
        "contact": "hello@coop.example",
    },
    "request": {
        "uses": [TRAINING, MINING],
        "purpose": "a model of barns",
        "until": 9,
        "offer": ID,
        "contact": "lab.example",
    },
    "collection": {
        "count": 3,
        "bytes": 2**64 - 1,
        "root": sha256(b"root"),
        "title": "Barns",
        "description": "all that we found",
        "version": "1.0",
        "license": "mit",
        "url": "https://barns.example",
        "uses": [TRAINING],
    },
    "label": {
        "label": multihash("label.json"),
        "use": TRAINING,
        "count": 3,
        "bytes": 12,
        "items": {
            "human": 2,
            "assisted": 0,
            "generated": 0,
            "other": 0,
            "unknown": 0,
            "unattested": 1,
        },
        "violations": 0,
        "disputed": 1,
        "withdrawn": 0,
        "origin": "log.example/1",
        "log-size": 9,
        "set-root": sha256(b"set"),
    },
    "seal": {},
    "relay": {
        "format": "c2pa",
        "manifest": multihash("foreign"),
        "validation": "trusted",
        "validator": "c2pa-python 0.1",
        "trust-list": multihash("list"),
        "checked": 5,
        "issuer": "Camera Ltd",
        "issuer-key": multihash("spki"),
        "created": {
            "source-type": IPTC + "digitalCapture",
            "title": "Barn",
            "license": "MIT",
            "uses": {TRAINING: {"use": "notAllowed"}},
            "creators": ["Ada"],
            "actions": ["c2pa.created"],
            "model": MODEL,
            "oversight": "prompt_guided",
        },
        "gathered": {"title": "Barn"},
        "sources": [SOURCE],
    },
    "settlement": {
        "group": OTHER,
        "use": TRAINING,
        "rows": multihash("rows"),
        "members": 2,
        "items": 3,
        "root": sha256(b"root"),
    },
}
FOR_OTHERS: Fields = {
    "for": OTHER,
    "delegation": ID,
    "in-manifest": PLACE,
    "number": 1,
}

UNSOUND_USES = [
    ("as an array", [TRAINING]),
    ("of another entry", {"cawg.training": {"use": "allowed"}}),
    ("without cawg.", {"data_mining": {"use": "allowed"}}),
    ("with a bare word", {MINING: "allowed"}),
    ("with another word", {MINING: {"use": "Allowed"}}),
    ("without a word", {MINING: {"constraint-info": "ask"}}),
    ("with a word as bytes", {MINING: {"use": b"allowed"}}),
    ("with an empty text", {MINING: {"use": "constrained", "constraint-info": ""}}),
    (
        "with a text of 1025",
        {MINING: {"use": "constrained", "constraint-info": "x" * 1025}},
    ),
    (
        "of which one is not sound",
        {MINING: {"use": "perhaps"}, TRAINING: {"use": "notAllowed"}},
    ),
    (
        "of which one is not known",
        {"cawg.copying": {"use": "allowed"}, TRAINING: {"use": "notAllowed"}},
    ),
]
USES_LISTS = [
    ("as an empty array", []),
    ("as a map", {TRAINING: {"use": "allowed"}}),
    ("of 9", [TRAINING] * 9),
    ("without cawg.", ["data_mining"]),
    ("of which one is not known", [TRAINING, "cawg.copying"]),
    ("of which one is bytes", [TRAINING, MINING.encode()]),
    ("with one twice", [TRAINING, MINING, TRAINING]),
]
UNSOUND_FOREIGN = [
    ("as an array", []),
    ("with a term that is not known", {"source-type": IPTC + "photo", "title": "x"}),
    ("with an empty title", {"title": "", "license": "MIT"}),
    ("with a license that is none", {"license": "all mine", "title": "x"}),
    ("with a use that is none", {"uses": {MINING: {"use": "no"}}, "title": "x"}),
    ("with 17 creators", {"creators": ["x"] * 17, "title": "x"}),
    ("with a creator as bytes", {"creators": [b"x", "y"]}),
    ("with an action of 129", {"actions": ["x" * 129, "y"]}),
    ("with 65 actions", {"actions": ["x"] * 65}),
    ("with a model without name", {"model": {}, "title": "x"}),
    ("with another oversight", {"oversight": "none", "title": "x"}),
]
SOUND: dict[str, dict[str, Any]] = {
    "source-type": {
        "written with https": IPTC.replace("http:", "https:") + "digitalCapture",
        "that is retired": IPTC + "minorHumanEdits",
        "that is retired without a successor": IPTC + "softwareImage",
        "of C2PA": C2PA + "empty",
        "without a plain answer": IPTC + "composite",
    },
    "license": {"in another spelling": "mit"},
    "uses": {},
    "media-type": {"of 127 characters": "a/" + "b" * 125},
    "model": {
        "with a name alone": {"name": "x" * 256},
        "of the family itself": {"name": "x", "type": "c2pa.types.model"},
        "with more": {"name": "x", "weights": 7},
    },
    "shares": {
        "of 32": [{"key": sha256(bytes([n])), "parts": 1} for n in range(32)],
        "of 1000000 parts": [{"key": KEY, "parts": 1_000_000}],
        "with more": [{"key": KEY, "parts": 1, "role": "words"}],
    },
    "fingerprints": {
        "empty": {},
        "with more": {"phash": bytes(8)},
        "of 8 units": {"iscc": [unit(0x00)] * 8},
        "of 64 windows": {"windows": bytes(64 * 8)},
        "of 512 chunks": {"chunks": bytes(512 * 8)},
    },
    "price": {
        "of nothing": {**PRICE, "amount": 0},
        "with more": {**PRICE, "tax": "included"},
    },
    "parts": {"of 1000000": 1_000_000},
    "number": {"of 1000000": 1_000_000},
    "items": {},
    "proofs": {
        "without a signature": [SSH],
        "with a signature of 1024 bytes": [{**SSH, "signature": bytes(1024)}],
    },
    "in-manifest": {
        "without hashes": {**PLACE, "index": 0, "count": 1, "proof": b""},
        "of 63 hashes": {**PLACE, "proof": bytes(63 * 32)},
    },
}
UNSOUND: dict[str, dict[str, Any]] = {
    "source-type": {
        "that is a bare term": "digitalCapture",
        "that is not known": IPTC + "digitalCaptured",
        "of another vocabulary": "http://example.com/digitalCapture",
        "as bytes": b"digitalCapture",
    },
    "license": {
        "that is no expression": "all mine",
        "as bytes": b"MIT",
        "of 513 characters": "LicenseRef-" + "x" * 502,
    },
    "sources": {
        "of another relationship": [{**SOURCE, "relationship": "quotes"}],
        "of which one has another": [SOURCE, {**SOURCE, "relationship": "quotes"}],
    },
    "media-type": {
        "without a slash": "image",
        "of 128 characters": "a/" + "b" * 126,
        "with a parameter": "text/plain; charset=utf-8",
        "with a newline": "image/png\n",
    },
    "model": {
        "as text": "Midnight 2",
        "without a name": {"identifier": "x"},
        "with an empty name": {"name": ""},
        "with a name of 257": {"name": "x" * 257},
        "with an identifier of 513": {"name": "x", "identifier": "x" * 513},
        "of another family": {"name": "x", "type": "c2pa.types.models"},
        "with a type of 129": {"name": "x", "type": "c2pa.types.model." + "x" * 112},
    },
    "shares": {
        "empty": [],
        "that are no array": {"key": KEY, "parts": 1},
        "of 33": [{"key": sha256(bytes([n])), "parts": 1} for n in range(33)],
        "of a key twice": [{"key": KEY, "parts": 1}, {"key": KEY, "parts": 2}],
        "of no parts": [{"key": KEY, "parts": 0}],
        "of 1000001 parts": [{"key": KEY, "parts": 1_000_001}],
        "without a key": [{"parts": 1}],
        "without parts": [{"key": KEY}],
        "of which one is no key": [{"key": KEY, "parts": 1}, {"key": b"", "parts": 1}],
        "as keys": [KEY],
    },
    "fingerprints": {
        "as an array": [unit(0x00)],
        "of 9 units": {"iscc": [unit(0x00)] * 9, "windows": bytes(8)},
        "of no units": {"iscc": []},
        "of a unit of 64 bits": {"iscc": [unit(0x00, 0x01, 8), unit(0x00)]},
        "of a unit that says 64 bits": {"iscc": [unit(0x00, 0x01)]},
        "of a unit of another version": {"iscc": [unit(0x00, 0x17)]},
        "of a whole ISCC": {"iscc": [unit(0x50)]},
        "of a unit without ISCC:": {"iscc": [unit(0x00)[5:]]},
        "of a unit in small letters": {"iscc": [unit(0x00).lower()]},
        "of a unit with loose bits": {"iscc": [unit(0x00)[:-1] + "B"]},
        "of 7 bytes": {"windows": bytes(7)},
        "of no bytes": {"chunks": b""},
        "of 65 windows": {"windows": bytes(65 * 8), "chunks": bytes(8)},
        "of 513 chunks": {"chunks": bytes(513 * 8)},
        "of windows in an array": {"windows": [bytes(8)]},
    },
    "successor": {"that is the key itself": KEY},
    "types": {
        "that cannot be delegated": ["delegate"],
        "of which one cannot": ["work", "rotate", "profile"],
        "in capitals": ["Work"],
        "of 65 characters": ["x" * 65],
    },
    "price": {
        "as a number": 250,
        "without an amount": {"currency": "EUR", "per": "item"},
        "without a currency": {"amount": 250, "per": "item"},
        "per nothing": {"amount": 250, "currency": "EUR"},
        "in another spelling": {**PRICE, "currency": "eur"},
        "in words": {**PRICE, "currency": "euro"},
        "per piece": {**PRICE, "per": "piece"},
        "as text": {**PRICE, "amount": "250"},
    },
    "proofs": {
        "of another method": [{"method": "fax", "name": "x"}],
        "without a name": [{"method": "ssh"}],
        "of a name of 254": [{"method": "ssh", "name": "x" * 254}],
        "with an empty signature": [{**SSH, "signature": b""}],
        "with a signature of 1025 bytes": [{**SSH, "signature": bytes(1025)}],
        "with a signature as text": [{**SSH, "signature": "signed"}],
    },
    "evidence": {"of which one is a digest": [multihash("letter"), bytes(32)]},
    "items": {
        "as an array": [],
        "of another word": {"human": 2, "martian": 1},
        "with a count as text": {"human": "2", "other": 1},
    },
    "in-manifest": {
        "as bytes": bytes(34),
        "without a manifest": {k: v for k, v in PLACE.items() if k != "manifest"},
        "without an index": {k: v for k, v in PLACE.items() if k != "index"},
        "without a count": {k: v for k, v in PLACE.items() if k != "count"},
        "without a proof": {k: v for k, v in PLACE.items() if k != "proof"},
        "of a digest": {**PLACE, "manifest": bytes(32)},
        "beyond its end": {**PLACE, "index": 3},
        "of none": {**PLACE, "index": 0, "count": 0},
        "of 2^63": {**PLACE, "count": 2**63},
        "with 33 bytes": {**PLACE, "proof": bytes(33)},
        "with 64 hashes": {**PLACE, "proof": bytes(64 * 32)},
        "with hashes in an array": {**PLACE, "proof": [bytes(32)]},
    },
}
