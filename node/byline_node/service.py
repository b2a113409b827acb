"""The node: one process that keeps a log, talks to other nodes and answers people.

Start: self-test, ledger, HTTP port, network; only when all of that stands is the node
ready.  Stop, on SIGINT or SIGTERM or after a failed write, in this order: no new
requests, requests in flight, what waits for the log, the network, the ledger; five
seconds in all.  Whatever had a receipt was on disk before, so a stop that must be cut
short loses nothing either.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import structlog
import trio

from byline_ledger.admission import Source
from byline_ledger.crypto import random_bytes, self_test
from byline_ledger.errors import BylineError, StoreError
from byline_ledger.followed import Followed
from byline_ledger.log import Ledger, LogView
from byline_ledger.node_keys import RENEWAL_BYTES
from byline_ledger.statement import Statement
from byline_node.admission import Admission
from byline_node.admission_jobs import admission_jobs, reload_policy
from byline_node.alarms import Alarms, KnownAlarm
from byline_node.client import Poster
from byline_node.config import NodeConfig, parse_witness
from byline_node.control import serve_control
from byline_node.cosigning import Cosigner
from byline_node.entrance import Entrance, NetworkEntrance
from byline_node.errors import ConfigError
from byline_node.home import Home, RunningNode, make_node
from byline_node.http_api import make_app
from byline_node.http_server import HttpServer, bound_address, open_listeners
from byline_node.network_key import read_network_key
from byline_node.operations import describe_log
from byline_node.peers import peer_id_of
from byline_node.reasons import one_error
from byline_node.similar import Similar
from byline_node.stopping import Stop
from byline_node.upkeep import make_jobs
from byline_node.witness_clients import UrlWitness
from byline_node.witnessing import Witness
from byline_node.writer import Committed, Writer

if TYPE_CHECKING:
    from byline_node.mirrors import Mirrors
    from byline_node.network import Network

STOP_SECONDS = 5.0
REQUESTS_GRACE = 2.0
"""Seconds for requests in flight when the node stops."""
DRAIN_SECONDS = 1.5
"""Seconds for what waits for the log."""
ERASE_SECONDS = 60.0
"""Between two attempts to erase what queries in flight kept on the disk."""

log = structlog.get_logger("byline.node")


@dataclass(frozen=True, slots=True)
class Ready:
    """Where a node that is ready can be reached."""

    api: str
    """URL of the HTTP API."""
    peer_id: str | None
    listen: tuple[str, ...]
    """Addresses for other nodes, each ending in /p2p/PEER-ID."""
    origin: str
    pid: int
    read_only: str | None


OnReady = Callable[[Ready], None]


def run_node(config: NodeConfig, *, on_ready: OnReady | None = None) -> None:
    """Runs a node until SIGINT or SIGTERM; makes it first if its folder is empty.

    Raises ConfigError, StoreError and others before the node is ready; StoreError
    after a failed write.
    """
    with one_error():
        trio.run(run_until_signal, config, on_ready)


async def run_until_signal(config: NodeConfig, on_ready: OnReady | None) -> None:
    stop = Stop()
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    with trio.open_signal_receiver(*numbers) as signals:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(heed_signals, signals, stop)
            nursery.start_soon(watch_stop, stop)
            await serve_node(config, stop, on_ready)
            nursery.cancel_scope.cancel()


async def heed_signals(signals: AsyncIterator[int], stop: Stop) -> None:
    async for number in signals:
        if number == signal.SIGHUP:
            stop.hang_up()
            continue
        log.info("stopping", signal=signal.Signals(number).name)
        stop.ask()


async def watch_stop(stop: Stop) -> None:
    """Ends the process if a library does not let the node stop.

    What had a receipt is on disk, and the store is made to be cut off at any time.
    """
    await stop.wait()

    def end() -> None:
        log.error("cut short: something did not stop in time", seconds=STOP_SECONDS)
        os._exit(stop.failure.exit_code if stop.failure else 0)

    timer = threading.Timer(STOP_SECONDS - 0.2, end)
    timer.daemon = True
    timer.start()
    try:
        await trio.sleep_forever()
    finally:
        timer.cancel()


async def serve_node(
    config: NodeConfig, stop: Stop, on_ready: OnReady | None = None
) -> None:
    """Runs a node until it is asked to stop; raises the failure that made it stop."""
    await trio.to_thread.run_sync(self_test)
    async with open_ledger(config) as ledger:
        await Node(config, ledger, stop).run(on_ready)
    log.info("stopped", origin=ledger.view.origin, size=ledger.view.size)
    if stop.failure is not None:
        raise stop.failure


@asynccontextmanager
async def open_ledger(config: NodeConfig) -> AsyncIterator[Ledger]:
    """The config's ledger, made if there is none; closed at the end, come what may."""
    new = await trio.to_thread.run_sync(make_node, config.folder)
    ledger = await trio.to_thread.run_sync(Ledger.open, config.folder)
    try:
        if new:
            log.info("made a new node", folder=str(config.folder))
        if ledger.read_only is not None:
            log.warning("the log is not written", reason=ledger.read_only)
        if config.trust_disk:
            await trio.to_thread.run_sync(renew_witness, ledger)
        await trio.to_thread.run_sync(ledger.keep_reserve)
        yield ledger
    finally:
        with trio.CancelScope(shield=True):
            await trio.to_thread.run_sync(ledger.close)


def renew_witness(ledger: Ledger) -> None:
    """The operator answers for the log; what the witness remembers may be older."""
    ledger.renew_witness(random_bytes(RENEWAL_BYTES))
    keys = ledger.keys.witness_vkey, ledger.keys.replay_vkey
    log.warning("the witness signs with new keys", vkeys=keys)


class Node:
    """A running node; also what the HTTP API asks (http_api.Backend)."""

    def __init__(
        self,
        config: NodeConfig,
        ledger: Ledger,
        stop: Stop,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`clock` gives Unix seconds."""
        self._config = config
        self._ledger = ledger
        self._stop = stop
        self._writer = Writer(ledger)
        self.admission = Admission(
            ledger, config.admission, lambda: int(clock() * 1000)
        )
        """What decides on every statement that comes in."""
        self._entrance = Entrance(self.admission, self._writer.submit)
        self._writer.listen(self.admission.heed)
        self.similar = Similar(config.folder, lambda: ledger.view)
        self._writer.listen(self.similar.heed)
        self._written = trio.Event()
        self._network: Network | None = None
        self._api = ""
        self._mirrors: Mirrors | None = None
        self._named_peers = [peer_id_of(address) for address in config.peers]
        self._alarms = Alarms(config.folder / "alarms", self._knows_log, self._is_named)
        self.witness = Witness(
            ledger,
            clock=clock,
            configured=config.witness_logs,
            own_peers=self._named_peers,
            is_alarmed=self._alarms.is_alarmed,
            is_replayed=lambda tree: (
                self._mirrors is not None and self._mirrors.is_replayed(tree)
            ),
            on_contradiction=lambda found: self._alarms.contradict(
                found.vkey, found.notes, found.proof, "witness"
            ),
        )
        """This node as a witness of other logs."""
        self._poster = Poster()
        self._cosigner = Cosigner(
            ledger,
            clock=clock,
            peers=lambda: self._network.witnesses() if self._network else (),
            witnesses=[
                UrlWitness(*parse_witness(line), self._poster.post)
                for line in config.witnesses
            ],
            named_peers=self._named_peers,
            trust_disk=config.trust_disk,
        )
        self._writer.listen(self._cosigner.commit_made)
        self._alarms.listen(self._heed_alarm, kept=True)

    # What the HTTP API asks

    @property
    def view(self) -> LogView:
        return self._ledger.view

    def published(self) -> LogView:
        return self._cosigner.published()

    async def answer_view(self) -> LogView:
        return await self._cosigner.answer_view()

    async def submit(self, statements: list[Statement], peer: str) -> Committed:
        peers = [peer] * len(statements)
        return await self._entrance.submit(statements, "api", peers)

    def status(self) -> dict[str, Any]:
        network = self._network.status() if self._network else None
        ledger, hold = self._ledger, self._cosigner.hold
        return describe_log(self.view, ledger.read_only) | {
            "held": ledger.is_held and hold.is_waiting,
            **self._cosigner.status(),
            "admission": self.admission.status(),
            "alarms": [one.to_json() for one in self._alarms.all],
            "api": self._api,
            "peer_id": network.peer_id if network else None,
            "listen": list(network.addresses) if network else [],
            "peers": [asdict(one) for one in network.peers] if network else [],
            "brought_by": {way.value: self._writer.counts[way] for way in Source},
            "gossip": network.gossip if network else {},
        }

    def mirrored(self, hex_hash: str) -> LogView | None:
        return self._mirrors.view(hex_hash) if self._mirrors else None

    async def followed(self, hex_hash: str, nonce: bytes) -> Followed | None:
        if self._mirrors is None or self._network is None:
            return None
        cosigned, seen = self.witness.last_cosigned, self._network.seen
        return await self._mirrors.followed(hex_hash, nonce, cosigned, seen)

    def _heed_alarm(self, alarm: KnownAlarm) -> None:
        if alarm.vkey == self._ledger.view.vkey:
            self._cosigner.hold.convict(alarm.text)

    # Life

    async def run(self, on_ready: OnReady | None) -> None:
        """Starts everything, waits until the node is to stop, stops it in order."""
        await trio.to_thread.run_sync(self.admission.load)
        listeners = await open_listeners(*self._config.api_address)
        self._api = f"http://{bound_address(listeners)}"
        async with trio.open_nursery() as nursery:
            forget = self.similar.forget_taken_down
            jobs = make_jobs(self._ledger, self._stop_writing, forget)
            jobs |= admission_jobs(self.admission, self._reload)
            nursery.start_soon(self._heed_hangups)
            nursery.start_soon(self.similar.run)
            nursery.start_soon(self._alarms.heed, Home(self._config.home).alarms)
            await nursery.start(serve_control, self._config.folder, jobs)
            await self.take_part(lambda: self._serve_http(listeners, on_ready))
            nursery.cancel_scope.cancel()

    async def take_part(self, serve: Callable[[], Awaitable[None]]) -> None:
        """Log and network, for as long as `serve` runs; then what waits is written."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._write)
            async with self._open_network() as self._network:
                nursery.start_soon(self._cosign)
                nursery.start_soon(self._finish_takedowns)
                await serve()
                await self._drain()
            nursery.cancel_scope.cancel()

    async def _serve_http(
        self, listeners: list[trio.SocketListener], on_ready: OnReady | None
    ) -> None:
        """The API, until the last request in flight after the stop is answered."""
        hosts = (*self._config.api_hosts, self._config.api_address[0])
        server = HttpServer(make_app(self, hosts, self._config.shelf), listeners)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(server.run)
            with self._announced(on_ready):
                await self._stop.wait()
            server.stop(REQUESTS_GRACE)

    @contextmanager
    def _announced(self, on_ready: OnReady | None) -> Iterator[None]:
        """Says that the node is ready; the run file is there as long as that is so."""
        run_file = Home(self._config.home).run_file
        status = self.status()
        running = RunningNode(self._api, os.getpid(), status["origin"])
        try:
            running.write(run_file)
        except OSError as error:
            raise StoreError(f"cannot write {run_file}: {error.strerror}") from None
        ready = Ready(
            api=self._api,
            peer_id=status["peer_id"],
            listen=tuple(status["listen"]),
            origin=status["origin"],
            pid=running.pid,
            read_only=status["read_only"],
        )
        log.info("ready", **asdict(ready))
        if on_ready is not None:
            on_ready(ready)
        try:
            yield
        finally:
            run_file.unlink(missing_ok=True)

    @asynccontextmanager
    async def _open_network(self) -> AsyncIterator[Network | None]:
        """The network, or none where the config names nobody to talk to."""
        if not self._config.listen and not self._config.peers:
            yield None
            return
        from byline_node.network import open_network  # libp2p: 2 s of CPU

        writer = NetworkEntrance(self._entrance, self._writer, self._ledger)
        key = read_network_key(self._config.network_key_path)
        async with open_network(
            self._config, self._ledger, writer, self._prepare, key
        ) as network:
            assert self._mirrors is not None
            try:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._mirrors.run)
                    yield network
                    nursery.cancel_scope.cancel()
            finally:
                with trio.CancelScope(shield=True):
                    await trio.to_thread.run_sync(self._mirrors.close)

    def _prepare(self, network: Network) -> None:
        """What goes over the network beside statements: cosignatures and alarms."""
        cosigner = self._cosigner
        network.serve_witness(self.witness, cosigner.wake, cosigner.hold.see_own)
        network.share_alarms(self._alarms)
        network.serve_queries(self.answer_view)
        self._mirrors = network.mirrors(
            self._config.folder / "mirrors", self._alarms.accuse
        )
        self.witness.before = self._mirrors.follow
        self.similar.is_busy = lambda: network.is_busy
        cosigner.hold.on_end = network.look_again
        cosigner.on_published = lambda view: network.watch.tell(view.checkpoint)

    def _knows_log(self, vkey: str) -> bool:
        """Alarms are kept about logs that this node has to do with."""
        if self._is_named(vkey) or self.witness.knows(vkey):
            return True
        return self._network is not None and self._network.follows(vkey)

    def _is_named(self, vkey: str) -> bool:
        """Our own log, and those that the operator names, by key or as a peer's."""
        if vkey in (self._ledger.view.vkey, *self._config.witness_logs):
            return True
        network = self._network
        return network is not None and network.follows(vkey, configured=True)

    async def _cosign(self) -> None:
        try:
            await self._cosigner.run()
        except BylineError as error:
            log.error("stopping after a failed write", reason=str(error))
            self._stop.ask(error)
        finally:
            with trio.CancelScope(shield=True), trio.move_on_after(1):
                await self._poster.close()

    async def _write(self) -> None:
        try:
            await self._writer.run()
        except BylineError as error:
            log.error("stopping after a failed write", reason=str(error))
            self._stop.ask(error)
        finally:
            self._written.set()

    async def _heed_hangups(self) -> None:
        while True:
            await self._stop.wait_hangup()
            with suppress(ConfigError):  # it is logged, and nothing has changed
                await trio.to_thread.run_sync(self._reload)

    def _reload(self) -> dict[str, Any]:
        """Goes by what node.toml says of admission now; in a thread."""

        def look_again() -> None:
            if self._network is not None:
                trio.from_thread.run_sync(self._network.look_again)

        return reload_policy(self._config.home, self.admission, look_again)

    async def _finish_takedowns(self) -> None:
        """What a query in flight kept on the disk must not stay there for long."""
        while True:
            await trio.sleep(ERASE_SECONDS)
            try:
                await trio.to_thread.run_sync(self._ledger.finish_takedowns)
            except StoreError as error:
                self._stop.ask(error)
                return

    def _stop_writing(self, failure: str) -> None:
        """After a write that failed outside of the writer; from another thread."""
        log.error("stopping after a failed write", reason=failure)
        trio.from_thread.run_sync(self._stop.ask, StoreError(failure))

    async def _drain(self) -> None:
        """Commits what has queued, as far as there is time."""
        await self._writer.close()
        with trio.move_on_after(DRAIN_SECONDS) as waiting:
            await self._written.wait()
        if waiting.cancelled_caught:
            log.warning("left without a receipt", count=self._writer.queued)
