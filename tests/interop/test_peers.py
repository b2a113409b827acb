"""Peers in other languages, on the libp2p of others, take part in a Byline network.

They were written from docs/spec and the vectors and share no code with nodes, nor with
each other.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE, STDOUT, Popen, run

import pytest
from tests.interop.peer_programs import HERE, Peer, command_of, running, vectors_of
from tests.support.node_process import node_process
from tests.support.signed import work
from tests.support.waiting import wait_until

from byline_ledger.bundle import Bundle
from byline_ledger.statement import Statement
from byline_node.client import Client

pytestmark = pytest.mark.interop

LANGUAGES = ["go", "js"]
LOOPBACK = "/ip4/127.0.0.1/tcp/0"
BEFORE = 300
"""Statements that are in the log when the peer comes."""


@contextmanager
def node_and_peer(folder: Path, language: str) -> Iterator[tuple[Client, Peer]]:
    with running(language) as peer, node_process(folder, listen=LOOPBACK) as node:
        client = node.wait_ready()
        client.publish([work(f"before {number}") for number in range(BEFORE)])
        yield client, peer


def address_of(client: Client) -> str:
    return str(client.status()["listen"][0])


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_reads_the_vectors_as_we_do(language: str) -> None:
    groups = vectors_of(language)
    assert len(groups) >= 15
    assert [group for group in groups if group["differ"]] == []
    assert all(group["agree"] for group in groups)


def test_the_go_peer_is_formatted_and_vetted() -> None:
    command_of("go", "peer")
    for command in (["gofmt", "-l", "."], ["go", "vet", "-mod=readonly", "./..."]):
        done = run(
            command, cwd=HERE / "go-peer", stdout=PIPE, stderr=STDOUT, check=False
        )
        assert (done.returncode, done.stdout.decode()) == (0, "")


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_takes_part(tmp_path: Path, language: str) -> None:
    """Gossip both ways, the log to its end, answers with their proofs."""
    with node_and_peer(tmp_path / "home", language) as (client, peer):
        met = peer.ask("connect", address_of(client))
        assert met["encryption"] == "/noise"
        assert met["multiplexer"] == "/yamux/1.0.0"
        theirs = publishes(client, peer)
        hears(client, peer)
        follows(client, peer, theirs)
        queries(client, peer, theirs)
        assert [fact for fact in peer.facts if fact.get("bad")] == []


def publishes(client: Client, peer: Peer) -> Statement:
    """What the peer makes and signs is verified, admitted and logged by the node."""
    told = peer.ask("publish", "made elsewhere")
    statement = Statement.from_envelope(bytes.fromhex(told["envelope"]))
    assert statement.id.hex() == told["id"]
    statement.verify()
    wait_until(lambda: client.status()["statements"] > BEFORE)
    (logged,) = bundle_of(client, statement.about).statements
    assert logged.statement == statement
    return statement


def hears(client: Client, peer: Peer) -> None:
    """What the node publishes comes to the peer, which verifies it."""
    ours = work("made here")
    client.publish([ours])
    heard = peer.wait_for(lambda fact: ours.id.hex() in fact.get("ids", ()))
    assert heard["from"] == client.status()["peer_id"]


def follows(client: Client, peer: Peer, theirs: Statement) -> None:
    """From nothing to the end, then what came since, then nothing more."""
    first = peer.ask("follow")
    assert "error" not in first, first
    agrees(client, first)
    assert first["asked"][:3] == ["meet", "entries", "statements"]
    assert theirs.id.hex() in first["statements"]
    assert len(first["statements"]) == BEFORE + 2
    later = [work(f"later {number}") for number in range(3)]
    client.publish(later)
    second = peer.ask("follow")
    agrees(client, second)
    assert second["asked"] == ["next", "statements"]
    assert set(second["statements"][BEFORE + 2 :]) == {one.id.hex() for one in later}
    assert peer.ask("follow")["asked"] == ["next"]


def agrees(client: Client, followed: dict[str, object]) -> None:
    """The peer holds the same log and the same set, whose root it computed itself."""
    status = client.status()
    assert followed["vkey"] == status["vkey"]
    assert followed["size"] == followed["leaves"] == status["size"]
    assert followed["root"] == status["root"]
    assert followed["set"] == followed["claimed"] == status["set_root"]
    assert followed["gaps"] == []


def queries(client: Client, peer: Peer, theirs: Statement) -> None:
    """Of a work that is claimed, and of one of which nothing is known."""
    for text, ids in (("made elsewhere", [theirs.id.hex()]), ("unheard of", [])):
        answer = peer.ask("query", hashlib.sha256(text.encode()).hexdigest())
        assert answer.get("ids") == ids, answer
        assert answer["log"] == client.status()["vkey"]
        assert answer["root"] == client.status()["root"]


def bundle_of(client: Client, about: bytes) -> Bundle:
    return Bundle.from_bytes(client.query_bundle(about))


# Who may not


# A host as py-libp2p makes it if nobody says otherwise.
UNSAFE = """
import sys, trio
from libp2p import new_host
from multiaddr import Multiaddr

async def main():
    host = new_host()
    async with host.run(listen_addrs=[Multiaddr("/ip4/127.0.0.1/tcp/0")]):
        print(host.get_addrs()[0], flush=True)
        await trio.to_thread.run_sync(sys.stdin.read)

trio.run(main)
"""


@contextmanager
def unsafe_host() -> Iterator[str]:
    """The address of a host that accepts plaintext."""
    command = [sys.executable, "-c", UNSAFE]
    process = Popen(command, stdin=PIPE, stdout=PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("language", LANGUAGES)
def test_plaintext_is_refused(tmp_path: Path, language: str) -> None:
    """There anybody can be anybody.  A host that has it shows that this peer can."""
    with running(language) as peer, unsafe_host() as address:
        taken = peer.ask("plaintext", address)
        assert taken == {"fact": "plaintext", "refused": False, "encryption": PLAIN}
    with node_and_peer(tmp_path / "home", language) as (client, peer):
        refused = peer.ask("plaintext", address_of(client))
        assert refused["refused"], refused
        assert PLAIN in refused["message"]


PLAIN = "/plaintext/2.0.0"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_private_network_takes_neither(tmp_path: Path, language: str) -> None:
    home = tmp_path / "home"
    folder = home / "node"
    folder.mkdir(parents=True)
    key = f"/key/swarm/psk/1.0.0/\n/base16/\n{'5a' * 32}\n"
    (folder / "swarm.key").write_text(key)
    (folder / "node.toml").write_text('network_key_file = "swarm.key"\n')
    with node_and_peer(home, language) as (client, peer):
        assert "error" in peer.ask("connect", address_of(client))
        assert peer.ask("plaintext", address_of(client))["refused"]
        assert client.status()["peers"] == []
