"""Nodes cosign each other, over real libp2p and HTTP; and a log that was put back to an
earlier state is not signed again."""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.support.memory_log import MemoryLog
from tests.support.node_process import NodeProcess, node_process
from tests.support.signed import work

from byline_ledger.audit import audit
from byline_ledger.bundle import Bundle
from byline_ledger.checkpoint import checkpoint_of
from byline_ledger.cosignature import verify_cosignature
from byline_ledger.errors import ReadOnlyError
from byline_ledger.log import Ledger
from byline_ledger.merkle import consistency_proof
from byline_ledger.mirror import Mirror
from byline_ledger.note import Verifier, parse_note
from byline_ledger.witness import AddCheckpoint, merge, parse_lines
from byline_node import upkeep
from byline_node.client import Client
from byline_node.home import Home
from byline_node.log_source import open_source
from byline_node.mirror_word import End, why_no_word
from byline_node.recover import open_places

LISTEN = "/ip4/127.0.0.1/tcp/0"


def until(condition: Callable[[], Any], seconds: float = 20.0) -> Any:
    """What the condition gives, once it gives something."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "it never came"
        time.sleep(0.05)
    return found


def cosigned_by(client: Client, *names: str) -> bool:
    """Whether the newest tree is served under cosignatures by these logs' nodes."""
    status = client.status()
    note = httpx.get(client.url + "/log/checkpoint", trust_env=False).content
    signers = {one.name for one in parse_note(note).signatures}
    is_newest = checkpoint_of(note).size == status["size"]
    return is_newest and all(f"{name}/witness" in signers for name in names)


def witness_keys(client: Client) -> list[Verifier]:
    text = httpx.get(client.url + "/witness/vkey", trust_env=False).text
    return [Verifier.from_text(line) for line in text.splitlines()]


def test_two_nodes_cosign_each_other(tmp_path: Path) -> None:
    """What is published is answered under the other's cosignature at once."""
    with node_process(tmp_path / "a", listen=LISTEN) as a:
        first = a.wait_ready()
        peers = first.status()["listen"][0]
        with node_process(tmp_path / "b", listen=LISTEN, peers=peers) as b:
            second = b.wait_ready()
            names = [one.status()["origin"] for one in (first, second)]
            until(lambda: cosigned_by(first, names[1]))
            until(lambda: cosigned_by(second, names[0]))
            one = work("cosigned")
            first.publish([one])
            bundle = Bundle.from_bytes(first.query_bundle(one.about))
            assert len(bundle.statements) == 1
            note = parse_note(bundle.checkpoint)
            keys = witness_keys(second)
            assert abs(verify_cosignature(note, keys[0]) - time.time()) < 60
            status = first.status()
            assert status["cosigned"]["size"] == status["size"]
            assert status["cosigned"]["count"] >= 1
            assert status["witnesses"][0]["error"] is None
            # The first node has not configured the second, and replays nothing of it.
            told = {one["kind"]: one["size"] for one in second.status()["witnesses"]}
            assert told["witness"] > 0
            assert told["replay"] == 0
            name = hashlib.sha256(names[0].encode()).hexdigest()
            kept = until(
                lambda: httpx.get(
                    f"{second.url}/witness/{name}/checkpoint", trust_env=False
                )
            )
            assert kept.status_code == 200
            assert checkpoint_of(kept.content).origin == names[0]


def test_the_log_of_a_configured_peer_is_replayed(tmp_path: Path) -> None:
    """Its replay key signs too, and the copy can be read as files."""
    with node_process(tmp_path / "a", listen=LISTEN) as a:
        first = a.wait_ready()
        first.publish([work(f"before {number}") for number in range(300)])
        peers = first.status()["listen"][0]
        with node_process(tmp_path / "b", listen=LISTEN, peers=peers) as b:
            second = b.wait_ready()
            origin, replay = first.status()["origin"], witness_keys(second)[1]

            def is_replayed() -> bool:
                first.publish([work(f"again {time.monotonic()}")])
                note = httpx.get(first.url + "/log/checkpoint", trust_env=False)
                return parse_note(note.content).signature_by(replay) is not None

            until(is_replayed)
            note = parse_note(
                httpx.get(first.url + "/log/checkpoint", trust_env=False).content
            )
            assert verify_cosignature(note, replay)
            name = hashlib.sha256(origin.encode()).hexdigest()
            with open_source(f"{second.url}/mirror/{name}") as source:
                copy = checkpoint_of(source.checkpoint())
                assert copy.origin == origin
                with Mirror.open(tmp_path / "audit", source.vkey() or "") as mirror:
                    assert audit(source, mirror).ok
                vkey = source.vkey() or ""
            mirror = f"{second.url}/mirror/{name}"

            def is_copied() -> bool:
                """Also what was published last."""
                note = httpx.get(f"{mirror}/checkpoint", trust_env=False).content
                return checkpoint_of(note).size == first.status()["size"]

            until(is_copied)
            # Whoever lost that log need only name this node.
            with open_places([second.url], vkey) as places:
                assert places[0].copy.end.origin == origin
                place = places[0]
                size = place.copy.end.size
                end = End(origin, size, int(time.time()) - 60)
                reason = why_no_word(place.source, place.name, size, end)
                assert reason is None, reason
                end = End(origin, size + 1, 0)
                reason = why_no_word(place.source, place.name, size, end)
                assert "are here" in (reason or "")
            mirror += "/followed"
            for asked, status in (("", 400), ("ab", 400), ("é" * 16, 400)):
                query = {"nonce": asked}
                answer = httpx.get(mirror, params=query, trust_env=False)
                assert answer.status_code == status
            query = {"nonce": "0" * 32}
            answer = httpx.get(
                mirror.replace(name, "0" * 64), params=query, trust_env=False
            )
            assert answer.status_code == 404


def test_a_restart_is_confirmed_by_those_who_cosigned(tmp_path: Path) -> None:
    """Also where all restart together: each answers while it is held itself."""
    with node_process(tmp_path / "b", listen=LISTEN) as b:
        to_second = b.wait_ready().status()["listen"][0]
        b.stop()
    with node_process(tmp_path / "a", listen=LISTEN, peers=to_second) as a:
        first = a.wait_ready()
        to_first = first.status()["listen"][0]
        listen = [one.partition("/p2p/")[0] for one in (to_first, to_second)]
        with node_process(tmp_path / "b", listen=listen[1], peers=to_first) as b:
            second = b.wait_ready()
            names = [one.status()["origin"] for one in (first, second)]
            until(lambda: cosigned_by(first, names[1]))
            until(lambda: cosigned_by(second, names[0]))
            b.stop()
        a.stop()
    with node_process(tmp_path / "a", listen=listen[0], peers=to_second) as a:
        first = a.wait_ready()
        assert "not certain" in first.status()["read_only"]
        assert first.status()["held"]
        with pytest.raises(ReadOnlyError, match="not certain"):
            first.publish([work("too early")])
        assert not first.query(work("reads go on").about).known
        with node_process(tmp_path / "b", listen=listen[1], peers=to_first) as b:
            second = b.wait_ready()
            until(lambda: first.status()["read_only"] is None, 60)
            assert not first.status()["held"]
            until(lambda: second.status()["read_only"] is None, 60)
            first.publish([work("confirmed")])


def test_an_old_disk_is_not_signed_again(tmp_path: Path) -> None:
    """The whole folder, guard included, was put back to an earlier state."""
    with node_process(tmp_path / "b", listen=LISTEN) as b:
        second = b.wait_ready()
        address = second.status()["listen"][0]
        other = second.status()["origin"]
        with node_process(tmp_path / "a", peers=address) as a:
            first = a.wait_ready()
            first.publish([work("one")])
            until(lambda: cosigned_by(first, other))
            a.stop()
        shutil.copytree(tmp_path / "a", tmp_path / "backup")
        with node_process(tmp_path / "a", peers=address) as a:
            first = a.wait_ready()
            until(lambda: first.status()["read_only"] is None)
            first.publish([work("two")])
            until(lambda: cosigned_by(first, other))
            size = first.status()["size"]
            a.stop()
        shutil.rmtree(tmp_path / "a")
        shutil.copytree(tmp_path / "backup", tmp_path / "a")
        with node_process(tmp_path / "a", peers=address) as a:
            first = a.wait_ready()
            reason = until(
                lambda: (
                    (one := first.status()["read_only"]) and "recover" in one and one
                )
            )
            assert f"cosigned {size} entries" in reason
            assert not first.status()["held"]
            with pytest.raises(ReadOnlyError):
                first.publish([work("a fork")])
            assert first.query(work("reads go on").about).works


@pytest.mark.parametrize("end", ["retired", "restored"])
@pytest.mark.parametrize("named", [True, False], ids=["named", "stranger"])
def test_a_log_that_is_not_signed_is_served_and_cosigned(
    tmp_path: Path, end: str, named: bool
) -> None:
    """By a real peer, and for as long as the node runs."""
    with node_process(tmp_path / "a", listen=LISTEN) as a:
        client = a.wait_ready()
        client.publish([work("kept")])
        listen = client.status()["listen"][0].partition("/p2p/")[0]
        to_first = client.status()["listen"][0]
        a.stop()
    home = Home(tmp_path / "a")
    if end == "retired":
        ledger = Ledger.open(home.node)
        ledger.retire("goodbye")
        ledger.close()
    else:
        upkeep.backup(home.node, tmp_path / "backup", lambda _done, _total: None)
        home = Home(tmp_path / "restored")
        upkeep.restore(tmp_path / "backup", home.node, lambda _size: None)
    with node_process(tmp_path / "b", listen=LISTEN, peers=to_first) as b:
        second = b.wait_ready()
        other = second.status()["origin"]
        peers = second.status()["listen"][0] if named else ""
        with node_process(home.folder, listen=listen, peers=peers) as node:
            first = node.wait_ready()
            until(lambda: cosigned_by(first, other))
            # Another round, since nobody has to commit anything for it.
            times = [first.status()["cosigned"]["time"]]
            b.stop()
            # Cosignatures count in seconds, and the next but one is a minute away.
            until(lambda: time.time() >= times[0] + 1)
            with node_process(tmp_path / "b", listen=LISTEN, peers=to_first) as again:
                again.wait_ready()
                until(lambda: first.status()["cosigned"]["time"] != times[0], 60)
            assert first.status()["read_only"] is not None
            assert first.query(work("kept").about).works
            with pytest.raises(ReadOnlyError):
                first.publish([work("more")])
            assert node.process.poll() is None
            assert node.stop()[0] == 0


# Over HTTP


@pytest.fixture
def log() -> MemoryLog:
    log = MemoryLog(2)
    log.append([work("a")])
    return log


def add(
    node: Client, log: MemoryLog, old: int, body: bytes | None = None
) -> httpx.Response:
    proof = tuple(consistency_proof(old, log.size, log.node)) if old <= log.size else ()
    request = body or AddCheckpoint(old, proof, log.checkpoint).to_bytes()
    url = node.url + "/witness/add-checkpoint"
    return httpx.post(url, content=request, trust_env=False)


def with_logs(folder: Path, *vkeys: str) -> NodeProcess:
    """A node whose operator has it witness these logs."""
    (folder / "node").mkdir(parents=True)
    lines = ", ".join(f'"{vkey}"' for vkey in vkeys)
    (folder / "node" / "node.toml").write_text(f"witness_logs = [{lines}]\n")
    return NodeProcess(folder)


def test_a_named_log_is_cosigned_over_http(tmp_path: Path, log: MemoryLog) -> None:
    """Every status, and what it remembers after kill -9."""
    node = with_logs(tmp_path, log.vkey)
    try:
        client = node.wait_ready()
        keys = witness_keys(client)
        assert add(client, MemoryLog(8), 0).status_code == 404
        assert add(client, log, 0, b"nonsense").status_code == 400
        assert add(client, log, 0, b"x" * 10_000_000).status_code == 413
        assert add(client, log, 1).status_code == 409
        answer = add(client, log, 0)
        assert answer.status_code == 200
        note = parse_note(merge(log.checkpoint, parse_lines(answer.content)))
        assert verify_cosignature(note, keys[0])
        node.process.kill()
        node.process.communicate()
        node = NodeProcess(tmp_path)
        client = node.wait_ready()
        size = log.size
        log.append([work("b")])
        answer = add(client, log, 0)
        assert (answer.status_code, answer.text) == (409, f"{size}\n")
        assert answer.headers["content-type"] == "text/x.tlog.size"
        assert add(client, log, size).status_code == 200
        other = MemoryLog(2)
        other.append([work("c")])
        other.append([work("d")])
        forked = AddCheckpoint(log.size, (), other.checkpoint).to_bytes()
        answer = add(client, log, 0, forked)
        assert answer.status_code == 422
        assert answer.text.count("\n") == 1
    finally:
        node.process.kill()
        node.process.communicate()


def test_too_many_requests_are_429(tmp_path: Path, log: MemoryLog) -> None:
    node = with_logs(tmp_path, log.vkey)
    try:
        client = node.wait_ready()
        with httpx.Client(trust_env=False) as http:
            url = client.url + "/witness/add-checkpoint"
            codes = {http.post(url, content=b"x").status_code for _ in range(300)}
        assert codes == {400, 429}
        assert client.health()
    finally:
        node.process.kill()
        node.process.communicate()
