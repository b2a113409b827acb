"""What must hold of every run; each function tells what does not, in words.

Rule: `while_running` is asked again and again, `at_the_end` once the network has healed
and had its time, `after_the_end` when all nodes have stopped.  Each has a mutant in
mutants.py that it finds.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import trio
from tests.sim.node import SimNode

from byline_ledger.cursor import MAX_GAPS
from byline_ledger.merkle import root_from
from byline_ledger.store.layout import RECORDS, after
from byline_node import alarms, following, gossip, requests
from byline_node.mistakes import noted

if TYPE_CHECKING:
    from tests.sim.simulation import Simulation

MAX_RECORDS = 50
RECORDS_PER_LOG = 8
STREAMS_PER_LINK = 10
"""Both ways: a ping, and one stream of each protocol; some are just being closed."""
TASKS = 30
TASKS_PER_LINK = 10


# While it runs


def while_running(world: Simulation) -> Iterator[str]:
    for node in world.whole:
        if node.is_up:
            yield from (f"{node.peer_id}: {one}" for one in bounded(node))


def bounded(node: SimNode) -> Iterator[str]:
    """What one peer, or all of them together, can make a node keep."""
    assert node.node is not None
    network: Any = node.node._network
    host, asking = network._host, network._requests
    queues = network._gossip._incoming.size, network._gossip._outgoing.size
    if queues[0] > gossip.MAX_INCOMING or queues[1] > gossip.MAX_OUTGOING:
        yield f"bounded: gossip queues hold {queues} bytes"
    gone = {peer for peer, _protocol in asking._channels} - set(host.joined)
    # What was there two seconds ago too is not just being noticed.
    if kept := sorted(gone & node.gone):
        yield f"bounded: streams to {' '.join(kept)} are kept, who has gone"
    node.gone = gone
    most = max(asking._inbound.values(), default=0)
    if most > requests.MAX_STREAMS_PER_PEER:
        yield f"bounded: {most} request streams of one peer"
    logs = network._following.logs
    left = set(logs) - set(host.joined)
    if len(left & node.left) > following.MAX_REMEMBERED:
        yield f"bounded: {len(left)} followed logs of who has gone"
    node.left = left
    for peer, one in logs.items():
        if one.cursor is not None and len(one.cursor.gaps) > MAX_GAPS:
            yield f"bounded: {len(one.cursor.gaps)} gaps of {peer}"
    assert node.ledger is not None
    count = sum(1 for _ in node.ledger._store.keys(RECORDS, after(RECORDS)))
    if count > MAX_RECORDS + RECORDS_PER_LOG * (len(logs) + 2):
        yield f"bounded: {count} side records for {len(logs)} logs"
    if len(node.node._alarms.all) > alarms.MAX_PER_LOG * (len(logs) + 1):
        yield f"bounded: {len(node.node._alarms.all)} alarms"


# At the end


def at_the_end(world: Simulation) -> Iterator[str]:
    yield from equal_roots(world)
    yield from nothing_lost(world)
    for node in world.honest:
        for one in (*append_only(node), *nobody_accused(world, node), *no_leak(node)):
            yield f"{node.peer_id}: {one}"


def equal_roots(world: Simulation) -> Iterator[str]:
    roots = {node.view.set_root for node in world.honest if node.is_up}
    down = [node.peer_id for node in world.honest if not node.is_up]
    if down:
        yield f"equal roots: {' '.join(down)} did not come back"
    if len(roots) != 1:
        sizes = {n.peer_id: n.view.set_count for n in world.honest if n.is_up}
        yield f"equal roots: {len(roots)} sets, of {sizes} strings"


def nothing_lost(world: Simulation) -> Iterator[str]:
    for node in world.honest:
        for other in world.honest:
            if other.ledger is not None:
                index = other.view.index_of
                lost = sum(index(one) is None for one in node.promised)
                if lost:
                    name = f"{other.peer_id} lacks {lost} of {len(node.promised)}"
                    yield f"nothing lost: {name} that {node.peer_id} acknowledged"


def append_only(node: SimNode) -> Iterator[str]:
    if node.rewritten:
        yield f"append only: two trees of {node.rewritten[:3]} entries were let out"
    for size, root in node.published.items():
        if size > node.view.size:
            yield f"append only: {size} entries were let out, {node.view.size} are left"
            return
        if root_from(size, node.view.node) != root:
            yield f"append only: the tree of {size} entries is another now"
            return


def nobody_accused(world: Simulation, node: SimNode) -> Iterator[str]:
    """No honest node is said to have lied, and none takes itself for a liar."""
    honest = {one.peer_id for one in world.whole}
    for peer, reason in node.accused:
        if peer in honest:
            yield f"nobody accused: of {peer} it says {reason}"
    assert node.node is not None
    keys = {one.view.vkey: one.peer_id for one in world.whole if one.ledger}
    for alarm in node.node._alarms.all:
        if alarm.vkey in keys:
            yield f"nobody accused: an alarm about {keys[alarm.vkey]}: {alarm.text}"
    network: Any = node.node._network
    for peer in network._gossip.bad_by_sender:
        if peer in honest:
            yield f"nobody accused: bad gossip is charged to {peer}"
    if node.view is not None and node.ledger is not None and node.ledger.read_only:
        yield f"nobody accused: it does not write: {node.ledger.read_only}"
    for peer in sorted(honest):
        if network.conduct.score(peer):
            why = network.conduct._scores.last_fault(peer)
            yield f"nobody accused: {peer} is charged with {why}"


def no_leak(node: SimNode) -> Iterator[str]:
    assert node.node is not None
    host, links = node.host, len(node.host.joined) if node.host else 0
    assert host is not None
    for name, link in host.joined.items():
        if link.count(host) > STREAMS_PER_LINK:
            yield f"no leak: {link.count(host)} open streams with {name}"
    if node.task is not None:
        tasks = count_tasks(node.task)
        if tasks > TASKS + TASKS_PER_LINK * links:
            yield f"no leak: {tasks} tasks for {links} links"
    for text in noted:
        yield f"no leak: {text}"
    if host.faults:
        yield f"no leak: a handler raised {host.faults[0]}"


def count_tasks(task: trio.lowlevel.Task) -> int:
    """The task and all below it."""
    children = (one for nursery in task.child_nurseries for one in nursery.child_tasks)
    return 1 + sum(map(count_tasks, children))


# After the end


def after_the_end(world: Simulation) -> Iterator[str]:
    left = [node.peer_id for node in world.whole if node.is_up]
    if left:
        yield f"no leak: {' '.join(left)} did not stop"
    for node in world.whole:
        if node.peer_id in world.wires.hosts:
            yield f"no leak: the host of {node.peer_id} still runs"
