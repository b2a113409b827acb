"""What readers know of every type is what the vectors of the specification say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from tests.support.signed import signed
from tests.support.vectors import cases, load

from byline_ledger import codec, content
from byline_ledger.statement import Source

VECTORS = "statement_types.json"
ABOUT = bytes.fromhex(load(VECTORS)["about"])
HERE_AND_THERE = {"size": "bytes"}
"""Our names of what the specification names otherwise."""


def fields_of(case: dict[str, Any]) -> dict[str, Any]:
    data = bytes.fromhex(case["fields"])
    found = codec.unpack(data, max_size=1 << 16, max_depth=6, what="fields")
    assert type(found) is dict
    assert codec.pack(found) == data
    return found


def known(value: Any, kind: str) -> Any:
    """What is known of a value, as the vectors write it."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, tuple):
        return [known(one, "") for one in value]
    if isinstance(value, Source):
        return {"digest": value.digest.hex(), "relationship": value.relationship}
    return known_map(value, kind) if is_dataclass(value) else value


def known_map(value: Any, kind: str) -> dict[str, Any]:
    """Without what is not known, constraints beside their uses."""
    found: dict[str, Any] = {}
    for field in fields(value):
        one = getattr(value, field.name)
        if field.name in ("sound", "problems", "constraints"):
            continue
        if one is None or (one in ((), {}, b"") and not is_proof(value, field.name)):
            continue
        name = field.name
        if kind in ("collection", "label"):
            name = HERE_AND_THERE.get(name, name)
        name = name.rstrip("_").replace("_", "-")
        if isinstance(one, Mapping) and name == "uses":
            one = {use: entry(value, use) for use in one}
        found[name] = known(one, "")
    return found


def is_proof(value: Any, name: str) -> bool:
    """An empty proof is one."""
    return isinstance(value, content.InManifest) and name == "proof"


def entry(value: Any, use: str) -> dict[str, str]:
    said = {"use": value.uses[use]}
    if use in value.constraints:
        said["constraint-info"] = value.constraints[use]
    return said


def named(problems: tuple[str, ...]) -> list[str]:
    """The fields that problems are about."""
    return sorted({one.split(":")[0].split()[0] for one in problems})


@cases(VECTORS, "types")
def test_a_type_is_read_as_specified(case: dict[str, Any]) -> None:
    """What is known, what is named as a problem, whether it says anything."""
    statement = signed(ABOUT, **{**fields_of(case), "type": case["type"]})
    found = content.read_content(statement)
    assert known(found, case["type"]) == case["known"]
    assert named(found.problems) == case["problems"]  # type: ignore[union-attr]
    assert says(found) == case["says"]


def says(found: Any) -> bool:
    """Remarks say nothing without their word; of the others it is told."""
    if isinstance(found, content.EndorseContent):
        return found.role is not None
    if isinstance(found, content.DisputeContent | content.WithdrawContent):
        return found.reason is not None
    return bool(getattr(found, "sound", True))


@cases(VECTORS, "for_others")
def test_what_is_said_for_others_is_read_as_specified(case: dict[str, Any]) -> None:
    """In a statement of any type, one that nobody knows included."""
    for kind in ("work", "x-poem"):
        statement = signed(ABOUT, **{**fields_of(case), "type": kind})
        found = content.read_delegated(statement)
        assert known(found, "") == case["known"]
        assert named(found.problems) == case["problems"]


@cases(VECTORS, "seals")
def test_a_seal_is_about_what_is_specified(case: dict[str, Any]) -> None:
    """The commitment to nonce, work and author."""
    parts = [bytes.fromhex(case[name]) for name in ("nonce", "work", "author")]
    assert content.seal_commitment(*parts).hex() == case["about"]
