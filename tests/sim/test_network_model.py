"""The model of many nodes: what must hold of its numbers, and of its charts."""

from __future__ import annotations

import random
from xml.etree import ElementTree as ET

from benchmarks.network_model import Graph, measure, spread
from benchmarks.svg import Curve, chart


def test_each_node_has_its_share_of_neighbours_both_ways() -> None:
    graph = Graph.random(200, 6, random.Random(1))
    assert sum(map(len, graph.neighbours)) == 200 * 6
    for number, near in enumerate(graph.neighbours):
        assert all(
            (number, latency) in graph.neighbours[other] for other, latency in near
        )


def test_all_learn_it_whatever_gossip_loses() -> None:
    dice = random.Random(1)
    graph = Graph.random(300, 8, dice)
    without_loss, with_loss = spread(graph, 0, dice), spread(graph, 0.5, dice)
    follow_alone = spread(graph, 1, dice)
    assert len(without_loss.times) == len(with_loss.times) == 300
    assert without_loss.followed == 0
    assert (len(follow_alone.times), follow_alone.followed) == (300, 299)
    assert follow_alone.copies == 0
    # Each tells all but the one it heard it from.
    assert without_loss.copies == 300 * 8 - 299
    assert without_loss.until(0.99) < with_loss.until(0.99) < follow_alone.until(0.99)


def test_one_seed_gives_one_table() -> None:
    assert measure(100, 4, 0.3, seed=1) == measure(100, 4, 0.3, seed=1)
    assert measure(100, 4, 0.3, seed=1) != measure(100, 4, 0.3, seed=2)


def test_charts_are_xml_with_a_line_for_each_curve() -> None:
    text = chart("a < b", "x", "y", [Curve("one", [(0, 0), (2, 3)])] * 2)
    found = ET.fromstring(text)
    lines = found.findall("{http://www.w3.org/2000/svg}polyline")
    assert [one.get("points", "").count(",") for one in lines] == [2, 2]
