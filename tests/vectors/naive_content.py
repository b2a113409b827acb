"""Reads the fields of every statement type, from docs/spec/statement.md alone.

`read(type, fields)` gives what is known, the names of the fields that are not sound,
and whether the statement says anything of its type.  A check takes a value and returns
what is known of it (NOTHING if nothing) and whether it is wholly sound.
"""

from __future__ import annotations

import re
from base64 import b32decode, b32encode
from collections.abc import Callable
from hashlib import sha256
from typing import Any

NOTHING = object()
Check = Callable[[Any], tuple[Any, bool]]
MOST = 2**64 - 1

USES = "data_mining ai_inference ai_training ai_generative_training"
CAWG = ["cawg." + one for one in USES.split()]
IPTC = "http://cv.iptc.org/newscodes/digitalsourcetype/"
C2PA = "http://c2pa.org/digitalsourcetype/"
HUMAN = [
    "digitalCapture",
    "computationalCapture",
    "negativeFilm",
    "positiveFilm",
    "print",
    "humanEdits",
    "digitalCreation",
    "compositeCapture",
    "algorithmicallyEnhanced",
    "dataDrivenMedia",
]
ASSISTED = ["compositeWithTrainedAlgorithmicMedia", "compositeSynthetic"]
OPEN = ["screenCapture", "virtualRecording", "composite", "softwareImage"]
PLAIN = {
    **{IPTC + one: "human" for one in HUMAN},
    **{IPTC + one: "assisted" for one in ASSISTED},
    **{IPTC + one: "unknown" for one in OPEN},
    IPTC + "trainedAlgorithmicMedia": "generated",
    C2PA + "trainedAlgorithmicData": "generated",
    IPTC + "algorithmicMedia": "other",
    C2PA + "empty": "other",
}
RETIRED = {"minorHumanEdits": "humanEdits", "digitalArt": "digitalCreation"}
LICENCES = {"MIT": "MIT", "mit": "MIT", "cc-by-4.0": "CC-BY-4.0"}
"""What the cases use of the SPDX list, in whatever spelling."""
RELATIONSHIPS = ["parentOf", "componentOf", "inputTo"]
TYPE = re.compile(r"[a-z][a-z0-9.-]{0,63}")
MEDIA_TYPE = re.compile(r"[a-zA-Z0-9!#$&^_.+-]+/[a-zA-Z0-9!#$&^_.+-]+")


def whole(is_sound: Callable[[Any], bool]) -> Check:
    return lambda value: (value, True) if is_sound(value) else (NOTHING, False)


def number(most: int = MOST, least: int = 0) -> Check:
    return whole(lambda value: type(value) is int and least <= value <= most)


def text(limit: int) -> Check:
    return whole(lambda value: type(value) is str and 1 <= len(value) <= limit)


def word(*words: str) -> Check:
    return whole(lambda value: type(value) is str and value in words)


def array(most: int, entry: Check) -> Check:
    """Sound entries count; of those that come twice no more is asked here."""

    def check(value: Any) -> tuple[Any, bool]:
        if type(value) is not list or not 1 <= len(value) <= most:
            return NOTHING, False
        found = [entry(one) for one in value]
        some = [one for one, _ in found if one is not NOTHING]
        return some or NOTHING, all(good for _, good in found)

    return check


def table(**checks: Check) -> Check:
    """A map: each field by its own check; further ones are left alone."""

    def check(value: Any) -> tuple[Any, bool]:
        if type(value) is not dict:
            return NOTHING, False
        return known(value, {name.replace("_", "-"): c for name, c in checks.items()})

    return check


def known(
    value: dict[str, Any], checks: dict[str, Check]
) -> tuple[dict[str, Any], bool]:
    found, good = {}, True
    for name, check in checks.items():
        if name in value:
            one, sound = check(value[name])
            good &= sound
            if one is not NOTHING:
                found[name] = one
    return found, good


def all_of(inner: Check, *needed: str) -> Check:
    """A map that is known as a whole, with these fields, or not at all."""

    def check(value: Any) -> tuple[Any, bool]:
        found, good = inner(value)
        if not good or any(name not in found for name in needed):
            return NOTHING, False
        return {name: found[name] for name in needed}, True

    return check


time_ = number(2**63 - 1)
count = number()
parts = number(1_000_000, 1)
bytes32 = whole(lambda value: type(value) is bytes and len(value) == 32)
multihash = whole(
    lambda value: type(value) is bytes and len(value) == 34 and value[:2] == b"\x12\x20"
)


def uses_list(value: Any) -> tuple[Any, bool]:
    found, good = array(8, word(*CAWG))(value)
    if found is NOTHING:
        return found, good
    once = [one for number, one in enumerate(found) if one not in found[:number]]
    return once, good and once == found


def uses(value: Any) -> tuple[Any, bool]:
    if type(value) is not dict:
        return NOTHING, False
    found, good = {}, True
    for name, entry in value.items():
        if name not in CAWG or type(entry) is not dict:
            good = False
            continue
        use, sound = word("allowed", "notAllowed", "constrained")(entry.get("use"))
        if not sound:
            good = False
            continue
        found[name] = {"use": use}
        if "constraint-info" in entry:
            info, sound = text(1024)(entry["constraint-info"])
            good &= sound
            if sound:
                found[name]["constraint-info"] = info
    return found or NOTHING, good


def source_type(value: Any) -> tuple[Any, bool]:
    if type(value) is not str or "/" not in value:
        return NOTHING, False
    if value.startswith("https:"):
        value = "http:" + value[6:]
    scheme, _, term = value.rpartition("/")
    if scheme + "/" == IPTC:
        value = IPTC + RETIRED.get(term, term)
    return (value, True) if value in PLAIN else (NOTHING, False)


def licence(value: Any) -> tuple[Any, bool]:
    if type(value) is str and value in LICENCES:
        return LICENCES[value], True
    return NOTHING, False


def sources(value: Any) -> tuple[Any, bool]:
    """Indexed all the same; the statement was valid, so their form is."""
    found = [{name: one[name] for name in ("digest", "relationship")} for one in value]
    return found, all(one["relationship"] in RELATIONSHIPS for one in found)


def media_type(value: Any) -> tuple[Any, bool]:
    good = type(value) is str and len(value) <= 127 and MEDIA_TYPE.fullmatch(value)
    return (value, True) if good else (NOTHING, False)


def model_type(value: Any) -> tuple[Any, bool]:
    family = "c2pa.types.model"
    good = text(128)(value)[1] and (value == family or value.startswith(family + "."))
    return (value, True) if good else (NOTHING, False)


def model(value: Any) -> tuple[Any, bool]:
    inner = table(name=text(256), identifier=text(512), type=model_type)
    found, good = inner(value)
    if found is NOTHING or "name" not in found:
        return NOTHING, False
    return found, good


def shares(value: Any) -> tuple[Any, bool]:
    share = all_of(table(key=bytes32, parts=parts), "key", "parts")
    found, good = array(32, share)(value)
    if not good or len({one["key"] for one in found}) < len(found):
        return NOTHING, False
    return found, True


def iscc(value: Any) -> tuple[Any, bool]:
    if type(value) is not str or not re.fullmatch("ISCC:[A-Z2-7]{55}", value):
        return NOTHING, False
    data = b32decode(value[5:] + "=")
    strict = b32encode(data).decode() == value[5:] + "="
    # Main type below 5 (5 is a whole ISCC), version 0, length 7: 8 times 32 bits.
    if not strict or data[0] >> 4 > 4 or data[1] != 0x07:
        return NOTHING, False
    return value, True


def codes(most: int) -> Check:
    def check(value: Any) -> tuple[Any, bool]:
        if type(value) is not bytes or len(value) % 8 or not value:
            return NOTHING, False
        found = [value[at : at + 8] for at in range(0, len(value), 8)]
        return (found, True) if len(found) <= most else (NOTHING, False)

    return check


def in_manifest(value: Any) -> tuple[Any, bool]:
    hashes = whole(
        lambda proof: (
            type(proof) is bytes and len(proof) <= 63 * 32 and len(proof) % 32 == 0
        )
    )
    inner = table(manifest=multihash, index=count, count=number(2**63 - 1, 1))
    found, good = all_of(inner, "manifest", "index", "count")(value)
    if not good or found["index"] >= found["count"]:
        return NOTHING, False
    proof, good = hashes(value.get("proof"))
    if not good:
        return NOTHING, False
    split = [proof[at : at + 32] for at in range(0, len(proof), 32)]
    return {**found, "proof": split}, True


def items(value: Any) -> tuple[Any, bool]:
    names = ["human", "assisted", "generated", "other", "unknown", "unattested"]
    found, good = table(**dict.fromkeys(names, count))(value)
    if found is NOTHING:
        return found, good
    return found or NOTHING, good and set(value) <= set(names)


oversight = word("fully_autonomous", "prompt_guided", "human_validated")
currency = whole(
    lambda value: type(value) is str and bool(re.fullmatch("[A-Z]{3}", value))
)
price = all_of(
    table(amount=count, currency=currency, per=word("item", "set", "megabyte", "year")),
    "amount",
    "currency",
    "per",
)
delegable = whole(
    lambda value: (
        type(value) is str
        and bool(TYPE.fullmatch(value))
        and value not in ("rotate", "profile", "delegate")
    )
)


def proof(value: Any) -> tuple[Any, bool]:
    """Method and name, or nothing; a signature beside them, if it is one."""
    inner = table(
        method=word("domain-file", "dns-txt", "did-web", "atproto", "ssh"),
        name=text(253),
        signature=whole(lambda one: type(one) is bytes and 1 <= len(one) <= 1024),
    )
    found, good = inner(value)
    if found is NOTHING or "method" not in found or "name" not in found:
        return NOTHING, False
    return found, good


foreign = table(
    source_type=source_type,
    title=text(512),
    license=licence,
    uses=uses,
    creators=array(16, text(256)),
    actions=array(64, text(128)),
    model=model,
    oversight=oversight,
)

TYPES: dict[str, dict[str, Check]] = {
    "work": {
        "source-type": source_type,
        "title": text(512),
        "license": licence,
        "uses": uses,
        "tools": array(32, text(256)),
        "sources": sources,
        "media-type": media_type,
        "size": count,
        "model": model,
        "oversight": oversight,
        "shares": shares,
        "group": bytes32,
        "seal": bytes32,
        "seal-nonce": bytes32,
        "fingerprints": table(
            iscc=array(8, iscc), windows=codes(64), chunks=codes(512)
        ),
    },
    "endorse": {
        "role!": word(
            "witnessed",
            "co-author",
            "editor",
            "publisher",
            "archive",
            "commissioned",
            "reviewed",
        ),
        "note": text(2048),
    },
    "dispute": {
        "reason!": word(
            "authorship",
            "how-made",
            "sources",
            "license",
            "uses",
            "consent",
            "misleading",
            "other",
        ),
        "note": text(2048),
        "evidence": array(64, multihash),
    },
    "withdraw": {
        "reason!": word(
            "superseded",
            "mistaken",
            "consent-changed",
            "key-compromised",
            "personal-data",
            "legal",
        ),
        "replacement": bytes32,
    },
    "grant": {
        "grantee!": bytes32,
        "uses!": uses_list,
        "from?": time_,
        "until?": time_,
        "constraint-info?": text(1024),
        "request": bytes32,
    },
    "profile": {
        "name": text(128),
        "links": array(16, text(512)),
        "recovery": bytes32,
        "proofs": array(16, proof),
    },
    "rotate": {
        "successor": bytes32,
        "reason": word("routine", "lost", "compromised"),
    },
    "delegate": {
        "types!": array(16, delegable),
        "until!": time_,
        "from?": time_,
        "uses?": uses_list,
        "manifests?": array(16, multihash),
        "count?": parts,
        "note": text(512),
    },
    "admit": {
        "from?": time_,
        "until?": time_,
        "terms": multihash,
        "terms-url": text(512),
        "parts": parts,
        "note": text(512),
    },
    "leave": {"note": text(512)},
    "offer": {
        "uses!": uses,
        "license": licence,
        "grantee?": bytes32,
        "from?": time_,
        "until?": time_,
        "price?": price,
        "terms?": multihash,
        "terms-url?": text(512),
        "contact": text(256),
    },
    "request": {
        "uses!": uses_list,
        "purpose": text(2048),
        "until": time_,
        "offer": bytes32,
        "contact": text(256),
    },
    "collection": {
        "count!": count,
        "bytes!": count,
        "root!": bytes32,
        "title": text(512),
        "description": text(2048),
        "version": text(64),
        "license": licence,
        "url": text(512),
        "uses": uses_list,
    },
    "label": {
        "label!": multihash,
        "use!": word(*CAWG),
        "count!": count,
        "bytes!": count,
        "items": items,
        "violations!": count,
        "disputed": count,
        "withdrawn": count,
        "origin": text(256),
        "log-size": count,
        "set-root": bytes32,
    },
    "seal": {},
    "relay": {
        "format!": text(64),
        "manifest!": multihash,
        "validation!": word("trusted", "valid", "invalid"),
        "validator": text(128),
        "trust-list": multihash,
        "checked": time_,
        "issuer": text(256),
        "issuer-key": multihash,
        "created": foreign,
        "gathered": foreign,
        "sources": sources,
    },
    "settlement": {
        "group!": bytes32,
        "use!": word(*CAWG),
        "rows!": multihash,
        "members!": count,
        "items!": count,
        "root!": bytes32,
    },
}
"""`!` marks what a statement needs to say anything, `?` what limits a permission."""

FOR_OTHERS: dict[str, Check] = {
    "for": bytes32,
    "delegation": bytes32,
    "in-manifest": in_manifest,
    "number": parts,
}


def read(
    kind: str, fields: dict[str, Any], about: bytes
) -> tuple[dict[str, Any], list[str], bool]:
    """What is known, the names of what is not sound, whether it says anything."""
    found: dict[str, Any] = {}
    problems: list[str] = []
    says = True
    for marked, check in TYPES[kind].items():
        name = marked.rstrip("!?")
        value, good = check(fields[name]) if name in fields else (NOTHING, True)
        if not good or (marked.endswith("!") and name not in fields):
            problems.append(name)
        if value is not NOTHING:
            found[name] = value
        elif marked.endswith("!") or (marked.endswith("?") and name in fields):
            says = False
    if kind == "work":
        together(fields, found, problems, "seal", "seal-nonce")
        found["made"] = PLAIN.get(found.get("source-type", ""), "unknown")
    if kind == "rotate":
        says = rotation(found, problems, about)
    return found, sorted(set(problems)), says


def read_for_others(fields: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """What a statement of any type says when it is signed for another key."""
    found, problems = {}, []
    for name, check in FOR_OTHERS.items():
        if name in fields:
            value, good = check(fields[name])
            if not good:
                problems.append(name)
            if value is not NOTHING:
                found[name] = value
    together(fields, found, problems, "for", "delegation")
    return found, sorted(set(problems))


def together(
    fields: dict[str, Any],
    found: dict[str, Any],
    problems: list[str],
    one: str,
    other: str,
) -> None:
    """Two fields that are known together or not at all."""
    for name, partner in ((one, other), (other, one)):
        if name in found and partner not in fields:
            problems.append(name)
    if one not in found or other not in found:
        found.pop(one, None)
        found.pop(other, None)


def rotation(found: dict[str, Any], problems: list[str], about: bytes) -> bool:
    """It names another key, or says that the key was stolen."""
    successor = found.get("successor")
    if successor is not None and b"\x12\x20" + sha256(successor).digest() == about:
        del found["successor"]
        problems.append("successor")
    if "successor" in found or found.get("reason") == "compromised":
        return True
    problems.append("successor")
    return False
