"""What the soak itself stands on: its plan, and its proxies.  The soak: `make soak`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from random import Random

import pytest
import trio
import trio.testing
from tests.soak.load import make_statements
from tests.soak.network import dialled
from tests.soak.proxy import Link, Proxies
from tests.soak.verdict import check, missing_in
from tests.soak.weather import LAST, Kind, plan

from byline_ledger.ledger import Ledger
from byline_node.home import Home

TEN_MINUTES = 600.0


def test_a_seed_is_a_plan() -> None:
    assert plan(7, 16, TEN_MINUTES) == plan(7, 16, TEN_MINUTES)
    assert plan(7, 16, TEN_MINUTES) != plan(8, 16, TEN_MINUTES)


@pytest.mark.parametrize("seed", range(20))
def test_ten_minutes_have_enough_trouble_and_an_end_without(seed: int) -> None:
    events = plan(seed, 16, TEN_MINUTES)
    kinds = Counter(one.kind for one in events)
    assert kinds[Kind.KILL] >= 50
    assert kinds[Kind.FREEZE] >= 20
    assert kinds[Kind.RESTART] >= 10
    (parted,) = [one for one in events if one.kind is Kind.PART]
    assert parted.lasts == 60
    assert [one.at for one in events] == sorted(one.at for one in events)
    assert max(one.at for one in events) < LAST * TEN_MINUTES


@pytest.mark.parametrize("seed", range(20))
def test_no_node_is_in_two_troubles_at_once(seed: int) -> None:
    busy_until: Counter[int] = Counter()
    for event in plan(seed, 16, TEN_MINUTES):
        if event.kind is not Kind.PART:
            assert event.at >= busy_until[event.node]
            busy_until[event.node] = int(event.at + event.lasts)


def test_what_is_missing_is_counted_and_what_is_broken_is_named(tmp_path: Path) -> None:
    home = Home(tmp_path)
    ledger = Ledger.init(home.node)
    held = make_statements(3, Random(1))
    ledger.append(held)
    ledger.close()
    ids = [one.id for one in held]
    assert missing_in(home.node, ids) == 0
    assert missing_in(home.node, [*ids, bytes(32)]) == 1
    assert check(home) == ""
    (home.node / "guard").write_bytes(b"")
    assert "guard" in check(home)


@pytest.mark.parametrize("count", [2, 3, 4, 8, 16])
def test_all_nodes_are_one_network(count: int) -> None:
    reached = {0}
    for _ in range(count):
        reached |= {to for one in reached for to in dialled(one, count)}
    assert reached == set(range(count))
    assert all(number not in dialled(number, count) for number in range(count))


class Told(Proxies):
    """Proxies without a process of their own."""

    def cut(self) -> None:
        self._open = trio.Event()

    def mend(self) -> None:
        self._open.set()


async def echo(stream: trio.SocketStream) -> None:
    async with stream:
        while data := await stream.receive_some(1_000):
            await stream.send_all(data)


async def received(stream: trio.SocketStream, count: int) -> bytes:
    data = b""
    while len(data) < count:
        data += await stream.receive_some(count - len(data))
    return data


@pytest.mark.trio
async def test_a_proxy_delays_holds_while_it_is_cut_and_loses_nothing() -> None:
    async with trio.open_nursery() as nursery:
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        nursery.start_soon(trio.serve_listeners, echo, [listener])
        to = listener.socket.getsockname()
        link = Link(0, "127.0.0.1", to, delay=0.05, stalls=0.0, crosses=True)
        proxies = Told([link], seed=1)
        (front,) = await trio.open_tcp_listeners(0, host="127.0.0.1")

        async def carry(stream: trio.SocketStream) -> None:
            await proxies._carry(link, stream)

        nursery.start_soon(trio.serve_listeners, carry, [front])
        stream = await trio.open_tcp_stream(*front.socket.getsockname())
        started = trio.current_time()
        await stream.send_all(b"first")
        assert await received(stream, 5) == b"first"
        assert trio.current_time() - started >= 2 * 0.05 * 0.8
        proxies.cut()
        sent = Random(1).randbytes(50_000)
        nursery.start_soon(stream.send_all, sent)
        with trio.move_on_after(0.3) as silence:
            await stream.receive_some(1)
        assert silence.cancelled_caught
        proxies.mend()
        with trio.fail_after(10):
            assert await received(stream, len(sent)) == sent
        nursery.cancel_scope.cancel()
