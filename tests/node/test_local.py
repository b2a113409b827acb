"""The client without a node, and which client `open_client` gives."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import trio
from tests.support.api import Backend, api
from tests.support.signed import forged, key, signed, withdraw, work

from byline_ledger.digest import cid_of_statement, digest_bytes, multihash
from byline_ledger.errors import (
    BadSignatureError,
    NotFoundError,
    ReadOnlyError,
    StoreLockedError,
)
from byline_ledger.log import Ledger
from byline_node import Client, LocalClient, http_models, open_client
from byline_node.errors import NodeUnavailableError
from byline_node.home import Home, RunningNode


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_it_makes_a_node_and_says_so(home: Home) -> None:
    """The first use makes the store, the second finds it with what it holds."""
    one = work("kept")
    with LocalClient(home) as client:
        assert client.created
        client.publish([one])
    with LocalClient(home) as client:
        assert not client.created
        assert client.statement(one.id) == one


def test_the_same_methods_as_the_other_clients(home: Home) -> None:
    """Publish, query, authored, statement and status, without a node."""
    one, other = work("photo", title="a photo"), work("photo", key(2))
    remark = signed(multihash(one.id), key(2), type="endorse", role="witnessed")
    gone = withdraw(one)
    told: list[int] = []
    with LocalClient(home) as client:
        statements = [one, other, remark, gone]
        receipts = client.publish(statements, progress=told.append)
        for receipt, statement in zip(receipts, statements, strict=True):
            receipt.verify(statement)
        assert told == [4]
        for asked in (one.about, one.about[2:].hex(), one.id.hex()):
            answer = client.query(asked)
            assert answer.asked == one.about
            assert [claim.id for claim in answer.works[0].claims] == [one.id, other.id]
        assert client.query(cid_of_statement(remark.id)).asked == one.about
        assert client.authored(key().public, [one.about]) == [one, gone]
        assert client.query_bundle("sha256:" + one.about[2:].hex())
        assert not client.query(digest_bytes(b"nobody")).known
        http_models.Status.model_validate(client.status() | {"api": ""})
        assert client.status()["statements"] == 4
        with pytest.raises(NotFoundError):
            client.statement(bytes(32))


def test_a_bad_signature_is_not_taken(home: Home) -> None:
    """Nothing of the chunk is kept."""
    with LocalClient(home) as client:
        with pytest.raises(BadSignatureError):
            client.publish([work("good"), forged(work("bad"))])
        assert client.status()["statements"] == 0


def test_a_store_in_use_is_named(home: Home) -> None:
    """One line with the process that has it; exit code 74."""
    with LocalClient(home), pytest.raises(StoreLockedError) as caught:
        LocalClient(home)
    assert str(os.getpid()) in str(caught.value)
    assert caught.value.exit_code == 74


def test_a_log_that_is_not_written_is_read(home: Home) -> None:
    """Without its guard file the log answers, and takes nothing."""
    one = work("kept")
    with LocalClient(home) as client:
        client.publish([one])
    (home.node / "guard").unlink()
    with LocalClient(home) as client:
        assert client.query(one.about).known
        assert "guard" in client.status()["read_only"]
        with pytest.raises(ReadOnlyError, match="guard"):
            client.publish([work("more")])


def test_a_node_that_was_named_must_answer(home: Home) -> None:
    """No silent fall back to the local store."""
    nobody = "http://127.0.0.1:9"
    with pytest.raises(NodeUnavailableError):
        open_client(home, nobody)
    with pytest.raises(NodeUnavailableError):
        open_client(home, environ={"BYLINE_NODE": nobody})
    assert not home.node.exists()


def opened_and_closed(home: Home) -> Client | LocalClient:
    with open_client(home, environ={}) as client:
        return client


async def served(home: Home, tmp_path: Path, running: dict[str, Any]) -> Any:
    """What open_client gives while a node answers, after `running` was written down."""
    ledger = Ledger.init(tmp_path / "served")
    try:
        async with api(Backend(ledger)) as plain:
            node = {"api": str(plain.base_url), "pid": os.getpid()}
            node |= {"origin": ledger.view.origin}
            home.node.mkdir(exist_ok=True)
            home.run_file.write_text(json.dumps(node | running))
            client = await trio.to_thread.run_sync(
                lambda: open_client(home, environ={})
            )
            client.close()
            return client
    finally:
        ledger.close()


@pytest.mark.trio
async def test_a_running_node_is_found(home: Home, tmp_path: Path) -> None:
    """Through the file that it wrote when it was ready."""
    assert isinstance(await served(home, tmp_path, {}), Client)


@pytest.mark.trio
@pytest.mark.parametrize(
    "stale",
    [
        {"origin": "byline.internal/another"},
        {"api": "http://127.0.0.1:9"},
        {"pid": 2**22 + 1},
    ],
)
async def test_what_a_dead_node_left_behind_is_not_believed(
    home: Home, tmp_path: Path, stale: dict[str, Any]
) -> None:
    """Another node at that address, nobody there, or a process long gone: local."""
    assert isinstance(await served(home, tmp_path, stale), LocalClient)


def test_without_a_run_file_it_is_local(home: Home) -> None:
    """The usual case of a first use."""
    assert RunningNode.read(home.run_file) is None
    with open_client(home, environ={}) as client:
        assert isinstance(client, LocalClient)
