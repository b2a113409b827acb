"""What an answer says about uses, in the words of others (docs/spec/projections.md).

aipref and robots.txt for crawlers, TDMRep for web sites, the CAWG assertion for Content
Credentials.  Rule: the statements are what counts; a projection loses what it cannot
say, never turns unknown into allowed, and names the version of whose words it uses.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from byline_ledger.errors import UsageError
from byline_ledger.use_word import ALLOWED, CONSTRAINED, NOT_ALLOWED
from byline_ledger.vocabulary import USES

VERSION: Final = "byline-projection/1"
AIPREF: Final = "draft-ietf-aipref-vocab-07 draft-ietf-aipref-attach-05"
TDMREP: Final = "TDMRep 1.0"
CAWG: Final = "CAWG Training and Data Mining 1.1"
VERSIONS: Final[Mapping[str, str]] = {
    "aipref": AIPREF,
    "robots": AIPREF,
    "tdmrep": TDMREP,
    "cawg": CAWG,
}
"""Name of a projection to whose words it speaks."""

MAX_ROBOTS = 500 * 1024
"""Bytes of a robots.txt that every crawler reads (RFC 9309)."""
MAX_PATH = 4_096

CAWG_LABEL: Final = "cawg.training-mining"
GENERATIVE: Final = "cawg.ai_generative_training"
MINING: Final = ("cawg.data_mining", "cawg.ai_training", GENERATIVE)
"""What the one number of TDMRep stands for."""
CARRIED: Final[Mapping[str, Sequence[str]]] = {
    "aipref": (GENERATIVE,),
    "robots": (GENERATIVE,),
    "tdmrep": MINING,
    "cawg": USES,
}
"""Name of a projection to the entries that it has words for."""

_ADDRESS = re.compile(r"https?://[!-~]+")
_PLAIN_BYTES = frozenset(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
)


@dataclass(frozen=True, slots=True)
class Saying:
    """What is said of one use: allowed, notAllowed or constrained, and how."""

    use: str
    text: str | None = None
    """Terms in words."""
    address: str | None = None
    """Where the terms are."""

    @property
    def word(self) -> str:
        """The use; conditions that nobody named ask no less than a no."""
        if self.use == CONSTRAINED and not (self.text or self.address):
            return NOT_ALLOWED
        return self.use


Sayings: TypeAlias = Mapping[str, Saying]
"""CAWG entry to what is said of it; an entry that is absent is unknown."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A work where a web site serves it: `path` as `url_path` makes it."""

    path: str
    sayings: Sayings


def url_path(names: Sequence[str]) -> str:
    """The path of folders and file; UsageError if it is too long or not text."""
    try:
        path = "".join(
            "/" + _encoded(name.encode("utf-8", "surrogateescape")) for name in names
        )
    except UnicodeEncodeError:
        raise UsageError(f"a name that is no text: {names[-1]!a}") from None
    if len(path) > MAX_PATH:
        raise UsageError(f"a path of more than {MAX_PATH} characters: {path[:80]}…")
    return path


def aipref(sayings: Sayings) -> str | None:
    """The value of `Content-Usage`; None if nothing is known that it could say."""
    saying = sayings.get(GENERATIVE)
    if saying is None:
        return None
    return f"train-ai={'y' if saying.word == ALLOWED else 'n'}"


def robots(works: Iterable[Placed]) -> str:
    """A group of robots.txt; empty if nothing is known of any work."""
    rules = [
        f"Content-Usage: {one.path}$ {value}\n"
        for one in in_order(works)
        if (value := aipref(one.sayings)) is not None
    ]
    if not rules:
        return ""
    text = "".join([f"# {VERSION} {AIPREF}\nUser-Agent: *\n", *rules])
    if len(text) > MAX_ROBOTS:
        raise UsageError(
            f"{len(rules):,} rules take {len(text):,} bytes, and crawlers need not read"
            f" more than {MAX_ROBOTS:,}",
            hint="send the header with each file instead: --format aipref",
        )
    return text


def tdmrep(works: Iterable[Placed]) -> list[dict[str, str | int]]:
    """The array of `/.well-known/tdmrep.json`."""
    found: list[dict[str, str | int]] = []
    for one in in_order(works):
        reservation, policy = _reservation(one.sayings)
        if reservation is None:
            continue
        location: dict[str, str | int] = {
            "location": one.path + "$",
            "tdm-reservation": reservation,
        }
        found.append(location | ({"tdm-policy": policy} if policy else {}))
    return found


def says_something(form: str, work: Placed) -> bool:
    """Whether the projection of that name has a word about the work."""
    if form == "tdmrep":
        return bool(tdmrep([work]))
    return any(use in work.sayings for use in CARRIED[form])


def cawg(sayings: Sayings) -> dict[str, object]:
    """The assertion, as JSON."""
    entries = {
        use: _entry(sayings[use])
        for use in sorted(USES)
        if sayings.get(use) is not None
    }
    return {"label": CAWG_LABEL, "data": {"entries": entries}}


def in_order(works: Iterable[Placed]) -> list[Placed]:
    """By their paths."""
    return sorted(works, key=lambda one: one.path.encode())


def _encoded(name: bytes) -> str:
    return "".join(chr(b) if b in _PLAIN_BYTES else f"%{b:02X}" for b in name)


def _reservation(sayings: Sayings) -> tuple[int | None, str | None]:
    """The number of TDMRep, None if it is unknown, and the address of the terms."""
    said = [sayings.get(use) for use in MINING]
    reserved = [one for one in said if one is not None and one.word != ALLOWED]
    if not reserved:
        return (None if None in said else 0), None
    addresses = {one.address if one.word == CONSTRAINED else None for one in reserved}
    address = addresses.pop()
    is_sound = not addresses and address is not None and is_address(address)
    return 1, address if is_sound else None


def is_address(text: str) -> bool:
    """Whether this may stand as the address of terms: a web address, without blanks."""
    return bool(_ADDRESS.fullmatch(text))


def _entry(saying: Saying) -> dict[str, str]:
    if saying.word != CONSTRAINED:
        return {"use": saying.word}
    info = " ".join(filter(None, (saying.text, saying.address)))
    return {"use": CONSTRAINED, "constraint_info": info}
