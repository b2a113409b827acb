"""`byline query --peer` against real nodes, with no node where it is asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import trio
from tests.cli.program import Ended, Program
from tests.node.test_peer_query import NOWHERE, lying, memory_root
from tests.support.memory_log import MemoryLog
from tests.support.node_process import node_process
from tests.support.signed import key, signed, work

from byline_ledger.digest import digest_bytes
from byline_ledger.log import Ledger
from byline_ledger.query_messages import AskRoot, QueryRefusal, QueryRequest
from byline_node.client import Client
from byline_node.config import NodeConfig

LISTEN = "/ip4/127.0.0.1/tcp/0"
PHOTO = b"a photo"
WORKS = [work(f"work {number}", key(2)) for number in range(120)]


@dataclass
class Nodes:
    """Two nodes that follow nobody, and a reader who has none."""

    reader: Program
    first: Client
    second: Client

    def address(self, node: Client) -> str:
        return str(node.status()["listen"][0])

    def ask(self, what: Path | str, *options: str) -> Ended:
        return self.reader("query", what, *options)


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    folder = tmp_path_factory.mktemp("peers")
    (folder / "reader").mkdir()
    reader = Program(folder / "reader")
    reader.write("photo.jpg", PHOTO)
    with (
        node_process(folder / "first", listen=LISTEN) as first,
        node_process(folder / "second", listen=LISTEN) as second,
    ):
        found = Nodes(reader, first.wait_ready(), second.wait_ready())
        mine = signed(digest_bytes(PHOTO))
        found.first.publish([mine, *WORKS])
        found.second.publish([mine, *WORKS])
        yield found


def test_a_peer_is_asked_what_held_then(nodes: Nodes) -> None:
    """Its answer is read as of a moment, like that of one's own node."""
    peer = ("--peer", nodes.address(nodes.first))
    then = nodes.ask("photo.jpg", *peer, "--as-of", "0", "--json")
    assert then.code == 3, then.err
    now = nodes.ask("photo.jpg", *peer, "--as-of", "2099-01-01", "--json")
    assert now.code == 0, now.err
    assert now.json["answer"]["as_of"]


def test_a_peer_is_asked_without_a_node(nodes: Nodes) -> None:
    """The answer and its proof are those of HTTP; nothing is left behind."""
    asked = nodes.ask("photo.jpg", "--peer", nodes.address(nodes.first), "--json")
    assert asked.code == 0, asked.err
    over_http = nodes.reader(
        "query", "photo.jpg", "--json", BYLINE_NODE=nodes.first.url
    )
    mine, plain = asked.json, over_http.json
    assert {k: mine[k] for k in plain} == plain
    (peer,) = mine["peers"]
    assert peer["shown"]
    assert peer["set_root"] == nodes.first.status()["set_root"]
    assert not nodes.reader.home.exists()
    shown = nodes.ask("photo.jpg", "--peer", nodes.address(nodes.first))
    assert "Peers" not in shown.out
    assert shown.err == ""


def test_several_peers_are_compared(nodes: Nodes) -> None:
    """One line for each; who is not there says why, and costs nothing."""
    options = [nodes.address(nodes.first), nodes.address(nodes.second), NOWHERE]
    peers = [part for one in options for part in ("--peer", one)]
    shown = nodes.ask("photo.jpg", *peers)
    assert shown.code == 0, shown.err
    assert "Both hold the same set of statements." in shown.out
    assert "None shows more about this work" in shown.out
    assert "Connection refused" in shown.out
    nodes.second.publish([signed(digest_bytes(PHOTO), key(4))])
    shown = nodes.ask("photo.jpg", *peers[:4])
    assert "2 hold 2 different sets of statements" in shown.out
    value = nodes.ask("photo.jpg", *peers[:4], "--json").json
    assert value["agree"] is False
    assert [one["shown"] for one in value["peers"]] == [False, True]


@pytest.mark.parametrize("name", ["photo.jpg", digest_bytes(b"no such").hex()[4:]])
def test_a_crowd_hides_the_question(nodes: Nodes, name: str) -> None:
    """The answer is that of an open question, and it says how large the crowd was."""
    peer = ["--peer", nodes.address(nodes.first)]
    hidden = nodes.ask(name, *peer, "--private", "--crowd", "16", "--json")
    plain = nodes.ask(name, *peer, "--json")
    assert hidden.code == plain.code
    assert hidden.json["answer"] == plain.json["answer"]
    crowd = hidden.json["crowd"]
    assert crowd["works"] >= 16
    assert crowd["bits"] >= 1
    shown = nodes.ask(name, *peer, "--private", "--crowd", "1000")
    assert "0 bits of a lookup key: 121 works" in shown.out
    assert "than the 1000 works you wanted" in shown.out
    assert "is the word of this log" in shown.out


def test_a_kept_proof_of_a_crowd_is_one_like_any_other(nodes: Nodes) -> None:
    peer = ["--peer", nodes.address(nodes.first)]
    saved = nodes.ask("photo.jpg", *peer, "--private", "--save", "photo.byline")
    assert saved.code == 0, saved.err
    assert nodes.reader("verify", "photo.byline", "photo.jpg").code == 0


def test_a_peer_is_known_by_its_name(nodes: Nodes, tmp_path: Path) -> None:
    """From node.toml, or from the node that runs."""
    address = nodes.address(nodes.first)
    name = address.rpartition("/")[2]
    byline = Program(tmp_path)
    photo = byline.write("photo.jpg", PHOTO)
    home = byline.home
    (home / "node").mkdir(parents=True)
    NodeConfig(home, peers=(address,)).write()
    assert byline("query", photo, "--peer", name).code == 0
    (home / "node" / "node.toml").unlink()
    assert byline("query", photo, "--peer", name).code == 78
    # A node's own address counts, and those of its peers.
    assert byline("query", photo, "--peer", name, BYLINE_NODE=nodes.first.url).code == 0


def shows(log: MemoryLog) -> Any:
    def lie(request: QueryRequest, _truth: bytes) -> bytes:
        if isinstance(request, AskRoot):
            return memory_root(log, request.seen)
        return QueryRefusal("only roots").to_bytes()

    return lie


def test_a_log_that_contradicts_itself_ends_with_an_alarm(
    nodes: Nodes, tmp_path: Path
) -> None:
    """A file that anybody can check; answers of other logs are shown all the same."""
    byline = Program(tmp_path)
    photo = byline.write("photo.jpg", PHOTO)
    log, fork = MemoryLog(1), MemoryLog(1)
    log.append(WORKS[:3])
    fork.append(WORKS[3:6])
    honest = nodes.address(nodes.first)

    async def run() -> list[Ended]:
        ledger = Ledger.init(tmp_path / "liar")
        try:
            async with (
                lying(ledger.view, shows(log)) as a,
                lying(ledger.view, shows(fork), 7) as b,
            ):
                two = ["--peer", a[0], "--peer", b[0]]
                return [
                    await trio.to_thread.run_sync(
                        lambda more=more: byline("query", photo, *two, *more)
                    )
                    for more in ((), ("--peer", honest))
                ]
        finally:
            ledger.close()

    alone, with_other = trio.run(run)
    (alarm,) = tmp_path.glob("*.alarm")
    assert alone.code == 4
    assert alarm.name in alone.complaint
    assert with_other.code == 4
    assert "CONTRADICTS ITSELF" in with_other.out
    assert "Claimed by" in with_other.out
    assert byline("alarm", "verify", alarm).code == 4
