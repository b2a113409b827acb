"""label.json: written, read, and compared field by field.

Rule: bytes parse or raise MalformedError; what its figures say is not looked at before
they are computed again from the proofs.  Specification: docs/spec/label.md, "Document".
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from byline_ledger.did import parse_did_key
from byline_ledger.digest import is_multihash, parse_hash
from byline_ledger.errors import MalformedError, UsageError
from byline_ledger.label_words import Words, words_from_json
from byline_ledger.vocabulary import USES

FORMAT = "byline-label/1"
MAX_LABEL = 4 << 20
"""Bytes of a label.json."""
MAX_TIME = 2**63 - 1
MAX_DIFFERENCES = 100
_NOTHING = object()
"""Stands for a field that is not there, which is not null."""


@dataclass(frozen=True, slots=True)
class Head:
    """What a label is about and who makes it.

    `use` is a CAWG entry, `creator` a 32-byte key, `time` Unix milliseconds, `manifest`
    the multihash and `file` the name of the manifest's file.
    """

    use: str
    creator: bytes
    time: int
    manifest: bytes
    file: str
    words: Words


def label_bytes(document: Mapping[str, Any]) -> bytes:
    """label.json: the document as UTF-8 JSON, indented by one, with a line feed."""
    return (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode()


def headline(document: Mapping[str, Any]) -> dict[str, Any]:
    """What a `label` statement says of a document: those arguments of
    `content_sets.label_fields`, and fields of LabelContent."""
    manifest, log, trust = document["manifest"], document["log"], document["trust"]
    made = document["ingredients"].items()
    return {
        "use": document["use"],
        "count": manifest["count"],
        "size": manifest["bytes"],
        "items": {word: one["items"] for word, one in made},
        "violations": document["violations"]["items"],
        "disputed": trust["disputed"],
        "withdrawn": trust["withdrawn"],
        "origin": log["origin"],
        "log_size": log["size"],
        "set_root": bytes.fromhex(log["set_root"]),
    }


@dataclass(frozen=True, slots=True)
class ReadLabel:
    """A label.json: what is needed to compute it again, and all that it says."""

    head: Head
    log_size: int
    files: Mapping[str, bytes]
    """Name in the folder to its multihash."""
    said: Mapping[str, Any]


def parse_label(data: bytes) -> ReadLabel:
    """A label.json, or MalformedError; what its figures say is not looked at."""
    if len(data) > MAX_LABEL:
        raise MalformedError(f"label.json: expected at most {MAX_LABEL} bytes")
    try:
        said = json.loads(data)
    except (ValueError, RecursionError):
        raise MalformedError("label.json: not JSON") from None
    if not isinstance(said, dict) or said.get("format") != FORMAT:
        raise MalformedError(f"label.json: expected the format {FORMAT}")
    use, time = said.get("use"), said.get("time")
    manifest, log = _map(said, "manifest"), _map(said, "log")
    if use not in USES:
        raise MalformedError("label.json: use: expected a CAWG entry")
    if type(time) is not int or not 0 <= time <= MAX_TIME:
        raise MalformedError("label.json: time: expected Unix milliseconds")
    size, file = log.get("size"), manifest.get("file")
    if type(size) is not int or size < 1:
        raise MalformedError("label.json: log: expected a size")
    if not isinstance(file, str) or not is_plain_name(file):
        raise MalformedError("label.json: manifest: expected the name of a file")
    head = Head(
        use=use,
        creator=parse_did_key(_text(said, "creator")),
        time=time,
        manifest=_digest(_text(manifest, "digest")),
        file=file,
        words=_words(said.get("words")),
    )
    files = _map(said, "files")
    for name in files:
        if not all(map(is_plain_name, name.split("/"))) or name.count("/") > 1:
            raise MalformedError("label.json: files: expected names in the folder")
    return ReadLabel(
        head, size, {name: _digest(_text(files, name)) for name in files}, said
    )


def is_plain_name(name: str) -> bool:
    """Whether this is the name of a file, and nothing that leads elsewhere."""
    return (
        0 < len(name) <= 255
        and name.isascii()
        and name.isprintable()
        and not name.startswith(".")
        and not set(name) & set('/\\:*?"<>|')
    )


def _words(value: object) -> Words:
    try:
        return words_from_json(value)
    except UsageError as error:
        raise MalformedError(f"label.json: {error}") from None


def _map(said: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = said.get(name)
    if isinstance(found, dict):
        return found
    raise MalformedError(f"label.json: {name}: expected a map")


def _text(said: Mapping[str, Any], name: str) -> str:
    found = said.get(name)
    if isinstance(found, str):
        return found
    raise MalformedError(f"label.json: {name[:60]!a}: expected a text")


def _digest(text: str) -> bytes:
    found = parse_hash(text).multihash if text.startswith("sha256:") else b""
    if is_multihash(found):
        return found
    raise MalformedError("label.json: expected a digest as sha256:HEX")


def differences(said: object, found: object, where: str = "") -> list[str]:
    """Where two documents differ, each as a line; the first few of many."""
    lines: list[str] = []
    waiting: deque[tuple[str, object, object]] = deque([(where, said, found)])
    while waiting and len(lines) < MAX_DIFFERENCES:
        place, one, other = waiting.popleft()
        if isinstance(one, dict) and isinstance(other, dict):
            waiting += [
                (
                    f"{place}.{name}" if place else name,
                    one.get(name, _NOTHING),
                    other.get(name, _NOTHING),
                )
                for name in sorted({*one, *other}, key=str)
            ]
        elif isinstance(one, list) and isinstance(other, list):
            if len(one) == len(other):
                rows = enumerate(zip(one, other, strict=True))
                waiting += [(f"{place}[{at}]", a, b) for at, (a, b) in rows]
            else:
                lines.append(
                    f"{place}: {len(one)} entries, the proofs give {len(other)}"
                )
        elif one != other or type(one) is not type(other):
            lines.append(f"{place}: {_shown(one)}, the proofs give {_shown(other)}")
    return lines


def _shown(value: object) -> str:
    if value is _NOTHING:
        return "nothing"
    if isinstance(value, (dict, list)):
        return "a table"
    text = ascii(value)
    return text if len(text) <= 80 else text[:77] + "..."
