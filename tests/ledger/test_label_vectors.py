"""Lines and figures of labels are what tests/vectors/label.json says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.support.label_works import answer, claim, remark, work

from byline_ledger.answer import Answer, Claim, KeyStatements, Redaction, Remark
from byline_ledger.did import parse_did_key
from byline_ledger.digest import parse_hash
from byline_ledger.label_item import read_item
from byline_ledger.label_table import item_line
from byline_ledger.label_tally import LabelTally
from byline_ledger.manifest import ManifestRow
from byline_ledger.synthetic_depth import Depth

PATH = Path(__file__).parent.parent / "vectors" / "label.json"
CASES: list[dict[str, Any]] = json.loads(PATH.read_text())["cases"]


def keyed(said: dict[str, Any]) -> dict[str, Any]:
    """With keys as bytes."""
    names = {"author", "signed_for"} & set(said)
    return said | {name: parse_did_key(said[name]) for name in names}


def remarks(found: list[dict[str, Any]]) -> tuple[Remark, ...]:
    return tuple(remark(one["type"], **without_type(keyed(one))) for one in found)


def without_type(said: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in said.items() if name != "type"}


def one_claim(said: dict[str, Any]) -> Claim:
    more = keyed(said)
    for name in ("endorsements", "disputes"):
        more[name] = remarks(said.get(name, []))
    more.setdefault("source_type", None)
    return claim(**more)


def one_answer(digest: bytes, said: dict[str, Any]) -> Answer:
    depth = said.get("synthetic_depth")
    found = work(
        *map(one_claim, said["claims"]),
        digest=digest,
        remarks=remarks(said.get("remarks", [])),
        total=said["total"],
        consent=said["consent"],
        redacted=tuple(
            Redaction(bytes(32), one["index"], one["reason"], 0)
            for one in said.get("redacted", [])
        ),
        synthetic_depth=None
        if depth is None
        else Depth(depth["least"], depth["greatest"]),
    )
    keys = tuple(
        KeyStatements(parse_did_key(one["author"]), remarks(one["statements"]), 1, None)
        for one in said.get("keys", [])
    )
    return answer(found, keys=keys)


@pytest.mark.parametrize("case", CASES, ids=lambda one: one["name"])
def test_a_label_is_what_the_vectors_say(case: dict[str, Any]) -> None:
    tally = LabelTally(case["use"])
    lines = []
    for number, said in enumerate(case["rows"], 2):
        digest = parse_hash(said["digest"]).multihash
        row = ManifestRow(number, **said | {"digest": digest})
        item = read_item(one_answer(digest, case["answers"][said["digest"]]))
        tally.add(row, item)
        lines.append(item_line(row, item, "p"))
    assert lines == case["expect"]["lines"]
    assert tally.figures() == case["expect"]["figures"]
