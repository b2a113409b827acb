"""A statement of every type that says all it can, for tests of what reads them."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from tests.support.signed import TIME, key

from byline_ledger import content
from byline_ledger.content import (
    Fingerprints,
    ForeignClaim,
    Model,
    NameProof,
    Price,
    Share,
)
from byline_ledger.digest import digest_bytes
from byline_ledger.statement import Source, Statement, sign_statement
from byline_ledger.vocabulary import IPTC_SCHEME

PHOTO, NEGATIVE = digest_bytes(b"a photo"), digest_bytes(b"its negative")
MANIFEST, TERMS = digest_bytes(b"manifest"), digest_bytes(b"terms")
ID, ROOT = bytes(range(32)), bytes([7]) * 32
ME, YOU, GROUP = key(1).public, key(2).public, key(3).public
UNIT = "ISCC:" + base64.b32encode(b"\x00\x07" + ROOT).decode().rstrip("=")
TRAINING = "cawg.ai_generative_training"
MODEL = Model("Midnight 2", "https://models.example/midnight", "c2pa.types.model.torch")

Make = Callable[..., content.Fields]


def make(maker: Make, **terms: Any) -> Statement:
    return sign_statement(maker(time=TIME, salt=bytes(16), **terms), key())


FULL: dict[str, tuple[Make, dict[str, Any]]] = {
    "work": (
        content.work_fields,
        {
            "about": PHOTO,
            "model": MODEL,
            "oversight": "prompt_guided",
            "shares": (Share(ME, 2), Share(YOU, 1)),
            "group": GROUP,
            "seal": ID,
            "seal_nonce": ROOT,
            "fingerprints": Fingerprints((UNIT,), (b"12345678",), (b"abcdefgh",) * 2),
        },
    ),
    "grant": (
        content.grant_fields,
        {
            "about": PHOTO,
            "grantee": YOU,
            "uses": ("cawg.ai_training", TRAINING),
            "from_": 5,
            "until": 6,
            "constraint_info": "name me",
            "request": ID,
        },
    ),
    "offer": (
        content.offer_fields,
        {
            "about": content.name_of_key(GROUP),
            "uses": {TRAINING: "constrained", "cawg.data_mining": "allowed"},
            "license": "CC-BY-4.0",
            "grantee": YOU,
            "from_": 5,
            "until": 6,
            "price": Price(250, "EUR", "item"),
            "terms": TERMS,
            "terms_url": "https://coop.example/terms",
            "contact": "hello@coop.example",
        },
    ),
    "request": (
        content.request_fields,
        {
            "about": MANIFEST,
            "uses": (TRAINING,),
            "purpose": "a model of barns",
            "until": 6,
            "offer": ID,
            "contact": "lab.example",
        },
    ),
    "profile": (
        content.profile_fields,
        {
            "key": ME,
            "name": "Ada",
            "links": ("https://ada.example",),
            "recovery": YOU,
            "proofs": (
                NameProof("dns-txt", "ada.example"),
                NameProof("ssh", "git.example/ada", b"SSHSIG"),
            ),
        },
    ),
    "rotate": (
        content.rotate_fields,
        {"key": ME, "successor": YOU, "reason": "routine"},
    ),
    "delegate": (
        content.delegate_fields,
        {
            "key": YOU,
            "types": ("work", "withdraw"),
            "from_": 5,
            "until": 6,
            "uses": (TRAINING,),
            "manifests": (MANIFEST,),
            "count": 7,
            "note": "the camera",
        },
    ),
    "admit": (
        content.admit_fields,
        {
            "member": YOU,
            "from_": 5,
            "until": 6,
            "terms": TERMS,
            "terms_url": "https://coop.example/terms",
            "parts": 3,
            "note": "welcome",
        },
    ),
    "leave": (content.leave_fields, {"group": GROUP, "note": "thanks"}),
    "collection": (
        content.collection_fields,
        {
            "manifest": MANIFEST,
            "count": 3,
            "size": 12,
            "root": ROOT,
            "title": "Barns",
            "description": "all of them",
            "version": "1.0",
            "license": "MIT",
            "url": "https://barns.example",
            "uses": (TRAINING,),
        },
    ),
    "label": (
        content.label_fields,
        {
            "manifest": MANIFEST,
            "label": TERMS,
            "use": TRAINING,
            "count": 3,
            "size": 12,
            "items": {"human": 2, "unattested": 1},
            "violations": 0,
            "disputed": 1,
            "withdrawn": 0,
            "origin": "log.example/1",
            "log_size": 9,
            "set_root": ROOT,
        },
    ),
    "settlement": (
        content.settlement_fields,
        {
            "manifest": MANIFEST,
            "group": GROUP,
            "use": TRAINING,
            "rows": TERMS,
            "members": 2,
            "items": 3,
            "root": ROOT,
        },
    ),
    "relay": (
        content.relay_fields,
        {
            "about": PHOTO,
            "format": "c2pa",
            "manifest": MANIFEST,
            "validation": "valid",
            "validator": "c2pa-python 0.1",
            "trust_list": TERMS,
            "checked": 5,
            "issuer": "Camera Ltd",
            "issuer_key": digest_bytes(b"spki"),
            "created": ForeignClaim(
                source_type=IPTC_SCHEME + "digitalCapture",
                title="Barn",
                license="MIT",
                uses={TRAINING: "constrained", "cawg.data_mining": "notAllowed"},
                constraints={TRAINING: "ask"},
                creators=("Ada",),
                actions=("c2pa.created",),
                model=MODEL,
                oversight="human_validated",
            ),
            "gathered": ForeignClaim(title="Barn"),
            "sources": (Source(NEGATIVE, "parentOf"),),
        },
    ),
}


def unsound(kind: str, **fields: Any) -> Any:
    """The content of a statement as a stranger may have written it: the full one, some
    fields of it replaced, or left out where the value is None."""
    maker, terms = FULL[kind]
    made = maker(time=TIME, salt=bytes(16), **terms)
    for name, value in fields.items():
        name = name.rstrip("_").replace("_", "-")
        made[name] = value
        if value is None:
            del made[name]
    return content.read_content(sign_statement(made, key()))
