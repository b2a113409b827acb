"""Manifests that are left with a node: what they must be before it keeps them.

Rule (docs/spec/content-credentials.md, "Left with a node"): a node keeps what somebody
has answered for in its log.  That is a manifest that carries a statement of the log and
is signed with that statement's key; or one whose digest a `relay` of the log names.
Pure, and without the engine: a node needs no extra to serve others.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass

from byline_ledger.content import read_relay
from byline_ledger.crypto import verify_signature
from byline_ledger.digest import digest_bytes
from byline_ledger.errors import (
    BadSignatureError,
    MalformedError,
    NotFoundError,
    VerificationError,
)
from byline_ledger.statement import Statement
from byline_node.c2pa_manifest import ATTESTATION, read_attestation
from byline_node.c2pa_store import (
    SIGNATURE,
    Cbor,
    box,
    boxes,
    described,
    inner,
    label_of,
    leaf_of,
    read_cbor,
    superbox,
)
from byline_node.c2pa_vouched import (
    STORE,
    assertion,
    cbor_in,
    claim_of,
    require_vouched,
)

MAX_DEPOSIT = 2 << 20
"""Bytes of a manifest store that is left with a node."""
MAX_NAME = 128
LABEL = re.compile(rf"[A-Za-z0-9:_.+-]{{1,{MAX_NAME}}}")
ED25519_INFO = bytes.fromhex("302a300506032b6570032100")
"""How the SubjectPublicKeyInfo of an Ed25519 key begins (RFC 8410); 32 bytes follow."""

FindStatement = Callable[[bytes], Statement]
"""The statement of an id, 32 bytes; NotFoundError if the log does not hold it."""


@dataclass(frozen=True, slots=True)
class Deposit:
    """A manifest store that may be kept: the label of its active manifest, and the
    statement that answers for it."""

    label: str
    statement: Statement
    data: bytes


def read_deposit(data: bytes, find: FindStatement, relay: bytes | None) -> Deposit:
    """A store that a node may keep; `relay` is the id of the `relay` that names it.

    MalformedError, VerificationError, or NotFoundError where its statement is not in
    the log.
    """
    label = active_label(data)
    if relay is None:
        return Deposit(label, find_carried(data, label, find), data)
    statement = find(relay)
    named = read_relay(statement).manifest if statement.type == "relay" else None
    if named != digest_bytes(data):
        raise VerificationError("the statement is no relay of this manifest")
    return Deposit(label, statement, data)


def find_carried(data: bytes, label: str, find: FindStatement) -> Statement:
    """The statement that a manifest carries, if its key signed the manifest too."""
    manifest = inner(inner(data, STORE), label)
    claim = claim_of(manifest)
    require_vouched(data, label)
    signed = cbor_in(inner(manifest, SIGNATURE))
    carried = read_attestation(assertion(manifest, ATTESTATION))
    author = carried.statement.author
    if ED25519_INFO + author not in leaf_of(read_cbor(signed)):
        raise VerificationError("another key than its author's signed the manifest")
    require_signature(read_cbor(signed), claim, author)
    found = find(carried.statement.id)
    if found.type != "work":
        raise NotFoundError("expected a manifest about a work")
    return found


def require_signature(signed: Cbor, claim: bytes, author: bytes) -> None:
    """COSE_Sign1 with Ed25519 over the claim's bytes (RFC 9052, 4.4).

    Whatever else a certificate holds, only the holder of the key can have made it.
    """
    assert isinstance(signed, list)
    protected, signature = signed[0], signed[3]
    if not isinstance(protected, bytes) or not isinstance(signature, bytes):
        raise MalformedError("C2PA signature: expected a COSE_Sign1")
    message = b"\x84\x6aSignature1" + byte_string(protected) + b"\x40"
    try:
        verify_signature(author, message + byte_string(claim), signature)
    except BadSignatureError:
        raise BadSignatureError("the manifest's signature does not verify") from None


def byte_string(data: bytes) -> bytes:
    """A CBOR byte string in its shortest form."""
    for bits, head in ((8, 0x58), (16, 0x59), (32, 0x5A)):
        if len(data) < 24:
            return bytes([0x40 | len(data)]) + data
        if len(data) < 1 << bits:
            return bytes([head]) + len(data).to_bytes(bits // 8, "big") + data
    raise MalformedError("C2PA signature: too much in it")


def active_label(data: bytes) -> str:
    """The label of a store's active manifest: the last one."""
    if len(data) > MAX_DEPOSIT:
        raise MalformedError(f"expected a C2PA manifest of at most {MAX_DEPOSIT} bytes")
    if [kind for kind, _ in boxes(data)] != [b"jumb"]:
        raise MalformedError("expected the bytes of one C2PA manifest store")
    label = None
    for kind, body in boxes(inner(data, STORE)):
        if kind == b"jumb":
            label = label_of(described(body))
    if label is None or not LABEL.fullmatch(label):
        raise MalformedError("C2PA manifest: expected a label like urn:c2pa:UUID")
    return label


def alone(data: bytes, label: str) -> bytes:
    """A store with the manifest of that label and no other."""
    store = superbox(data, STORE)
    kept = box(b"jumd", described(store)) + box(
        b"jumb", superbox(inner(data, STORE), label)
    )
    return box(b"jumb", kept)


def unit_codes(text: str) -> dict[bytes, bytes]:
    """ISCC units of 256 bits in the value of a soft binding: header of 2 bytes to body
    of 32, of several of one kind the first.

    Read is base64 in any of its dresses: standard or for URLs, padded or not, with
    blanks where a form put them for plus signs.  Units of other lengths are passed
    over; MalformedError for what is no sequence of units, or has none of 256 bits.
    """
    plain = text.strip().replace(" ", "+").replace("-", "+").replace("_", "/")
    plain = plain.rstrip("=")
    if len(plain) > MAX_VALUE:
        raise MalformedError(f"value: expected at most {MAX_VALUE} characters")
    try:
        data = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except ValueError:
        raise MalformedError("value: expected ISCC units in base64") from None
    found: dict[bytes, bytes] = {}
    at = 0
    while at < len(data):
        head = data[at : at + 2]
        size = unit_size(head)
        body = data[at + 2 : at + 2 + size]
        if size == 0 or len(body) != size:
            raise MalformedError("value: expected ISCC units of version 0")
        if size == UNIT_BODY:
            found.setdefault(head, body)
        at += 2 + size
    if not found:
        raise MalformedError("value: expected an ISCC unit of 256 bits")
    return found


MAX_VALUE = 4096
"""Characters of a soft binding's value: some 80 units."""
UNIT_BODY = 32
LAST_UNIT = 4
"""Main types up to this are units; those above are compound codes and ids."""


def unit_size(head: bytes) -> int:
    """Bytes of the body of a unit with this header; 0 if it is none."""
    if len(head) != 2 or head[0] >> 4 > LAST_UNIT or head[0] & 8 or head[1] > 7:
        return 0  # a longer header, another version, or no unit
    return 4 * (head[1] + 1)
