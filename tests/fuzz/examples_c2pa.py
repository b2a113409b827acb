"""Valid inputs for the readers of Content Credentials, small and made by hand."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.fuzz.readers import C2PA_WORK
from tests.support.credentials import NOW
from tests.support.memory_log import MemoryLog
from tests.support.signed import key, work

from byline_node.c2pa_certificates import chain_for
from byline_node.c2pa_deposit import ED25519_INFO, byte_string
from byline_node.c2pa_manifest import ATTESTATION, Attested, attestation
from byline_node.c2pa_store import box

LABEL = "urn:c2pa:one"


def named(label: str, *inner: bytes) -> bytes:
    """A superbox with its description."""
    described = bytes(16) + b"\x03" + label.encode() + b"\0"
    return box(b"jumb", box(b"jumd", described) + b"".join(inner))


def certificate() -> bytes:
    """A leaf of ours, DER."""
    with TemporaryDirectory() as folder:
        pem = chain_for(Path(folder), key().public, NOW)
    return b64decode(pem.split("-----")[2])


def signature(leaf: bytes, *, named_by_text: bool = False) -> bytes:
    """A COSE_Sign1 with a chain of one."""
    name = b"\x67x5chain" if named_by_text else b"\x18\x21"
    chain = name + b"\x81\x59" + len(leaf).to_bytes(2, "big") + leaf
    protected = b"\xa2\x01\x27" + chain
    size = len(protected).to_bytes(2, "big")
    if named_by_text:
        return b"\xd2\x84\x40\xa1" + chain + b"\xf6\x40"
    return b"\xd2\x84\x59" + size + protected + b"\xa0\xf6\x40"


def store(leaf: bytes) -> bytes:
    """A manifest store with one manifest."""
    signed = named("c2pa.signature", box(b"cbor", signature(leaf)))
    return named("c2pa", named(LABEL, named("c2pa.claim.v2"), signed))


def head(kind: int, size: int) -> bytes:
    """The head of a CBOR value."""
    if size < 24:
        return bytes([kind << 5 | size])
    return bytes([kind << 5 | 25]) + size.to_bytes(2, "big")


def cbor(value: object) -> bytes:
    """As much CBOR as is needed here."""
    if isinstance(value, int):
        return head(0, value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value)) + value.encode()
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(map(cbor, value))
    assert isinstance(value, dict)
    pairs = (cbor(name) + cbor(one) for name, one in value.items())
    return head(5, len(value)) + b"".join(pairs)


def deposit(*ingredients: bytes) -> bytes:
    """A manifest that a node keeps: signed, with a statement that the log holds, and
    with the manifests of its ingredients."""
    log = MemoryLog(1)
    carried = attestation(Attested(C2PA_WORK, log.vkey, 1, b"bundle"))
    assertions = {ATTESTATION: named(ATTESTATION, box(b"cbor", cbor(carried)))}
    for number, one in enumerate(ingredients, 1):
        label = f"c2pa.ingredient.v3__{number}"
        said = {"activeManifest": {"url": "x", "hash": sha256(one[8:]).digest()}}
        assertions[label] = named(label, box(b"cbor", cbor(said)))
    links = [
        {"url": f"x/{label}", "hash": sha256(one[8:]).digest()}
        for label, one in assertions.items()
    ]
    way = f"self#jumbf=/c2pa/{LABEL}/c2pa.signature"
    claim = cbor({"signature": way, "gathered_assertions": links})
    leaf = ED25519_INFO + key().public
    protected = b"\xa2\x01\x27\x18\x21" + cbor(leaf)
    message = b"\x84\x6aSignature1" + byte_string(protected) + b"\x40"
    signature = key().sign(message + byte_string(claim))
    signed = b"\xd2\x84" + cbor(protected) + b"\xa0\xf6" + cbor(signature)
    return named(
        "c2pa",
        *ingredients,
        named(
            LABEL,
            named("c2pa.assertions", *assertions.values()),
            named("c2pa.claim.v2", box(b"cbor", claim)),
            named("c2pa.signature", box(b"cbor", signed)),
        ),
    )


CLAIM = {
    "manifests": {
        LABEL: {
            "claim": {
                "dc:title": "t",
                "created_assertions": [
                    {"url": "self#jumbf=c2pa.assertions/c2pa.actions"}
                ],
                "gathered_assertions": [
                    {"url": f"self#jumbf=c2pa.assertions/{label}"}
                    for label in (
                        "c2pa.training-mining",
                        "cawg.metadata",
                        "c2pa.ai-disclosure",
                        "c2pa.ingredient.v3",
                        "c2pa.ingredient.v3__1",
                    )
                ],
            },
            "assertion_store": {
                "c2pa.actions": {
                    "actions": [
                        {
                            "action": "c2pa.created",
                            "digitalSourceType": "http://cv.iptc.org/newscodes/"
                            "digitalsourcetype/digitalCapture",
                        }
                    ]
                },
                "c2pa.training-mining": {
                    "entries": {"c2pa.ai_training": {"use": "allowed"}}
                },
                "cawg.metadata": {
                    "dc:creator": ["a"],
                    "dc:rights": {"x-default": "MIT"},
                },
                "c2pa.ai-disclosure": {
                    "modelName": "m",
                    "contentProfile": {"humanOversightLevel": "prompt_guided"},
                },
                "c2pa.ingredient.v3": {
                    "relationship": "inputTo",
                    "instanceID": f"sha256:{'ab' * 32}",
                },
                "c2pa.ingredient.v3__1": {
                    "relationship": "parentOf",
                    "activeManifest": {"url": f"x/{LABEL}", "hash": "A" * 43 + "="},
                },
            },
        }
    }
}


def c2pa_examples() -> dict[str, list[bytes]]:
    """Target name to its examples."""
    leaf, log = certificate(), MemoryLog(1)
    one = work("a")
    whole = Attested(one, log.vkey, 1, b"bundle")
    place = Attested(one, log.vkey, 1, b"", (bytes(32),), log.checkpoint)
    return {
        "c2pa-store": [store(leaf)],
        "c2pa-signature": [signature(leaf), signature(leaf, named_by_text=True)],
        "x509-subject": [leaf],
        "c2pa-deposit": [
            deposit(),
            deposit(named("urn:c2pa:two", named("c2pa.assertions"))),
        ],
        "binding-question": [
            b'{"alg":"io.iscc.v0","value":"IQc"}',
            b'{"alg":1,"value":"IQc"}',
        ],
        "soft-binding": [
            b64encode(b"\x21\x07" + bytes(32)),
            b64encode(b"\x20\x00" + bytes(4) + b"\x30\x07" + bytes(32)),
        ],
        "c2pa-attestation": [
            json.dumps(attestation(each)).encode() for each in (whole, place)
        ],
        "c2pa-claim": [json.dumps(CLAIM).encode(), b"{}"],
    }
