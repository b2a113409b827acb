"""Certificates for keys that have none: an anchor of this home, and a leaf per key.

Rule (docs/adr/0034-content-credentials.md): a manifest is signed with the author's own
Ed25519 key.  C2PA wants a certificate for it, so each home makes an anchor of its own,
which says of an author key no more than that it is that key.  Readers who trust the
anchor's holder add its certificate to theirs.  Of the files here only the anchor's key
is secret.  With anchor_tsa.py and x509_errors.py the only file that imports
cryptography.
"""

from __future__ import annotations

import hashlib
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from byline_ledger.did import did_key
from byline_ledger.errors import CorruptStoreError, MalformedError
from byline_ledger.store.durable import make_folder, read_small, write_durably
from byline_node.c2pa_engine import missing_extra

if TYPE_CHECKING:
    from collections.abc import Iterator

try:
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    from byline_node.x509_errors import BAD_BYTES
except ModuleNotFoundError:
    raise missing_extra() from None

ANCHOR_NAME = "Byline anchor"
ANCHOR_YEARS = 20
LEAF_YEARS = 10
RENEW_DAYS = 365
"""A certificate with less than that before it is made anew."""
BACK_DAYS = 1
"""How far back they begin: clocks of readers differ."""
MAX_FILE = 16_384
MAX_CERTIFICATE = 65_536


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a certificate names, in its own words, and what key it is of.

    `key` is SHA-256 of the SubjectPublicKeyInfo, 32 bytes; `author` the 32 bytes of an
    Ed25519 key, None for any other.
    """

    name: str
    key: bytes
    author: bytes | None


def anchor_certificate(folder: Path, now: int) -> str:
    """The anchor of this home in PEM, made if there is none; `now` in Unix ms."""
    return pem_of(anchor_of(folder, moment(now))[1])


def chain_for(folder: Path, author: bytes, now: int) -> str:
    """Certificates for an author key (32 bytes), leaf first, in PEM.

    Kept in the folder, and made anew when they have less than a year before them.
    """
    at = moment(now)
    key, anchor = anchor_of(folder, at)
    name = did_key(author)
    path = folder / f"{name.rpartition(':')[2]}.pem"
    with reading(path):
        data = read_small(path, MAX_FILE)
        kept = x509.load_pem_x509_certificate(data) if data else None
    if kept is None or not lasts(kept, at) or kept.issuer != anchor.subject:
        public = Ed25519PublicKey.from_public_bytes(author)
        end = min(at + timedelta(days=365 * LEAF_YEARS), anchor.not_valid_after_utc)
        kept = issue(named(name), public, anchor.subject, key, (at, end))
        write_durably(path, pem_of(kept).encode())
    return pem_of(kept) + pem_of(anchor)


def subject_of(der: bytes) -> Subject:
    """Whom a certificate names; MalformedError for bytes that are none."""
    if len(der) > MAX_CERTIFICATE:
        raise MalformedError(
            f"expected a certificate of at most {MAX_CERTIFICATE} bytes"
        )
    try:
        with warnings.catch_warnings():
            # Odd serial numbers are a stranger's business, not a line on the screen.
            warnings.simplefilter("ignore")
            found = x509.load_der_x509_certificate(der)
        public = found.public_key()
        info = public.public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        name = found.subject.rfc4514_string()
    except BAD_BYTES:
        raise MalformedError("expected an X.509 certificate") from None
    author = public.public_bytes_raw() if isinstance(public, Ed25519PublicKey) else None
    return Subject(name, hashlib.sha256(info).digest(), author)


def is_certificates(pem: bytes) -> bool:
    """Whether these are certificates in PEM, one at least."""
    try:
        return bool(x509.load_pem_x509_certificates(pem))
    except BAD_BYTES:
        return False


# Making


def anchor_of(folder: Path, at: datetime) -> tuple[Any, Any]:
    """Key and certificate of this home's anchor, made if there is none that lasts."""
    place, secret = folder / "anchor.pem", folder / "anchor.key"
    with reading(place):
        data, seed = read_small(place, MAX_FILE), read_small(secret, MAX_FILE)
        if data and seed:
            key: Any = serialization.load_pem_private_key(seed, None)
            found = x509.load_pem_x509_certificate(data)
            # A crash may have left the key of one and the certificate of another.
            if lasts(found, at) and found.public_key() == key.public_key():
                return key, found
    make_folder(folder)
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    # Two anchors are told apart by their name: readers look issuers up by it.
    public = key.public_key()
    name = named(f"{ANCHOR_NAME} {public.public_bytes_raw().hex()[:16]}")
    end = at + timedelta(days=365 * ANCHOR_YEARS)
    made = issue(name, public, name, key, (at, end))
    write_durably(secret, private)
    write_durably(place, pem_of(made).encode())
    return key, made


def issue(
    subject: Any, public: Any, issuer: Any, key: Any, term: tuple[datetime, datetime]
) -> Any:
    """A certificate with what C2PA asks for; a root where issuer and subject agree."""
    root = subject == issuer
    usage = x509.KeyUsage(
        digital_signature=not root,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=root,
        crl_sign=root,
        encipher_only=False,
        decipher_only=False,
    )
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(term[0] - timedelta(days=BACK_DAYS))
        .not_valid_after(term[1])
        .add_extension(x509.BasicConstraints(root, 0 if root else None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), False
        )
    )
    if not root:
        purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
        made = made.add_extension(purpose, critical=False)
    return made.sign(key, None)


def named(name: str) -> Any:
    """A distinguished name: older readers of C2PA refuse one without organization."""
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, name),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )


def lasts(certificate: Any, at: datetime) -> bool:
    """Whether it is valid then, and for a year after."""
    end = certificate.not_valid_after_utc - timedelta(days=RENEW_DAYS)
    return bool(certificate.not_valid_before_utc <= at < end)


def pem_of(certificate: Any) -> str:
    """One certificate in PEM."""
    made: bytes = certificate.public_bytes(serialization.Encoding.PEM)
    return made.decode("ascii")


def moment(now: int) -> datetime:
    """Unix milliseconds as certificates count."""
    return datetime.fromtimestamp(now // 1000, UTC)


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Errors over files of our own, which somebody must have changed."""
    try:
        yield
    except BAD_BYTES:
        raise CorruptStoreError(
            f"{path} is not what Byline wrote there",
            hint="move the folder away; a new anchor is made then",
        ) from None
