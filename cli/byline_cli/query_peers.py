"""`byline query --peer`: asks nodes over libp2p, with no node of one's own."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from byline_cli import output
from byline_cli.alarms import alarm_about, keep_alarm
from byline_cli.connect import now_ms
from byline_cli.files import write_new_file
from byline_cli.peer_answers import Asked, describe, to_json
from byline_ledger.alarm import alarm_of_notes
from byline_ledger.digest import parse_hash
from byline_ledger.errors import (
    BylineError,
    InconsistentLogError,
    NotFoundError,
    StoreError,
)
from byline_node.config import PEER_FORM, NodeConfig
from byline_node.errors import ConfigError, NodeUnavailableError
from byline_node.home import find_home
from byline_node.network_key import read_network_key

if TYPE_CHECKING:
    from byline_node.peer_choice import Held
    from byline_node.peer_query import Replies


@dataclass(frozen=True, slots=True)
class Found:
    """The answer that is shown, and what there is to say about all of them."""

    held: Held
    rows: list[output.Line]
    value: dict[str, object]


def query_peers(names: list[str], asked: Asked) -> Found:
    """Asks all, takes the freshest answer that holds, and says who differs.

    InconsistentLogError where a log contradicts itself and no other answered; the error
    of the peer where only one was asked, NodeUnavailableError where none of several
    answered.
    """
    from byline_node.logs import configure_logs
    from byline_node.peer_choice import believable, freshest, hold
    from byline_node.peer_query import Question, ask_peers

    configure_logs(level=logging.CRITICAL)
    config = NodeConfig.load(find_home().folder)
    addresses = [address_of(name, config) for name in names]
    target = asked.target
    text = f"sha256:{target.sha256.hex()}" if target.path else target.name
    question = Question(parse_hash(text), asked.measure.depth, asked.crowd)
    network_key = read_network_key(config.network_key_path)
    replies = ask_peers(addresses, question, network_key)
    known = known_alarms(replies)  # before those of today are kept as well
    alarms = save_alarms(replies) | known
    now = now_ms()
    held = [
        hold(one, replies.digest, asked.measure, now)
        for one in believable(replies, alarms)
    ]
    if not held:
        raise nobody(replies, alarms)
    chosen = freshest(held)
    rows = describe(replies, held, chosen, asked, alarms)
    return Found(chosen, rows, to_json(replies, chosen, alarms))


# Whom to ask


def address_of(name: str, config: NodeConfig) -> str:
    """A peer's address; of a bare peer id, from node.toml or a running node."""
    if "/" in name:
        return checked(name)
    known = [*config.peers, *addresses_of_running()]
    for address in known:
        if address.rpartition("/p2p/")[2] == name:
            return checked(address)
    raise ConfigError(
        f"no peer {output.safe(name)} is known here",
        hint="give its address, like /ip4/127.0.0.1/tcp/4737/p2p/PEER-ID",
    )


def checked(address: str) -> str:
    """The address itself; ConfigError unless it has the form of one."""
    if PEER_FORM.fullmatch(address) is None:
        expected = "an address like /ip4/127.0.0.1/tcp/4737/p2p/PEER-ID"
        raise ConfigError(f"--peer: expected {expected}, got {output.safe(address)}")
    return address


def addresses_of_running() -> list[str]:
    """Of the node that runs here and of its peers; none if none runs."""
    from byline_cli.connect import status_of_running

    try:
        status: dict[str, Any] = status_of_running(0)
    except BylineError:
        return []
    listen = [str(one) for one in status.get("listen", [])]
    peers = [
        f"{str(one['address']).partition('/p2p/')[0]}/p2p/{one['peer_id']}"
        for one in status.get("peers", [])
        if one.get("address")
    ]
    return listen + peers


def nobody(replies: Replies, alarms: dict[str, Path | None]) -> BylineError:
    """Why there is no answer at all."""
    if alarms:
        where = ", ".join(str(path) for path in alarms.values() if path)
        proof = f": the proof is in {where}" if where else ""
        return InconsistentLogError(f"a log contradicts itself{proof}")
    failures = [one for one in replies.peers if one.problem is not None]
    if len(replies.peers) == 1:
        problem = failures[0].problem
        assert problem is not None
        return problem
    if len({type(one.problem) for one in failures}) == 1:
        kind = type(failures[0].problem)
        if kind is NotFoundError:
            return NotFoundError("no peer has that statement")
    for one in failures:
        output.note(f"{one.peer}: {output.safe(str(one.problem))}")
    return NodeUnavailableError(f"none of {len(replies.peers)} peers has answered")


# Alarms


def save_alarms(replies: Replies) -> dict[str, Path | None]:
    """By the log's key, where the proof of its lie is; None if it cannot be written."""
    saved: dict[str, Path | None] = {}
    for error in replies.contradictions:
        alarm = alarm_of_notes(error.vkey, error.notes, error.proof)
        assert alarm is not None, "what proves nothing is no contradiction"
        if error.vkey not in saved:
            keep_alarm(alarm)
            saved[error.vkey] = save(alarm.to_bytes())
    return saved


def known_alarms(replies: Replies) -> dict[str, Path | None]:
    """Alarms that this home keeps about the logs that were shown."""
    shown = {one.root.vkey for one in replies.peers if one.root is not None}
    found = {vkey: alarm_about(vkey) for vkey in shown}
    return {vkey: one[0] for vkey, one in found.items() if one is not None}


def save(data: bytes) -> Path | None:
    """Writes an alarm into this folder, under the name that it has everywhere."""
    path = Path(f"{hashlib.sha256(data).hexdigest()[:16]}.alarm")
    try:
        if not path.exists():
            write_new_file(path, data)
    except StoreError as error:
        output.complain(str(error))
        return None
    return path
