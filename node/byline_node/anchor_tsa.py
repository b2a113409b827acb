"""Time-stamps of an RFC 3161 authority, over rfc3161-client: the extra `anchor`.

Rule: a response counts if its chain leads to a root that the reader gave, at the time
that it states, and its imprint is that of exactly these bytes.  The only file that
imports rfc3161_client and cryptography.  Specification: docs/spec/anchor.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil
from typing import Any

from byline_ledger.errors import MalformedError, UsageError, VerificationError
from byline_node.anchors import MAX_ANCHOR, missing_extra

try:
    import rfc3161_client
    from cryptography import x509
    from rfc3161_client.base import HashAlgorithm
    from rfc3161_client.errors import VerificationError as EngineError

    from byline_node.x509_errors import BAD_BYTES
except ModuleNotFoundError:
    raise missing_extra() from None

QUESTION_TYPE = "application/timestamp-query"
MAX_CERTIFICATES = 16
MAX_WORDS = 200


@dataclass(frozen=True, slots=True)
class Question:
    """A request in DER, with what its answer must repeat."""

    data: bytes
    imprint: bytes
    nonce: int


def question_about(note: bytes) -> Question:
    """Asks for a time-stamp of SHA-256 of these bytes, with certificates."""
    made = rfc3161_client.TimestampRequestBuilder(note, HashAlgorithm.SHA256).build()
    return Question(made.as_bytes(), made.message_imprint.message, made.nonce)


def require_answer(data: bytes, question: Question) -> None:
    """The response grants a time-stamp for this very question.

    Its signature is not looked at.  Raises MalformedError or VerificationError.
    """
    response = parse(data)
    with engine_errors():
        if response.status != 0:
            said = "; ".join(response.status_string)
            raise VerificationError(
                f"the authority refuses: status {response.status} {words(said)}"
            )
        stamped = response.tst_info
        imprint, nonce = stamped.message_imprint.message, stamped.nonce
    if (imprint, nonce) != (question.imprint, question.nonce):
        raise VerificationError("the authority answered another question")


def verify(data: bytes, note: bytes, certificates: bytes) -> tuple[int, str]:
    """Unix seconds and name of the authority of a time-stamp of these bytes."""
    response = parse(data)
    roots, others = trusted(certificates)
    with engine_errors():
        verifier = rfc3161_client.VerifierBuilder(roots=roots, intermediates=others)
        verifier.build().verify_message(response, note)
        return time_of(response.tst_info), name_of(response, [*roots, *others])


def parse(data: bytes) -> Any:
    """The engine's response object, or MalformedError."""
    if len(data) > MAX_ANCHOR:
        raise MalformedError(
            f"expected a time-stamp response of at most {MAX_ANCHOR} bytes"
        )
    with engine_errors():
        return rfc3161_client.decode_timestamp_response(data)


def trusted(pem: bytes) -> tuple[list[Any], list[Any]]:
    """The roots among the reader's certificates, and the others."""
    if not pem:
        raise UsageError(
            "a time-stamp is believed on the word of an authority that you name",
            hint="give the certificate of its root: --tsa-cert FILE.pem",
        )
    try:
        found = x509.load_pem_x509_certificates(pem)
        roots = [one for one in found if one.issuer == one.subject]
    except BAD_BYTES:
        raise MalformedError("expected certificates in PEM") from None
    if not roots or len(found) > MAX_CERTIFICATES:
        raise UsageError(
            f"expected up to {MAX_CERTIFICATES} certificates with a root among them"
        )
    return roots, [one for one in found if one not in roots]


def time_of(stamped: Any) -> int:
    """The latest second that the authority's time and its accuracy leave open."""
    time: int = ceil(stamped.gen_time.timestamp())
    accuracy = stamped.accuracy
    if accuracy is not None:
        time += accuracy.seconds or 0
        time += 1 if accuracy.millis or accuracy.micros else 0
    return time


def name_of(response: Any, known: list[Any]) -> str:
    """The subject of the certificate that signed, as the signature names it."""
    signer = next(iter(response.signed_data.signer_infos))
    sent = map(x509.load_der_x509_certificate, response.signed_data.certificates)
    for one in (*sent, *known):
        if (one.issuer, one.serial_number) == (signer.issuer, signer.serial_number):
            return words(one.subject.rfc4514_string())
    raise VerificationError("the certificate of the signature is not at hand")


@contextmanager
def engine_errors() -> Iterator[None]:
    """Errors of the engine as ours, in one line."""
    try:
        yield
    except EngineError as error:
        raise VerificationError(f"the time-stamp: {words(str(error))}") from None
    except BAD_BYTES as error:
        raise MalformedError(
            f"expected an RFC 3161 time-stamp response: {words(str(error))}"
        ) from None


def words(text: str) -> str:
    """A stranger's text in one line, and not too long."""
    line = " ".join(text.split())[:MAX_WORDS]
    return "".join(c if c.isprintable() else "?" for c in line)
