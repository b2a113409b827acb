"""Beside a hold: crowds of cosigners, unsigned logs, being a witness oneself."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
import trio
import trio.testing
from tests.support.held_nodes import Honest, Node, rounds, vkey
from tests.support.memory_log import MemoryLog

from byline_ledger import cosignature as cosignature_module
from byline_ledger import note as note_module
from byline_ledger.checkpoint import Checkpoint
from byline_ledger.cosignature import verify_cosignature
from byline_ledger.errors import StoreError
from byline_ledger.note import Verifier, parse_note
from byline_ledger.store.restored import Restored, write_restored
from byline_ledger.witness import AddCheckpoint
from byline_node.config import NodeConfig
from byline_node.cosigning import MAX_LINES
from byline_node.reasons import one_error
from byline_node.service import open_ledger
from byline_node.witnessing import Witness

pytestmark = pytest.mark.trio


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    made = Node(tmp_path)
    yield made
    made.ledger.close()


async def test_more_cosigners_than_a_note_has_room_for(node: Node) -> None:
    """The operator's come first."""
    crowd = [Honest(number, vkey(node)) for number in range(2, 70)]
    for one in crowd:
        one.replays = True
    good = Honest(1, vkey(node))
    cosigner = node.cosigner(*crowd, good, named=(good.name,))
    await rounds(cosigner)
    note = parse_note(cosigner.published().checkpoint)
    assert len(note.signatures) == MAX_LINES + 1
    assert note.signature_by(Verifier.from_text(good.keys.witness_vkey)) is not None


async def test_a_key_with_the_name_and_id_of_another_takes_no_place(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An id has 4 bytes: a key that has the same is found in hours."""

    true = note_module.key_id

    def short(name: str, key_type: int, public: bytes) -> bytes:
        same = bytes(32) if key_type == note_module.COSIGNATURE else public
        return true(name, key_type, same)

    monkeypatch.setattr(note_module, "key_id", short)
    monkeypatch.setattr(cosignature_module, "key_id", short)
    good, stranger = Honest(1, vkey(node)), Honest(1, vkey(node))
    stranger.name = "stranger"
    stranger.renew(1, b"r" * 16)
    cosigner = node.cosigner(good, stranger, named=(good.name,))
    await rounds(cosigner)
    note = parse_note(cosigner.published().checkpoint)
    assert verify_cosignature(note, Verifier.from_text(good.keys.witness_vkey))
    assert cosigner.status()["cosigned"]["count"] == 1


async def test_strangers_who_left_are_forgotten(node: Node) -> None:
    crowd = [Honest(number, vkey(node)) for number in range(20)]
    cosigner = node.cosigner(*crowd)
    await rounds(cosigner)
    assert len(cosigner._by_peer) == 20
    cosigner._peers = lambda: crowd[:3]
    await rounds(cosigner)
    assert len(cosigner._by_peer) == 3


@pytest.mark.parametrize("end", ["retired", "restored"])
async def test_a_log_that_is_not_signed_is_cosigned_and_served(
    node: Node, end: str
) -> None:
    if end == "retired":
        node.ledger.retire("goodbye")
    else:
        view = node.ledger.view
        mark = Restored(view.origin, view.size, 1_790_000_000)
        write_restored(node.folder / "restored", mark)
    good = Honest(1, vkey(node))
    cosigner = node.start(good)
    reason = node.ledger.read_only
    await rounds(cosigner)
    assert cosigner.status()["cosigned"]["count"] == 1
    assert node.ledger.read_only == reason
    assert node.ledger.failure is None


async def test_a_failed_write_still_stops_the_node(node: Node) -> None:
    good = Honest(1, vkey(node))
    cosigner = node.cosigner(good)
    node.ledger._failure = "the disk failed"
    with pytest.raises(StoreError), one_error():
        await rounds(cosigner)


async def test_a_request_that_waited_until_the_log_was_held_is_not_cosigned(
    node: Node,
) -> None:
    other = MemoryLog(7)
    witness = Witness(node.ledger, clock=time.time, configured=[other.vkey])
    request = AddCheckpoint(0, (), other.checkpoint).to_bytes()
    statuses: list[int] = []

    async def ask() -> None:
        statuses.append((await witness.add_checkpoint(request)).status)

    async with trio.open_nursery() as nursery, witness._turn:
        nursery.start_soon(ask)
        await trio.testing.wait_all_tasks_blocked()
        node.ledger.hold("somebody has seen more")
    assert statuses == [503]


async def test_a_decision_during_which_the_log_was_held_is_not_let_out(
    node: Node,
) -> None:
    """It was signed and stored, and nobody sees it; so it is signed again later."""
    other = MemoryLog(7)

    def hold(_checkpoint: Checkpoint) -> bool:
        node.ledger.hold("somebody has seen more")
        return False

    configured = [other.vkey]
    witness = Witness(
        node.ledger, clock=time.time, configured=configured, is_replayed=hold
    )
    request = AddCheckpoint(0, (), other.checkpoint).to_bytes()
    assert (await witness.add_checkpoint(request)).status == 503


async def test_the_option_that_trusts_the_disk_renews_the_witness(
    node: Node, tmp_path: Path
) -> None:
    """Also of a log that is held, and of one that is read-only for good."""
    before = node.ledger.keys
    await rounds(node.cosigner(Honest(1, vkey(node))))
    node.ledger.retire("goodbye")
    node.ledger.close()
    config = NodeConfig(tmp_path, trust_disk=True)
    assert config.folder == node.folder
    with structlog.testing.capture_logs() as lines:
        async with open_ledger(config) as ledger:
            keys = ledger.keys
    assert keys.log_vkey == before.log_vkey
    assert not {keys.witness_vkey, keys.replay_vkey} & {
        before.witness_vkey,
        before.replay_vkey,
    }
    (said,) = [line for line in lines if "vkeys" in line]
    assert said["vkeys"] == (keys.witness_vkey, keys.replay_vkey)
    async with open_ledger(NodeConfig(tmp_path)) as ledger:
        assert ledger.keys.witness_vkey == keys.witness_vkey


async def test_whoever_trusts_the_disk_gets_a_witness_with_new_keys(node: Node) -> None:
    before = node.ledger.keys
    node.ledger.renew_witness(b"r" * 16)
    assert node.ledger.keys.log_vkey == before.log_vkey
    assert node.ledger.keys.witness_vkey != before.witness_vkey
