"""Drawn chains: sound XML and DOT, whatever strangers wrote."""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ET
from typing import Any, cast

import pytest

from byline_cli.graph_layout import is_connected, layered
from byline_cli.graph_text import to_dot, to_json, to_svg
from byline_cli.render import Reader
from byline_ledger.did import did_key
from byline_ledger.digest import multihash
from byline_ledger.errors import UsageError
from byline_ledger.lineage import Edge, Lineage, Node, Said

HOSTILE = (
    '</text><script>alert("1")</script>\u202e\x1b[31m\x00]]>&\\"; } \ud800' + "水" * 99
)
READER = Reader("a<b>.jpg", {bytes(32): 'your key "x"'})


def a_claim(
    title: str | None,
    made: str = "human",
    author: bytes = bytes(32),
    status: str = "effective",
) -> Said:
    return Said(bytes(32), author, made, title, status, disputed=False)


def node(number: int, layer: int, *claims: Said, **more: Any) -> Node:
    digest = multihash(bytes([number]) * 32)
    said = cast("Any", claims)
    return Node(
        digest, layer, said, more.get("withdrawn", 0), more.get("followed", True)
    )


def edge(source: int, work: int, relationship: str = "parentOf", **more: Any) -> Edge:
    ends = (multihash(bytes([one]) * 32) for one in (source, work))
    return Edge(*ends, relationship, **more)


def lineage(nodes: list[Node], edges: list[Edge], left_out: int = 0) -> Lineage:
    return Lineage(nodes[0].digest, tuple(nodes), tuple(edges), left_out)


def texts(svg: str) -> list[str]:
    root = ET.fromstring(svg)
    return [one.text or "" for one in root.iter() if one.tag.endswith("}text")]


HOSTILE_CHAIN = lineage(
    [
        node(0, 2, a_claim(None), a_claim(HOSTILE, "generated", bytes([1]) * 32)),
        node(
            1,
            1,
            a_claim(HOSTILE, author=bytes([2]) * 32, status="unknown"),
            withdrawn=1,
        ),
        node(2, 0, followed=False),
        node(3, 0, withdrawn=2),
    ],
    [
        edge(1, 0, HOSTILE),
        edge(2, 1, "inputTo"),
        edge(2, 0, "componentOf"),
        edge(3, 1),
        edge(0, 2, loops=True),
    ],
    7,
)


def test_whatever_strangers_wrote_is_text_in_sound_xml() -> None:
    svg = to_svg(HOSTILE_CHAIN, READER, layered)
    root = ET.fromstring(svg)
    kinds = {one.tag.rpartition("}")[2] for one in root.iter()}
    assert kinds == {"svg", "title", "rect", "defs", "marker", "path", "text"}
    for character in "\u202e\x1b\x00":
        assert character not in svg
    assert "http" not in svg.replace("http://www.w3.org/2000/svg", "")
    shown = texts(svg)
    assert shown[0].startswith("a<b>.jpg (")
    assert shown[1] == "how made: claims differ"
    assert shown[2:4] == ['claimed by your key "x"', "and 1 more key"]
    assert "claimed by …" + did_key(bytes([2]) * 32)[-16:] in shown
    assert "may be withdrawn, 1 withdrawn" in shown
    assert {"not followed that far", "all claims withdrawn"} <= set(shown)
    assert "7 more works not drawn." in shown
    assert max(map(len, shown[:-6])) <= 30


def test_whatever_strangers_wrote_is_a_label_in_dot() -> None:
    text = to_dot(HOSTILE_CHAIN, READER)
    rows = text.splitlines()
    assert len(rows) == 3 + 4 + 5
    assert all(row.startswith('  "') and row.endswith("];") for row in rows[2:-1])
    # Every quote inside a label has an odd number of backslashes before it.
    label = rows[3].partition('[label="')[2].removesuffix('"];')
    assert "\\\\u202e" in label
    assert '"' not in label.replace("\\\\", "").replace('\\"', "")


def test_json_says_what_is_known() -> None:
    found = cast("Any", to_json(HOSTILE_CHAIN))
    assert [len(one["claims"]) for one in found["works"]] == [2, 1, 0, 0]
    assert [one["loops"] for one in found["sources"]] == [False] * 4 + [True]
    assert found["left_out"] == 7


def test_how_a_work_was_made_is_told_by_more_than_colour() -> None:
    frames = set()
    for made in ("human", "assisted", "generated", "unknown"):
        chain = lineage([node(0, 1), node(1, 0, a_claim(None, made))], [edge(1, 0)])
        svg = to_svg(chain, READER, layered)
        frames.add(svg.split("<rect")[3].partition("stroke=")[2].partition(">")[0])
    assert len(frames) == 4


def test_a_work_alone_is_a_picture_too() -> None:
    assert texts(to_svg(lineage([node(0, 0)], []), READER, layered))[:3] == [
        "a<b>.jpg",
        "how made: unknown",
        "nobody claims it",
    ]


def test_the_work_asked_for_has_its_title_too() -> None:
    """Behind the name of the file: another work of that title is no stranger then."""
    pier, again = node(0, 1, a_claim("Pier")), node(1, 0, a_claim("Pier"))
    shown = texts(to_svg(lineage([pier, again], [edge(1, 0)]), READER, layered))
    assert "a<b>.jpg (Pier)" in shown
    assert "Pier" in shown


def test_long_edges_pass_between_boxes() -> None:
    places, routes = layered([0, 1, 2], [(0, 1), (1, 2), (0, 2)])
    assert len(places) == 3
    assert [y for _, y in routes[0, 2]] == [1.0]
    assert routes[0, 2][0][0] != places[1][0]


@pytest.mark.parametrize(
    ("layers", "edges"),
    [([0, 0], [(0, 1)]), ([0, 2], [(0, 1)]), ([0, 1, 1], [(0, 1)])],
)
def test_the_library_gets_nothing_that_it_may_crash_on(
    layers: list[int], edges: list[tuple[int, int]]
) -> None:
    with pytest.raises(AssertionError):
        layered(layers, edges)


def test_what_hangs_together() -> None:
    assert is_connected(1, [])
    assert is_connected(3, [(0, 2), (1, 2)])
    assert not is_connected(3, [(0, 1)])


def test_without_the_library_the_extra_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "igraph", None)
    with pytest.raises(UsageError) as caught:
        layered([0], [])
    assert caught.value.hint == "pip install 'byline-ledger[graph]'"
