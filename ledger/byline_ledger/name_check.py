"""Whether a name points back at a key, without any I/O: what to ask, what it says.

A check is a generator: it yields a question (a URL or a TXT name), is sent what came of
it, and returns its finding.  Rule: docs/spec/names.md; the direction from the key to
the name is the caller's, who read the profile.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator
from dataclasses import dataclass
from typing import Final, TypeAlias

from byline_ledger.did import did_key
from byline_ledger.did_document import (
    DidDocument,
    did_in_file,
    dids_in_txt,
    keys_in_domain_file,
    keys_in_txt,
    ssh_keys,
)
from byline_ledger.errors import MalformedError, VerificationError
from byline_ledger.name_proofs import (
    NameProof,
    did_document_url,
    did_web_url,
    is_name,
    key_file_url,
)
from byline_ledger.sshsig import SshSignature

CONFIRMED: Final = "confirmed"
REFUTED: Final = "refuted"
UNREACHABLE: Final = "unreachable"
OUTCOMES: Final = (CONFIRMED, REFUTED, UNREACHABLE)

MAX_KEPT: Final = 16_384
"""Bytes of a thing fetched that are kept as evidence."""
MAX_REASON: Final = 500
MAX_STEPS: Final = 3


@dataclass(frozen=True, slots=True)
class Question:
    """One thing to fetch: the `url`, or if there is none the TXT records of `txt`."""

    url: str = ""
    txt: str = ""

    def __str__(self) -> str:
        return self.url or f"TXT {self.txt}"


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came of a question.

    `data` are the bytes of a file, or TXT records with a line's end after each; None if
    there is no such thing (status 404, no records).  `failed` says why nothing is
    known, and is empty otherwise.  `via` is an address that the reader named.
    """

    data: bytes | None = None
    failed: str = ""
    via: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """What was fetched on the way, as evidence."""

    asked: str
    size: int
    digest: bytes
    """SHA-256, 32 bytes."""
    data: bytes
    """What came, if it is at most MAX_KEPT bytes; else nothing."""
    via: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of a check: one of OUTCOMES, one line of reason, and the evidence."""

    outcome: str
    reason: str
    steps: tuple[Step, ...] = ()


Check: TypeAlias = Generator[Question, Fetched, Finding]


class _NothingThereError(Exception):
    """Ends a check early, as its finding."""

    def __init__(self, outcome: str, reason: str) -> None:
        super().__init__(reason)
        self.outcome = outcome


def check_name(proof: NameProof, key: bytes) -> Check:
    """Whether the name names the key (32 bytes)."""
    steps: list[Step] = []
    try:
        if not is_name(proof.method, proof.name):
            raise _NothingThereError(REFUTED, "it is no name that can be looked up")
        reason = yield from _METHODS[proof.method](proof, key, steps)
        outcome = CONFIRMED
    except _NothingThereError as end:
        outcome, reason = end.outcome, str(end)
    except (MalformedError, VerificationError) as error:
        outcome, reason = REFUTED, str(error)
    return Finding(outcome, reason[:MAX_REASON], tuple(steps))


_Looking: TypeAlias = Generator[Question, Fetched, str]


def _domain_file(proof: NameProof, key: bytes, steps: list[Step]) -> _Looking:
    url = f"https://{proof.name}/.well-known/byline.json"
    data = yield from _ask(Question(url=url), steps)
    return _named(key, keys_in_domain_file(data), url)


def _dns_txt(proof: NameProof, key: bytes, steps: list[Step]) -> _Looking:
    question = Question(txt=f"_byline.{proof.name}")
    data = yield from _ask(question, steps)
    return _named(key, keys_in_txt(_records(data)), str(question))


def _did_web(proof: NameProof, key: bytes, steps: list[Step]) -> _Looking:
    url = did_web_url(proof.name)
    assert url is not None
    document = yield from _document(proof.name, url, steps)
    return _named(key, document.keys, url)


def _atproto(proof: NameProof, key: bytes, steps: list[Step]) -> _Looking:
    did = yield from _did_of_handle(proof.name, steps)
    url = did_document_url(did)
    if url is None:
        raise _NothingThereError(
            REFUTED, f"the handle's DID is of a kind that is not read: {did[:80]!a}"
        )
    document = yield from _document(did, url, steps)
    if document.handle != proof.name:
        raise _NothingThereError(
            REFUTED, f"{did} names another handle first: {(document.handle or '')!a}"
        )
    return _named(key, document.keys, url)


def _did_of_handle(handle: str, steps: list[Step]) -> _Looking:
    question = Question(txt=f"_atproto.{handle}")
    fetched = yield question
    found = dids_in_txt(_records(fetched.data or b""))
    if len(found) > 1:
        raise _NothingThereError(REFUTED, f"{question} names several DIDs")
    if found:
        _keep(question, fetched, steps)
        return found[0]
    file = Question(url=f"https://{handle}/.well-known/atproto-did")
    try:
        data = yield from _ask(file, steps)
    except _NothingThereError as end:
        # Where the DNS could not be asked, it may be there that the DID is.
        outcome = UNREACHABLE if fetched.failed else end.outcome
        raise _NothingThereError(outcome, fetched.failed or str(end)) from None
    return did_in_file(data)


def _ssh(proof: NameProof, key: bytes, steps: list[Step]) -> _Looking:
    signature = SshSignature.from_bytes(proof.signature)
    signature.verify_for(key)
    url = key_file_url(proof.name)
    data = yield from _ask(Question(url=url), steps)
    if signature.public not in ssh_keys(data):
        raise _NothingThereError(REFUTED, f"{url} lacks the SSH key that signed")
    return f"the SSH key that signed is in {url}"


_METHODS: Final = {
    "domain-file": _domain_file,
    "dns-txt": _dns_txt,
    "did-web": _did_web,
    "atproto": _atproto,
    "ssh": _ssh,
}


def _ask(question: Question, steps: list[Step]) -> Generator[Question, Fetched, bytes]:
    """The bytes of what is there; ends the check where nothing is, or is known."""
    fetched = yield question
    if fetched.failed:
        raise _NothingThereError(UNREACHABLE, fetched.failed)
    if fetched.data is None:
        raise _NothingThereError(REFUTED, f"there is no {question}")
    _keep(question, fetched, steps)
    return fetched.data


def _keep(question: Question, fetched: Fetched, steps: list[Step]) -> None:
    data = fetched.data or b""
    digest = hashlib.sha256(data).digest()
    kept = data if len(data) <= MAX_KEPT else b""
    steps.append(Step(str(question), len(data), digest, kept, fetched.via))


def _records(data: bytes) -> list[str]:
    """The TXT records; what is not ASCII is none of ours."""
    return data.decode("ascii", "replace").split("\n")


def _document(
    did: str, url: str, steps: list[Step]
) -> Generator[Question, Fetched, DidDocument]:
    data = yield from _ask(Question(url=url), steps)
    document = DidDocument.from_bytes(data)
    if document.id != did:
        raise _NothingThereError(
            REFUTED, f"{url} is the document of another DID: {document.id[:80]!a}"
        )
    return document


def _named(key: bytes, found: tuple[bytes, ...] | frozenset[bytes], where: str) -> str:
    if key in found:
        return f"{where} names the key"
    others = f"{len(found)} other keys" if found else "no key"
    raise _NothingThereError(REFUTED, f"{where} names {others}, not {did_key(key)}")
