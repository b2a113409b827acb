"""What uses look like in the words of others, as the vectors have it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from byline_ledger import projection
from byline_ledger.errors import UsageError
from byline_ledger.projection import (
    Placed,
    Saying,
    aipref,
    cawg,
    robots,
    tdmrep,
    url_path,
)

VECTORS = Path(__file__).parent.parent / "vectors" / "projections.json"
CASES: list[dict[str, Any]] = json.loads(VECTORS.read_text("ascii"))["cases"]
NO = {"cawg.ai_generative_training": Saying("notAllowed")}


def test_every_vector() -> None:
    assert len(CASES) == 232
    for case in CASES:
        said = {use: Saying(**one) for use, one in case["said"].items()}
        placed = Placed(url_path(case["names"]), said)
        assert placed.path == case["path"]
        assert aipref(said) == case["aipref"]
        assert robots([placed]) == case["robots"]
        assert tdmrep([placed]) == case["tdmrep"]
        assert cawg(said) == case["cawg"]


def test_unknown_is_nowhere_allowed() -> None:
    placed = [Placed("/a", {})]
    assert (aipref({}), robots(placed), tdmrep(placed)) == (None, "", [])
    assert cawg({})["data"] == {"entries": {}}


def test_works_stand_in_the_order_of_their_paths() -> None:
    works = [Placed(path, NO) for path in ("/b", "/a/c", "/a", "/B")]
    lines = robots(works).splitlines()[2:]
    assert [line.split()[1] for line in lines] == ["/B$", "/a$", "/a/c$", "/b$"]
    assert [one["location"] for one in tdmrep(works)] == ["/B$", "/a$", "/a/c$", "/b$"]


def test_no_name_can_end_a_rule_or_begin_one() -> None:
    path = url_path(["a\nAllow: /", "# x$ train-ai=y"])
    assert path == "/a%0AAllow%3A%20%2F/%23%20x%24%20train-ai%3Dy"


def test_a_name_that_is_no_utf_8_is_its_bytes() -> None:
    assert url_path(["caf\udce9.jpg"]) == "/caf%E9.jpg"


def test_what_has_no_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="more than 4096 characters"):
        url_path(["x" * 4_096])
    with pytest.raises(UsageError, match="a name that is no text"):
        url_path(["\ud800"])
    monkeypatch.setattr(projection, "MAX_ROBOTS", 100)
    with pytest.raises(UsageError, match="1 rules take 121 bytes"):
        robots([Placed("/a", NO)])


@pytest.mark.parametrize(
    "address",
    [
        "https://a.example/ x",
        "https://a.example/\n",
        "https://\u00e4.example",
        "http://",
    ],
)
def test_what_is_no_address_is_no_policy(address: str) -> None:
    said = {use: Saying("constrained", address=address) for use in projection.MINING}
    (one,) = tdmrep([Placed("/a", said)])
    assert one == {"location": "/a$", "tdm-reservation": 1}


@pytest.mark.parametrize(
    ("form", "use", "says"),
    [
        ("robots", projection.GENERATIVE, True),
        ("robots", "cawg.ai_training", False),
        ("aipref", "cawg.ai_training", False),
        ("tdmrep", "cawg.ai_training", True),
        ("tdmrep", "cawg.ai_inference", False),
        ("cawg", "cawg.ai_inference", True),
    ],
)
def test_a_form_has_words_for_some_uses(form: str, use: str, says: bool) -> None:
    """Where it has none, whoever writes it must be told."""
    work = Placed("/a", {use: Saying("notAllowed")})
    assert projection.says_something(form, work) is says
    assert not projection.says_something(form, Placed("/a", {}))
