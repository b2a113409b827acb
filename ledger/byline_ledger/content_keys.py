"""What `profile`, `rotate` and `delegate` statements say: who a key is, and who acts
for it.

Field by field: docs/spec/statement.md, "Types"; what follows from them:
docs/spec/state.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from byline_ledger import vocabulary as words
from byline_ledger.codec import Value
from byline_ledger.digest import digest_bytes
from byline_ledger.errors import UsageError
from byline_ledger.field_maker import (
    Fields,
    made_of,
    name_of_key,
    require_few,
)
from byline_ledger.field_reader import (
    MAX_PARTS,
    MAX_SHORT_NOTE,
    MAX_URL,
    FieldReader,
)
from byline_ledger.name_proofs import (
    MAX_NAME,
    MAX_SIGNATURE,
    NameProof,
    require_name,
)
from byline_ledger.statement import KIND, Statement

MAX_DISPLAY_NAME = 128
MAX_LINKS = 16
MAX_PROOFS = 16
MAX_TYPES = 16
MAX_MANIFESTS = 16


@dataclass(frozen=True, slots=True)
class ProfileContent:
    """What a `profile` says of its author's key."""

    name: str | None
    links: tuple[str, ...]
    recovery: bytes | None
    """The recovery key, 32 bytes."""
    proofs: tuple[NameProof, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RotateContent:
    """What a `rotate` says of the key that it is about."""

    successor: bytes | None
    """None: nobody acts for the key from then on."""
    reason: str | None
    sound: bool
    """Whether it says anything: it names a successor, or that the key was stolen."""
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DelegateContent:
    """What a `delegate` says of the key that it is about: how far it may act."""

    types: tuple[str, ...]
    until: int | None
    """Unix milliseconds, itself not in the term; None only where it is not sound."""
    from_: int | None
    uses: tuple[str, ...] | None
    """CAWG entries on which a delegated work may speak; None: on all."""
    manifests: tuple[bytes, ...]
    """Multihashes; a delegated work must be in one of them, if there are any."""
    count: int | None
    note: str | None
    sound: bool
    """Whether it says anything: all that it needs is there, and its limits are read."""
    problems: tuple[str, ...]


def profile_fields(
    *,
    key: bytes,
    name: str | None = None,
    links: Sequence[str] = (),
    recovery: bytes | None = None,
    proofs: Sequence[NameProof] = (),
    time: int,
    salt: bytes,
) -> Fields:
    """The fields of a `profile` of a key (32 bytes), to be signed with it."""
    maker = made_of("profile", name_of_key(key), time, salt)
    maker.text("name", name, MAX_DISPLAY_NAME)
    maker.texts("links", links, MAX_LINKS, MAX_URL)
    if recovery == key:
        raise UsageError("recovery: expected another key than the one it recovers")
    maker.key("recovery", recovery)
    if proofs:
        require_few("proofs", proofs, MAX_PROOFS)
        maker.fields["proofs"] = [_proof_fields(one) for one in proofs]
    return maker.fields


def rotate_fields(
    *,
    key: bytes,
    successor: bytes | None = None,
    reason: str | None = None,
    time: int,
    salt: bytes,
) -> Fields:
    """The fields of a `rotate` of an old key (32 bytes), to be signed with it or with
    its recovery key."""
    maker = made_of("rotate", name_of_key(key), time, salt)
    if successor == key:
        raise UsageError("successor: expected another key than the old one")
    maker.key("successor", successor)
    maker.word("reason", reason, words.ROTATE_REASONS)
    if successor is None and reason != words.COMPROMISED:
        raise UsageError(
            "successor: expected a key, unless the reason is compromised",
            hint="without a successor nobody acts for the old key from then on",
        )
    return maker.fields


def delegate_fields(
    *,
    key: bytes,
    types: Sequence[str],
    until: int,
    from_: int | None = None,
    uses: Sequence[str] = (),
    manifests: Sequence[bytes] = (),
    count: int | None = None,
    note: str | None = None,
    time: int,
    salt: bytes,
) -> Fields:
    """The fields of a `delegate` to a key (32 bytes); without `uses`, `manifests` or
    `count` there is no such limit."""
    maker = made_of("delegate", name_of_key(key), time, salt)
    _require_delegable(types)
    maker.texts("types", types, MAX_TYPES, 64)
    maker.term(from_, until)
    maker.uses_list(uses)
    maker.digests("manifests", manifests, MAX_MANIFESTS)
    maker.number("count", count, MAX_PARTS, 1)
    maker.text("note", note, MAX_SHORT_NOTE)
    return maker.fields


def read_profile(statement: Statement) -> ProfileContent:
    """What a `profile` says."""
    reader = FieldReader(statement.fields)
    return ProfileContent(
        name=reader.text("name", MAX_DISPLAY_NAME),
        links=reader.texts("links", MAX_LINKS, MAX_URL),
        recovery=reader.key("recovery"),
        proofs=_read_proofs(reader),
        problems=tuple(reader.problems),
    )


def read_rotate(statement: Statement) -> RotateContent:
    """What a `rotate` says."""
    reader = FieldReader(statement.fields)
    successor = reader.one(
        "successor",
        bytes,
        lambda key: len(key) == 32 and digest_bytes(key) != statement.about,
        "another key of 32 bytes",
    )
    reason = reader.word("reason", words.ROTATE_REASONS)
    sound = successor is not None or reason == words.COMPROMISED
    if not sound and "successor" not in statement.fields:
        reader.problem("successor", "a key, unless the reason is compromised")
    return RotateContent(successor, reason, sound, tuple(reader.problems))


def read_delegate(statement: Statement) -> DelegateContent:
    """What a `delegate` says."""
    reader = FieldReader(
        statement.fields,
        needed=("types", "until"),
        limits=("from", "uses", "manifests", "count"),
    )
    return DelegateContent(
        types=reader.several(
            "types", MAX_TYPES, str, is_delegable, "types that can be delegated"
        ),
        until=reader.time("until"),
        from_=reader.time("from"),
        uses=reader.uses_list() if "uses" in statement.fields else None,
        manifests=reader.digests("manifests", MAX_MANIFESTS),
        count=reader.number("count", MAX_PARTS, 1),
        note=reader.text("note", MAX_SHORT_NOTE),
        sound=reader.sound,
        problems=tuple(reader.problems),
    )


def is_delegable(kind: str) -> bool:
    """Whether this is a type of statements that another key may be let sign."""
    return bool(KIND.fullmatch(kind)) and kind not in words.NOT_DELEGABLE


def _require_delegable(types: Sequence[str]) -> None:
    if not types:
        raise UsageError("types: expected at least one", hint="such as work")
    for kind in types:
        if kind in words.NOT_DELEGABLE:
            raise UsageError(f"types: {kind} cannot be delegated")
        words.check_word("types", kind, words.STATEMENT_TYPES)


def _proof_fields(proof: NameProof) -> Value:
    require_name(proof.method, proof.name)
    if (proof.method == "ssh") != _is_signature(proof.signature):
        raise UsageError(
            f"proofs: ssh, and no other method, has a signature of 1 to "
            f"{MAX_SIGNATURE} bytes"
        )
    fields: Fields = {"method": proof.method, "name": proof.name}
    return fields | ({"signature": proof.signature} if proof.signature else {})


def _read_proofs(reader: FieldReader) -> tuple[NameProof, ...]:
    expected = f"a method and a name of 1 to {MAX_NAME} characters"
    maps = reader.several("proofs", MAX_PROOFS, dict, _is_proof, expected)
    return tuple(_proof(one, reader) for one in maps)


def _proof(fields: dict[str, Value], reader: FieldReader) -> NameProof:
    """A signature that is none is left out: whoever checks it then finds none."""
    inner = FieldReader(fields, within="proofs")
    expected = f"1 to {MAX_SIGNATURE} bytes"
    signature = inner.one("signature", bytes, _is_signature, expected)
    reader.take_problems(inner)
    return NameProof(str(fields["method"]), str(fields["name"]), signature or b"")


def _is_proof(fields: dict[str, Value]) -> bool:
    inner = FieldReader(fields)
    method = inner.word("method", words.NAME_METHODS)
    return method is not None and inner.text("name", MAX_NAME) is not None


def _is_signature(value: bytes) -> bool:
    return 1 <= len(value) <= MAX_SIGNATURE
