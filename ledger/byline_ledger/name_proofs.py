"""The names that a key may prove, and the place where each proof is looked for.

Rule (docs/spec/names.md, "What names may look like"): a name has one form for each
method, is ASCII, and points to the world outside: what has another form is never looked
up.  Nothing here fetches.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from byline_ledger.errors import UsageError
from byline_ledger.vocabulary import NAME_METHODS, check_word

MAX_NAME: Final = 253
MAX_SIGNATURE: Final = 1024
"""Bytes of the SSHSIG of an `ssh` proof."""
MAX_PORT: Final = 65_535
HTTPS_PORT: Final = 443

NEVER_FETCHED: Final = frozenset(
    {"alt", "arpa", "internal", "invalid", "local", "localhost", "onion"}
)
"""Last labels of names that belong to one network, or to no place at all."""

DID_WEB: Final = "did:web:"
DID_PLC: Final = "did:plc:"
PLC_DIRECTORY: Final = "https://plc.directory/"

_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_PORT = re.compile(r"[1-9][0-9]{0,4}")
_SEGMENT = re.compile(r"[A-Za-z0-9._-]+")
_USER = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}")
_PLC = re.compile(re.escape(DID_PLC) + r"[a-z2-7]{24}")

FORMS: Final = {
    "domain-file": "a domain such as studio.example",
    "dns-txt": "a domain such as studio.example",
    "did-web": "did:web: and a domain, such as did:web:studio.example",
    "atproto": "a handle without @, such as alice.studio.example",
    "ssh": "a forge and a user, such as github.com/alice",
}


@dataclass(frozen=True, slots=True)
class NameProof:
    """That a key goes by a name which somebody administers, as its profile says."""

    method: str
    name: str
    signature: bytes = b""
    """For `ssh`: the SSHSIG, at most MAX_SIGNATURE bytes."""


def is_domain(text: str) -> bool:
    """Whether this is a domain of the world outside, in the one form it has here."""
    labels = text.split(".")
    return (
        len(text) <= MAX_NAME
        and len(labels) >= 2
        and all(map(_LABEL.fullmatch, labels))
        and not labels[-1].isdigit()
        and labels[-1] not in NEVER_FETCHED
    )


def is_name(method: str, name: str) -> bool:
    """Whether a name has the form of its method; False for an unknown method."""
    if method in ("domain-file", "dns-txt", "atproto"):
        return is_domain(name)
    if method == "did-web":
        return len(name) <= MAX_NAME and did_web_url(name) is not None
    if method == "ssh":
        domain, _, user = name.partition("/")
        fits = len(name) <= MAX_NAME and bool(_USER.fullmatch(user))
        return fits and is_domain(domain)
    return False


def require_name(method: str, name: str) -> None:
    """Raises UsageError for a method or name that no checker would look at."""
    check_word("method", method, NAME_METHODS)
    if not is_name(method, name):
        raise UsageError(
            f"{method}: expected {FORMS[method]}, got {name[:80]!a}",
            hint="in lower case; names beyond ASCII in their xn-- form",
        )


def did_web_url(did: str) -> str | None:
    """Where the document of a `did:web` is; None if it is none that is looked up."""
    parts = did.removeprefix(DID_WEB).split(":")
    domain, colon, port = parts[0].partition("%3A")
    if not did.startswith(DID_WEB) or not is_domain(domain):
        return None
    if colon and not (_PORT.fullmatch(port) and int(port) <= MAX_PORT):
        return None
    path = parts[1:]
    if not all(_SEGMENT.fullmatch(one) and one.strip(".") for one in path):
        return None
    place = f"https://{domain}" + (f":{port}" if colon else "")
    return f"{place}/{'/'.join(path) or '.well-known'}/did.json"


def did_document_url(did: str) -> str | None:
    """Where the document of an account's DID is: did:plc, or did:web of a domain."""
    if _PLC.fullmatch(did):
        return PLC_DIRECTORY + did
    return did_web_url(did) if is_domain(did.removeprefix(DID_WEB)) else None


def key_file_url(name: str) -> str:
    """Where a forge publishes the SSH keys of a user: `name` is DOMAIN/USER."""
    return f"https://{name}.keys"
