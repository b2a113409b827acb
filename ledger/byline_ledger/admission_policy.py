"""An admission policy: what its operator lets into a node's log.

Rule: a policy is what its settings say, no more; two with the same digest decide alike.
Specification: docs/spec/admission.md, "Settings".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from hashlib import sha256
from typing import Any, Self

from byline_ledger import codec
from byline_ledger.buckets import Rate
from byline_ledger.codec import Value
from byline_ledger.did import did_key, parse_did_key
from byline_ledger.digest import parse_hash
from byline_ledger.entry import MAX_KEYS
from byline_ledger.errors import MalformedError, UsageError
from byline_ledger.proof_of_work import MAX_BITS
from byline_ledger.statement import MAX_BODY, MAX_SOURCES

ANYONE, LISTED, VOUCHED = "anyone", "listed", "vouched"
MINUTE, DAY = 60_000, 86_400_000
"""In milliseconds."""
MAX_QUOTA = 1 << 40
MAX_RATE = 10**9

KEY_LISTS = ("listed", "vouchers", "denied_authors")
LISTS = (*KEY_LISTS, "denied_digests")
NUMBERS = {
    "max_bytes": (256, MAX_BODY),
    "max_sources": (0, MAX_SOURCES),
    "work_bits": (0, MAX_BITS),
    "clock_ahead_minutes": (0, 5_256_000),
    "clock_behind_days": (0, 36_500),
    "quota_strings": (1, MAX_QUOTA),
    "quota_bytes": (1, MAX_QUOTA),
}
RATES = {"old": "old_burst", "author": "author_burst", "peer": "peer_burst"}
"""Field of the policy to the setting of its burst; its rate is `<field>_rate`."""
NAMES = (
    "authors",
    *LISTS,
    *NUMBERS,
    *(f"{name}_{end}" for name in RATES for end in ("rate", "burst")),
)
"""The settings, in the order of the specification."""


@dataclass(frozen=True, slots=True)
class AdmissionPolicy:
    """Settings under their own names; keys and digests as 32 bytes each."""

    authors: str = ANYONE
    listed: frozenset[bytes] = frozenset()
    vouchers: frozenset[bytes] = frozenset()
    denied_authors: frozenset[bytes] = frozenset()
    denied_digests: frozenset[bytes] = frozenset()
    max_bytes: int = MAX_BODY
    max_sources: int = MAX_SOURCES
    work_bits: int = 0
    clock_ahead_minutes: int | None = None
    clock_behind_days: int | None = None
    quota_strings: int | None = None
    quota_bytes: int | None = None
    old: Rate | None = None
    author: Rate | None = None
    peer: Rate | None = None

    @classmethod
    def from_settings(cls, settings: Mapping[str, object]) -> Self:
        """A policy from texts, lists and numbers; UsageError names what is wrong."""
        for name in settings:
            if name not in NAMES:
                raise _unknown(name)
        known: dict[str, Any] = {}
        if "authors" in settings:
            known["authors"] = _who(settings["authors"])
        for name in LISTS:
            if name in settings:
                known[name] = _names(name, settings[name])
        for name, (least, most) in NUMBERS.items():
            if name in settings:
                known[name] = _number(name, settings[name], least, most)
        for name in RATES:
            known[name] = _rate(name, settings)
        return cls(**known)

    def to_settings(self) -> dict[str, str | int | list[str]]:
        """The settings that are not as if left out, as texts, lists and numbers."""
        return {
            name: [_shown(name, one) for one in value]
            if isinstance(value, list)
            else value
            for name, value in self._said().items()
        }

    @property
    def digest(self) -> bytes:
        """What the policy is told by: 32 bytes."""
        said: dict[str, Value] = {**self._said()}
        return sha256(b"byline/admission/v1\x00" + codec.pack(said)).digest()

    @property
    def is_open(self) -> bool:
        """Whether whatever is valid is admitted."""
        return not self._said()

    @property
    def doubt(self) -> str | None:
        """What its operator can hardly mean; None if there is nothing."""
        if self.authors != ANYONE and not self.trusted:
            return (
                f"authors is {self.authors!r} and no key is named: nobody is admitted"
            )
        if self.authors == VOUCHED and not self.vouchers:
            return "authors is 'vouched' and vouchers names none: nobody is vouched for"
        return None

    @property
    def trusted(self) -> frozenset[bytes]:
        """The keys that are trusted by name."""
        return self.listed | self.vouchers

    def _said(self) -> dict[str, str | int | list[bytes]]:
        """Names to values, without those that are as if left out."""
        said: dict[str, str | int | list[bytes]] = {}
        for one in fields(self):
            value = getattr(self, one.name)
            if value is None or value == one.default:
                continue
            if isinstance(value, Rate):
                said[f"{one.name}_rate"] = value.per_hour
                said[f"{one.name}_burst"] = value.burst
            else:
                said[one.name] = (
                    sorted(value) if isinstance(value, frozenset) else value
                )
        return said


OPEN = AdmissionPolicy()


def _unknown(name: str) -> UsageError:
    near = get_close_matches(name, NAMES, n=1)
    hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(NAMES)}"
    return UsageError(f"no setting of admission is called {name[:80]!r}", hint=hint)


def _who(value: object) -> str:
    if isinstance(value, str) and value in (ANYONE, LISTED, VOUCHED):
        return value
    near = get_close_matches(str(value), (ANYONE, LISTED, VOUCHED), n=1)
    raise UsageError(
        f"authors: expected {ANYONE}, {LISTED} or {VOUCHED}, got {_got(value)}",
        hint=f"did you mean {near[0]}?" if near else None,
    )


def _names(name: str, value: object) -> frozenset[bytes]:
    if not isinstance(value, list | tuple):
        raise UsageError(f"{name}: expected a list of texts, got {_got(value)}")
    return frozenset(_name(name, one) for one in value)


def _name(name: str, text: object) -> bytes:
    if not isinstance(text, str):
        raise UsageError(f"{name}: expected a list of texts, got {_got(text)} in it")
    try:
        return parse_did_key(text) if name in KEY_LISTS else parse_hash(text).sha256
    except MalformedError as error:
        raise UsageError(f"{name}: {error}", hint=error.hint) from None


def _shown(name: str, value: bytes) -> str:
    return did_key(value) if name in KEY_LISTS else value.hex()


def _number(name: str, value: object, least: int, most: int) -> int:
    if type(value) is int and least <= value <= most:
        return value
    raise UsageError(f"{name}: expected {least} to {most}, got {_got(value)}")


def _rate(name: str, settings: Mapping[str, object]) -> Rate | None:
    rate_name, burst_name = f"{name}_rate", RATES[name]
    if rate_name not in settings:
        if burst_name in settings:
            raise UsageError(f"{burst_name}: expected {rate_name} beside it")
        return None
    rate = _number(rate_name, settings[rate_name], 1, MAX_RATE)
    burst = settings.get(burst_name, max(rate, MAX_KEYS))
    return Rate(rate, _number(burst_name, burst, MAX_KEYS, MAX_RATE))


def _got(value: object) -> str:
    """What stands in the settings, short."""
    shown = repr(value)
    return shown if len(shown) <= 80 else shown[:77] + "..."
