"""What a label says of one work, by the answer about it."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from tests.support.label_works import (
    AUTHOR,
    OTHER,
    answer,
    claim,
    remark,
    work,
)

from byline_ledger.answer import Claim, KeyStatements, Redaction
from byline_ledger.label_item import LabelItem, read_item
from byline_ledger.synthetic_depth import Depth

TRAINING = "cawg.ai_generative_training"
GONE = Redaction(bytes(32), 3, "legal", 0)


def item(*claims: Claim, **more: Any) -> LabelItem:
    return read_item(answer(work(*claims, **more)))


@pytest.mark.parametrize(
    ("claims", "more", "made"),
    [
        ((), {}, "unattested"),
        ((), {"total": 3}, "unknown"),
        ((), {"total": None}, "unknown"),
        ((), {"redacted": (GONE,)}, "unknown"),
        ((claim("human"),), {}, "human"),
        ((claim("unknown"),), {}, "unknown"),
        ((claim("generated"), claim("generated", author=OTHER)), {}, "generated"),
        ((claim("generated"), claim("human", author=OTHER)), {}, "unknown"),
        ((claim("human"), claim("human", status="unknown")), {}, "unknown"),
        ((claim("human", status="withdrawn"),), {}, "unattested"),
        ((claim("human"), claim("generated", status="withdrawn")), {}, "human"),
    ],
)
def test_how_a_work_was_made_is_known_only_where_all_agree(
    claims: tuple[Claim, ...], more: dict[str, Any], made: str
) -> None:
    assert item(*claims, **more).made == made


def test_terms_and_licences_are_those_that_all_name() -> None:
    assert item(claim("human")).source_type == claim("human").source_type
    assert item(claim("human"), claim("assisted")).source_type is None
    assert item(claim(license="MIT"), claim()).license == "MIT"
    assert item(claim(license="MIT"), claim(license="0BSD")).license == "differing"
    assert item(claim()).license is None


def test_models_are_named() -> None:
    one = claim("generated", fields={"model": {"name": "m-1"}})
    assert item(one, claim("generated"), one).models == ("m-1",)


def test_disputes_and_objections_are_told_apart() -> None:
    objection = remark("dispute", reason="consent")
    contest = remark("dispute", reason="how-made", status="unknown")
    void = remark("dispute", reason="other", status="withdrawn")
    assert not item(claim(disputes=(void,))).disputed
    objected = item(claim(), remarks=(objection, remark("endorse")))
    assert (objected.disputed, objected.objections) == (False, 1)
    both = item(claim(disputes=(contest, objection)))
    assert (both.disputed, both.objections) == (True, 1)
    gone = claim(status="withdrawn", disputes=(contest,))
    assert not item(gone).disputed
    assert item(gone).withdrawn == 1


def test_only_others_endorse() -> None:
    assert item(claim(endorsements=(remark("endorse"),))).endorsed
    assert not item(claim(endorsements=(remark("endorse", AUTHOR),))).endorsed
    void = remark("endorse", status="withdrawn")
    assert not item(claim(endorsements=(void,))).endorsed


@pytest.mark.parametrize(
    ("fields", "named"),
    [({"name": "Ann"}, True), ({"name": ""}, False), ({"name": 7}, False), ({}, False)],
)
def test_a_key_with_a_name_is_counted(fields: dict[str, Any], named: bool) -> None:
    profile = remark("profile", AUTHOR, fields=fields)
    keys = (KeyStatements(AUTHOR, (profile, remark("rotate")), 1, None),)
    found = answer(work(claim()), keys=keys)
    assert read_item(found).named is named
    other = answer(work(claim(author=OTHER)), keys=keys)
    assert not read_item(other).named


def unit(head: bytes, body: bytes) -> str:
    return "ISCC:" + base64.b32encode(head + body).decode().rstrip("=")


def test_the_code_is_that_of_the_first_image_or_text() -> None:
    data, text = unit(b"\x30\x07", b"\xaa" * 32), unit(b"\x20\x07", b"\xab" * 32)
    plain = unit(b"\x21\x07", b"\x01" + bytes(31))
    fields = {"fingerprints": {"iscc": [data, plain, text]}}
    assert item(claim(fields=fields)).code == ("text", 0xABAB_ABAB_ABAB_ABAB)
    assert item(claim(), claim(fields={"fingerprints": 7})).code is None


def test_places_and_keys_are_listed() -> None:
    found = item(claim(index=5, author=OTHER), claim(index=3, status="withdrawn"))
    assert (found.entries, found.keys) == ((3, 5), (OTHER,))


def test_verdicts_and_depth_are_those_of_the_rules() -> None:
    depth = Depth(1, 2)
    found = item(claim(), consent={TRAINING: "allowed"}, synthetic_depth=depth)
    assert found.consent[TRAINING] == "allowed"
    assert found.consent["cawg.data_mining"] == "unknown"
    assert (found.least, found.greatest) == (1, 2)
    assert (item().least, item().greatest) == (0, None)
