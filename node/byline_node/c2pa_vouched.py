"""What the signature of a C2PA manifest answers for, byte by byte.

Rule: a claim lists its assertions with their hashes, and an ingredient names the
manifest that it had with a hash over all of that.  A store in which anything else lies
could be somebody else's making under the signer's name.  Pure: bytes in, errors out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from byline_ledger.errors import MalformedError, VerificationError
from byline_node.c2pa_store import (
    SIGNATURE,
    Cbor,
    boxes,
    described,
    inner,
    label_of,
    read_cbor,
    superbox,
)

STORE = "c2pa"
CLAIMS = ("c2pa.claim.v2", "c2pa.claim")
ASSERTIONS = "c2pa.assertions"
LISTS = ("created_assertions", "gathered_assertions", "assertions")
INGREDIENT = "c2pa.ingredient"
NAMED = ("activeManifest", "c2pa_manifest")
"""Where an ingredient names the manifest that it had."""


def require_vouched(data: bytes, label: str) -> None:
    """VerificationError unless the manifest of that label answers, through what it
    lists and what its ingredients name, for everything in its store but the signatures'
    own unsigned headers."""
    store = inner(data, STORE)
    manifests = list(_superboxes(store))
    left = {hashlib.sha256(body).digest(): body for _, body in manifests}
    active = superbox(store, label)
    manifest = inner(store, label)
    claim = claim_of(manifest)
    _require_label(claim, label)
    _require_parts(manifest, claim)
    waiting = [left.pop(hashlib.sha256(active).digest())]
    count = len(waiting)
    while waiting:
        found = [left.pop(one) for one in _named_in(waiting.pop()) if one in left]
        waiting += found
        count += len(found)
    if count < len(manifests):
        raise VerificationError(
            "the manifest does not vouch for all that lies beside it",
            hint="a relay answers for any bytes: byline import --c2pa --deposit",
        )


def _require_parts(manifest: bytes, claim: bytes) -> None:
    """Claim, signature and assertions, once each; and of these the listed ones."""
    parts = [label for label, _ in _superboxes(manifest)]
    if len(set(parts)) < len(parts) or not set(parts) <= {
        *CLAIMS,
        ASSERTIONS,
        SIGNATURE,
    }:
        raise VerificationError("the manifest has parts that its signature is not over")
    said = [
        (label, hashlib.sha256(body).digest())
        for label, body in _superboxes(inner(manifest, ASSERTIONS))
    ]
    if sorted(said) != sorted(set(listed(claim))):
        raise VerificationError("the manifest's claim is over other assertions")


def _require_label(claim: bytes, label: str) -> None:
    """The label is not signed but as part of the way to the signature."""
    said = read_cbor(claim)
    way = said.get("signature") if isinstance(said, dict) else None
    if way != f"self#jumbf=/{STORE}/{label}/{SIGNATURE}":
        raise VerificationError("the manifest's claim was signed under another label")


def _superboxes(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Label and content of each of these boxes; MalformedError for any others."""
    for kind, body in boxes(data):
        label = label_of(described(body)) if kind == b"jumb" else None
        if label is None:
            raise MalformedError("C2PA manifest: expected boxes with labels alone")
        yield label, body


def _named_in(manifest: bytes) -> Iterator[bytes]:
    """The hashes of the manifests that the ingredients of one name."""
    body = manifest[8 + len(described(manifest)) :]
    for label, data in _superboxes(inner(body, ASSERTIONS)):
        said = read_cbor(cbor_in(data)) if label.startswith(INGREDIENT) else None
        for name in NAMED if isinstance(said, dict) else ():
            row = said.get(name) if isinstance(said, dict) else None
            hash_ = row.get("hash") if isinstance(row, dict) else None
            if isinstance(hash_, bytes):
                yield hash_


def assertion(manifest: bytes, label: str) -> Cbor:
    """The data of an assertion."""
    return read_cbor(cbor_in(superbox(inner(manifest, ASSERTIONS), label)))


def listed(claim: bytes) -> Iterator[tuple[str, bytes]]:
    """Label and hash of the assertions that a claim lists."""
    said = read_cbor(claim)
    for name in LISTS:
        rows = said.get(name) if isinstance(said, dict) else None
        for row in rows if isinstance(rows, list) else []:
            if isinstance(row, dict) and isinstance(row.get("hash"), bytes):
                url, hash_ = row.get("url"), row["hash"]
                if isinstance(url, str) and isinstance(hash_, bytes):
                    yield url.rpartition("/")[2], hash_


def claim_of(manifest: bytes) -> bytes:
    """The claim's bytes, of either version."""
    for label in CLAIMS:
        try:
            return cbor_in(inner(manifest, label))
        except MalformedError:
            continue
    raise MalformedError("C2PA manifest: expected a claim in CBOR")


def cbor_in(body: bytes) -> bytes:
    """The content of a superbox of CBOR."""
    for kind, data in boxes(body):
        if kind == b"cbor":
            return data
    raise MalformedError("C2PA manifest: expected CBOR")
