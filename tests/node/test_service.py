"""The node as a process: ready, stopped in order, killed, out of room, in the way."""

from __future__ import annotations

import json
import signal
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.node_process import NodeProcess, node_process
from tests.support.signed import work

from byline_ledger.check import check_ledger
from byline_ledger.errors import BylineError, MalformedError, ReadOnlyError, StoreError
from byline_ledger.log import Ledger
from byline_node import Client, LocalClient
from byline_node.errors import NodeUnavailableError
from byline_node.home import Home
from byline_node.receipts import Receipt
from byline_node.service import one_error

TEXT = "x" * 400


def publish_until_it_ends(client: object, receipts: list[Receipt]) -> None:
    """Publishes batches without end and keeps every receipt that was given."""
    number = 0
    try:
        while True:
            batch = [work(f"{number}.{i}", title=TEXT) for i in range(200)]
            receipts += client.publish(batch)  # type: ignore[attr-defined]
            number += 1
    except BylineError:
        return


def publishing(client: object, receipts: list[Receipt]) -> threading.Thread:
    """That, in a thread, once the first receipts are there."""
    thread = threading.Thread(target=publish_until_it_ends, args=(client, receipts))
    thread.start()
    while not receipts:
        assert thread.is_alive(), "it could not publish"
        time.sleep(0.01)
    return thread


def check_holds(home: Home, receipts: list[Receipt]) -> None:
    """Everything in the folder fits, and what every receipt names is there."""
    assert check_ledger(home.node, lambda text: None).problem is None
    ledger = Ledger.open(home.node)
    try:
        assert ledger.read_only is None
        for receipt in receipts:
            assert ledger.view.index_of(receipt.id) == receipt.index
    finally:
        ledger.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_is_ready_and_stops_when_told(tmp_path: Path, number: int) -> None:
    """Exit code 0, quickly; the run file is there as long as the node is ready."""
    with node_process(tmp_path) as node:
        with node.wait_ready() as client:
            one = work("kept")
            client.publish([one])
        code, seconds, written = node.stop(number)
        assert code == 0, written
        assert seconds < 5
        assert not node.home.run_file.exists()
    lines = [json.loads(line) for line in written.splitlines()]
    events = [line["event"] for line in lines]
    assert events == ["made a new node", "ready", "stopping", "stopped"]
    assert lines[1]["api"].startswith("http://127.0.0.1:")
    with LocalClient(node.home) as local:
        assert local.statement(one.id) == one


def test_stopping_under_load_loses_nothing(tmp_path: Path) -> None:
    """Every receipt that was given is for a statement that is there."""
    receipts: list[Receipt] = []
    with node_process(tmp_path) as node, node.wait_ready() as client:
        thread = publishing(client, receipts)
        code, seconds, written = node.stop()
        thread.join(30)
    assert code == 0, written
    assert seconds < 5
    check_holds(node.home, receipts)


def test_being_killed_under_load_loses_nothing(tmp_path: Path) -> None:
    """The same after SIGKILL, and the node starts again on what is there."""
    receipts: list[Receipt] = []
    with node_process(tmp_path) as node, node.wait_ready() as client:
        thread = publishing(client, receipts)
        code, _, _ = node.stop(signal.SIGKILL)
        thread.join(30)
    assert code == -signal.SIGKILL
    assert node.home.run_file.exists()
    check_holds(node.home, receipts)
    with node_process(tmp_path) as again, again.wait_ready() as client:
        assert client.statement(receipts[-1].id).id == receipts[-1].id


def test_a_client_that_holds_an_answer_does_not_hold_the_node(tmp_path: Path) -> None:
    """Half a request and an unread answer: the node stops in time all the same."""
    with node_process(tmp_path) as node, node.wait_ready() as client:
        host, port = client.url.removeprefix("http://").split(":")
        client.publish([work("w", title=TEXT) for _ in range(300)])
        ask = f"GET /v1/query/{work('w').about[2:].hex()} HTTP/1.1\r\nHost: x\r\n\r\n"
        ask = ask.replace("Host: x", "Host: localhost")
        half = b"POST /v1/statements HTTP/1.1\r\nHost: localhost\r\nContent-Le"
        with (
            socket.create_connection((host, int(port))) as unread,
            socket.create_connection((host, int(port))) as unfinished,
        ):
            unread.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
            unread.sendall(ask.encode() * 40)
            unfinished.sendall(half)
            client.health()
            code, seconds, written = node.stop()
    assert code == 0, written
    assert seconds < 5


def test_a_full_disk_stops_the_node_with_one_line(tmp_path: Path) -> None:
    """No receipt for what was not kept, exit code 74, and nothing stored is harmed."""
    receipts: list[Receipt] = []
    errors: list[BylineError] = []
    with node_process(tmp_path, file_limit=1 << 20) as node:
        with node.wait_ready() as client:
            try:
                for number in range(200):
                    batch = [work(f"{number}.{i}", title=TEXT) for i in range(200)]
                    receipts += client.publish(batch)
            except (StoreError, NodeUnavailableError) as error:
                errors.append(error)
        code, written = node.end()
    assert code == 74, written
    assert len(errors) == 1
    assert isinstance(errors[0], StoreError)
    assert "\n" not in str(errors[0])
    ours = [line for line in written.splitlines() if not line.startswith("{")]
    assert len(ours) == 1
    assert ours[0].startswith("error: ")
    assert "Traceback" not in written
    check_holds(node.home, receipts)


def test_a_port_in_use_is_one_line(tmp_path: Path) -> None:
    """Exit code 78, the port, and no half-started node."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with node_process(tmp_path, api=f"127.0.0.1:{port}") as node:
            code, written = node.end()
    assert code == 78
    assert f"port {port}" in written.splitlines()[-1]
    assert "Traceback" not in written
    assert not node.home.run_file.exists()


def test_a_folder_in_use_is_one_line(tmp_path: Path) -> None:
    """Exit code 74, and the node that has it goes on."""
    with node_process(tmp_path) as first, first.wait_ready() as client:
        with node_process(tmp_path) as second:
            code, written = second.end()
        assert code == 74
        assert str(first.process.pid) in written.splitlines()[-1]
        assert "Traceback" not in written
        assert client.health()


def test_a_libp2p_port_in_use_is_one_line(tmp_path: Path) -> None:
    """The same for the port that other nodes reach."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with node_process(tmp_path, listen=f"/ip4/127.0.0.1/tcp/{port}") as node:
            code, written = node.end()
    assert code == 78
    assert str(port) in written.splitlines()[-1]
    assert "Traceback" not in written


GOSSIP_COUNTS = {"fresh", "known", "bad", "unsupported", "dropped_in", "dropped_out"}


def test_nodes_agree_and_stop_in_time(tmp_path: Path) -> None:
    """What is published to one is soon held by both, and both stop as they should."""
    with network_node(tmp_path / "a") as first, first.wait_ready() as client:
        address = client.status()["listen"][0]
        with (
            network_node(tmp_path / "b", peers=address) as second,
            second.wait_ready() as other,
        ):
            client.publish([work(f"{i}", title=TEXT) for i in range(1000)])
            other.publish([work("of the second")])
            wait_until(lambda: set_root(client) == set_root(other), 30)
            told = other.status()
            assert told["statements"] == 1001
            assert told["brought_by"]["api"] == 1
            assert told["brought_by"]["gossip"] + told["brought_by"]["follow"] == 1000
            assert set(told["gossip"]) <= GOSSIP_COUNTS
            check_stopped(second)
        check_stopped(first)


def test_a_full_disk_while_following_stops_that_node_alone(tmp_path: Path) -> None:
    """A failed write of what came from the network ends in order as well."""
    with network_node(tmp_path / "a") as first, first.wait_ready() as client:
        address = client.status()["listen"][0]
        with network_node(tmp_path / "b", peers=address, file_limit=1 << 20) as second:
            second.wait_ready().close()
            for number in range(10):
                batch = [work(f"{number}.{i}", title=TEXT) for i in range(500)]
                client.publish(batch)
            code, written = second.end()
        assert code == 74, written
        assert "Traceback" not in written
        assert client.health()
    check_holds(second.home, [])


def test_a_log_that_is_not_written_is_served(tmp_path: Path) -> None:
    """Without its guard a node answers, and takes nothing into its log."""
    one = work("kept")
    with LocalClient(Home(tmp_path)) as local:
        local.publish([one])
    (tmp_path / "node" / "guard").unlink()
    with network_node(tmp_path) as node, node.wait_ready() as client:
        assert client.query(one.about).known
        assert "guard" in client.status()["read_only"]
        with pytest.raises(ReadOnlyError, match="guard"):
            client.publish([work("more")])
        check_stopped(node)


def network_node(folder: Path, **options: Any) -> Any:
    return node_process(folder, listen="/ip4/127.0.0.1/tcp/0", **options)


def check_stopped(node: NodeProcess) -> None:
    code, seconds, written = node.stop()
    assert code == 0, written
    assert seconds < 5
    assert "Traceback" not in written


def set_root(client: Client) -> str:
    return str(client.status()["set_root"])


def wait_until(holds: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.05)


def test_our_error_is_taken_out_of_groups_and_a_fault_is_not() -> None:
    """A bug keeps its traceback, also beside an error of ours."""
    ours, fault = StoreError("disk"), RuntimeError("bug")
    with pytest.raises(StoreError, match="disk"), one_error():
        raise ExceptionGroup("", [ExceptionGroup("", [ours]), MalformedError("second")])
    with pytest.raises(ExceptionGroup) as caught, one_error():
        raise ExceptionGroup("", [ours, fault])
    assert fault in caught.value.exceptions
