"""A log is held until its cosigners agree; what their clocks say is another matter."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import trio
from tests.support.signed import work
from tests.support.waiting import until

from byline_ledger.cosignature import cosign, cosigner_vkey
from byline_ledger.crypto import SigningKey
from byline_ledger.log import Ledger
from byline_ledger.note import parse_note
from byline_ledger.witness import OK, AddCheckpoint
from byline_node.cosigning import Cosigner

pytestmark = pytest.mark.trio

NOW = 1_800_000_000


class ClockedWitness:
    """known_witness.WitnessClient whose clock can be set."""

    name = "peer"
    kind = "peer"

    def __init__(self) -> None:
        self.time = NOW
        self.answered = 0
        self._key = SigningKey.from_seed(b"\x07" * 32)
        self._name = "witness.example/1/witness"

    async def vkeys(self) -> Sequence[str]:
        return [cosigner_vkey(self._name, self._key.public)]

    async def add(self, body: bytes) -> tuple[int, bytes]:
        text = parse_note(AddCheckpoint.from_bytes(body).note).text
        self.answered += 1
        return OK, cosign(text, self._name, self._key, self.time).to_line()

    async def latest(self) -> bytes | None:
        return None


async def cosigned_once(ledger: Ledger, witness: ClockedWitness) -> Cosigner:
    """A round with the witness, which the configuration names."""
    before = witness.answered
    cosigner = Cosigner(
        ledger, clock=lambda: NOW, peers=lambda: [witness], named_peers=["peer"]
    )
    async with trio.open_nursery() as nursery:
        nursery.start_soon(cosigner.run)
        await until(lambda: witness.answered > before and cosigner.known[0].size)
        nursery.cancel_scope.cancel()
    return cosigner


async def test_a_clock_that_is_behind_holds_no_log_for_ever(tmp_path: Path) -> None:
    """The witness agrees with the tree, though its signature seems of tomorrow."""
    witness = ClockedWitness()
    ledger = Ledger.init(tmp_path)
    ledger.append([work("one")])
    await cosigned_once(ledger, witness)
    ledger.close()
    ledger = Ledger.open(tmp_path)
    witness.time = NOW + 86_400
    cosigner = Cosigner(
        ledger, clock=lambda: NOW, peers=lambda: [witness], named_peers=["peer"]
    )
    assert "not certain" in str(ledger.read_only)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(cosigner.run)
        await until(lambda: ledger.read_only is None)
        nursery.cancel_scope.cancel()
    assert cosigner.known[0].error == "it dates its cosignature into the future"
    assert cosigner.status()["cosigned"]["time"] == NOW, "tomorrow was taken for a time"
    ledger.close()
