"""An old backup beside peers: read-only with one clear message, and brought back."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from tests.cli.program import Program
from tests.support.node_process import node_process
from tests.support.signed import work

from byline_ledger.check import check_ledger
from byline_ledger.checkpoint import checkpoint_of, open_checkpoint
from byline_ledger.log import Ledger
from byline_ledger.merkle import verify_consistency
from byline_node.client import Client

LISTEN = "/ip4/127.0.0.1/tcp/0"


def until(condition: Callable[[], Any], seconds: float = 30.0) -> Any:
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "it never came"
        time.sleep(0.05)
    return found


def published(client: Client) -> bytes:
    return httpx.get(client.url + "/log/checkpoint", trust_env=False).content


def witness_keys(client: Client) -> list[str]:
    return httpx.get(client.url + "/witness/vkey", trust_env=False).text.split()


def mirror_of(peer: Client, origin: str) -> str:
    return f"{peer.url}/mirror/{hashlib.sha256(origin.encode()).hexdigest()}"


def cosigned_by(peer: Client) -> set[str]:
    """Verifier keys of those who have cosigned the peer's log, without error."""
    witnesses = peer.status()["witnesses"]
    return {row["vkey"] for row in witnesses if row["error"] is None}


def is_mirrored(peer: Client, origin: str, size: int) -> bool:
    note = httpx.get(mirror_of(peer, origin) + "/checkpoint", trust_env=False)
    return note.status_code == 200 and checkpoint_of(note.content).size == size


def test_an_old_backup_beside_peers_is_brought_back_without_a_fork(
    tmp_path: Path,
) -> None:
    """Backed up while it runs, restored after more was signed; a peer kept a copy."""
    for name in ("first", "again"):
        (tmp_path / name).mkdir()
    first, again = Program(tmp_path / "first"), Program(tmp_path / "again")
    notes: list[bytes] = []
    with node_process(first.home, listen=LISTEN) as node:
        client = node.wait_ready()
        status = client.status()
        origin, vkey = status["origin"], status["vkey"]
        address = status["listen"][0]
        old_keys = witness_keys(client)
        with node_process(tmp_path / "peer", listen=LISTEN, peers=address) as peer:
            other = peer.wait_ready()
            client.publish([work(f"before {number}") for number in range(20)])
            notes.append(published(client))
            made = first("node", "backup", tmp_path / "backup")
            assert made.code == 0, made.err
            for number in range(5):
                client.publish([work(f"after {number}")])
                notes.append(published(client))
            size = client.status()["size"]
            until(lambda: is_mirrored(other, origin, size))
            node.process.kill()
            node.process.communicate()

            restored = again("node", "restore", tmp_path / "backup")
            assert restored.code == 0, restored.err
            peers = other.status()["listen"][0]
            with node_process(again.home, listen=LISTEN, peers=peers) as node:
                client = node.wait_ready()
                reason = client.status()["read_only"]
                assert "backup" in reason
                assert "byline node recover" in reason
                assert client.status()["statements"] == 20
                node.stop()
            recovered = again("node", "recover", "--from", mirror_of(other, origin))
            assert recovered.code == 0, recovered.out + recovered.err
            with node_process(again.home, listen=LISTEN, peers=peers) as node:
                client = node.wait_ready()
                until(lambda: client.status()["read_only"] is None)
                assert client.status()["size"] == size
                keys = witness_keys(client)
                assert not set(keys) & set(old_keys)
                assert all(key in recovered.out for key in keys)
                client.publish([work("and on")])
                notes.append(published(client))
                until(lambda: cosigned_by(other) >= set(keys[:1]))
                node.stop()
    assert check_ledger(again.home / "node").problem is None
    ledger = Ledger.open(again.home / "node")
    view = ledger.view
    for note in notes:
        seen = open_checkpoint(note, vkey)
        proof = view.consistency_proof(seen.size)
        verify_consistency(seen.size, view.size, seen.root, view.root, proof)
    assert view.statement_count == 26
    ledger.close()


def test_a_restored_log_is_ended_by_a_notice_on_its_operators_word(
    tmp_path: Path,
) -> None:
    """Both options together: it lost nothing, and still gets a new name."""
    byline = Program(tmp_path)
    assert byline("node", "init").code == 0
    assert byline("node", "backup", "backup").code == 0
    new = ("node", "recover", "--new-origin", "new.example", "--json")
    for given, ended in (((), False), (("--nothing-lost",), True)):
        there = {"BYLINE_HOME": str(tmp_path / f"there{len(given)}")}
        assert byline("node", "restore", "backup", **there).code == 0
        done = byline(*new, *given, **there)
        assert done.code == 0, done.err
        assert (done.json["new_log"]["not_ended"] is None) is ended
        assert done.json["read_only"] is None
