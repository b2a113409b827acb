"""`byline node`: set up, run and examine a node."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from byline_cli import node_policy, output, peers, upkeep
from byline_cli.node_similar import check_similar
from byline_cli.options import Json, make_app
from byline_cli.wording import amount
from byline_ledger.errors import CorruptStoreError, InconsistentLogError
from byline_ledger.peer_record import peer_id_of_key
from byline_ledger.store.damage import MEND, MEND_GUARD
from byline_ledger.store.node_files import DEFAULT_NAME
from byline_node.config import DEFAULT_API, DEFAULT_LISTEN, NodeConfig
from byline_node.errors import ConfigError
from byline_node.home import find_home

if TYPE_CHECKING:
    from byline_ledger.check import CheckReport

app = make_app("Set up, run and examine a node.")

ALONE = "from this machine alone; for others, listen on"
HERE = re.compile(r"^(/ip4/)127[0-9.]*|^(/ip6/)::1(?=/)")
WILDCARD = re.compile(r"^(/ip4/)0\.0\.0\.0(?=/)|^(/ip6/)::(?=/)")
LOOPBACK = re.compile(r"/ip4/127\.|/ip6/::1/")
ANY_PORT = re.compile(r"/tcp/0+(/|$)")

Listen = Annotated[
    list[str] | None,
    typer.Option(
        "--listen",
        metavar="MULTIADDR",
        help=f"Where other nodes reach this one. Usually {DEFAULT_LISTEN}. Repeatable.",
    ),
]
Api = Annotated[
    str | None,
    typer.Option(
        "--api",
        metavar="HOST:PORT",
        help=f"Where you and your scripts reach it. Usually {DEFAULT_API}.",
    ),
]
Peers = Annotated[
    list[str] | None,
    typer.Option(
        "--peer",
        metavar="MULTIADDR",
        help="A node to keep in touch with, ending in /p2p/PEER-ID. Repeatable.",
    ),
]


@app.command()
def init(
    name: Annotated[
        str,
        typer.Option(
            "--origin", metavar="DOMAIN", help="First part of the log's name."
        ),
    ] = DEFAULT_NAME,
    listen: Listen = None,
    api: Api = None,
    peers: Peers = None,
    as_json: Json = False,
) -> None:
    """Make a node in BYLINE_HOME.

    That is its secret, its empty log and its settings: the options become node.toml,
    which you can edit later.
    """
    from byline_ledger.log import Ledger

    home = find_home()
    config = NodeConfig.load(home.folder, listen=listen, api=api, peers=peers)
    ledger = Ledger.init(home.node, name=name)
    try:
        origin, vkey = ledger.view.origin, ledger.view.vkey
        peer_id = peer_id_of_key(ledger.keys.transport_public)
    finally:
        ledger.close()
    config.write()
    rows: list[output.Line] = [
        (f"Made a node in {home.node}.", "head"),
        f"  log   {origin}",
        f"  key   {vkey}",
        f"  keep  {home.node / 'secret'} is the only copy of its secret",
    ]
    dial = dial_addresses(config.listen, peer_id)
    rows += [*describe_dialling(dial), "Run it with: byline node run"]
    value = {
        "folder": str(home.node),
        "origin": origin,
        "vkey": vkey,
        "peer_id": peer_id,
        "dial": dial,
    }
    output.result(as_json, value, rows)


def dial_addresses(listen: Sequence[str], peer_id: str) -> list[str]:
    """What another node puts into its peers; with THIS-MACHINE where all addresses are
    listened on, and nothing for a port that is not chosen yet."""
    addresses = [WILDCARD.sub(r"\1\2THIS-MACHINE", one) for one in listen]
    return [f"{one}/p2p/{peer_id}" for one in addresses if not ANY_PORT.search(one)]


def describe_dialling(addresses: Sequence[str]) -> list[output.Line]:
    """Those, and who can reach this node there."""
    rows: list[output.Line] = [f"  dial  {address}" for address in addresses]
    if addresses and all(LOOPBACK.match(one) for one in addresses):
        rows.append(f"        {ALONE} {everywhere(addresses[0])}")
    return rows


def everywhere(address: str) -> str:
    """What listens on all addresses of the machine, where this one is on loopback."""
    match = HERE.match(address)
    wildcard = "/ip6/::" if match and match[2] else "/ip4/0.0.0.0"
    return HERE.sub(wildcard, address.partition("/p2p/")[0])


@app.command()
def run(
    listen: Listen = None,
    api: Api = None,
    peers: Peers = None,
    trust_disk: Annotated[
        bool,
        typer.Option(
            "--trust-disk",
            help="Sign on without asking those who cosigned, and cosign others with new"
            " keys. Only if you are certain that this disk was never put back to an"
            " earlier state.",
        ),
    ] = False,
) -> None:
    """Run the node of BYLINE_HOME until Ctrl-C or SIGTERM.

    Makes it first if there is none. Options go before node.toml. Log lines go to
    standard error.
    """
    from byline_node.logs import configure_logs
    from byline_node.service import Ready, run_node

    def on_ready(ready: Ready) -> None:
        output.lines(describe_ready(ready.api, ready.peer_id, ready.listen))
        output.flush()

    config = NodeConfig.load(
        find_home().folder, trust_disk=trust_disk, listen=listen, api=api, peers=peers
    )
    configure_logs()
    try:
        run_node(config, on_ready=on_ready)
    except ConfigError as error:
        raise with_options(error) from None


def with_options(error: ConfigError) -> ConfigError:
    """The same error; if it is about a port, with the options that choose another."""
    if "cannot listen" not in str(error):
        return error
    hint = (
        "is a node running already? else choose another port with --api or --listen, or"
        " in node.toml"
    )
    return ConfigError(str(error), hint=hint)


def describe_ready(
    api: str, peer_id: str | None, addresses: tuple[str, ...]
) -> list[output.Line]:
    """What a person, or the person at the next node, needs now."""
    rows: list[output.Line] = [("The node is ready. Stop it with Ctrl-C.", "head")]
    rows += [f"  api   {api}", f"  peer  {peer_id}"]
    return rows + [f"  dial  {address}" for address in addresses]


@app.command()
def status(
    wait: Annotated[
        float,
        typer.Option(
            "--wait", metavar="SECONDS", help="Wait so long for it to answer."
        ),
    ] = 0.0,
    dial: Annotated[
        bool,
        typer.Option("--dial", help="Print only the address that other nodes dial."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Show what the running node holds, and its peers.

    It is what the node says of itself; nothing of it is proven. Ends with 4 if it holds
    an alarm: proof that a log it knows lied.
    """
    from byline_cli.connect import status_of_running

    value = status_of_running(wait)
    rows = describe_dial(value) if dial else describe_status(value)
    output.result(as_json, value, rows)
    if value.get("alarms") and not dial:
        raise typer.Exit(InconsistentLogError.exit_code)


def describe_dial(value: Mapping[str, Any]) -> list[output.Line]:
    """The first of its addresses."""
    return [output.safe(str(one)) for one in value["listen"][:1]]


def describe_status(value: Mapping[str, Any]) -> list[output.Line]:
    """A node's status for people."""

    def said(name: str) -> str:
        return output.safe(str(value.get(name, "unknown")))

    rows: list[output.Line] = [
        (f"Node {said('peer_id')}, version {said('version')}", "head"),
        f"  log         {said('origin')}",
        f"  key         {said('vkey')}",
        f"  entries     {said('size')}",
        f"  statements  {said('statements')}",
        f"  set root    {said('set_root')}",
        f"  root        {said('root')}",
        f"  api         {said('api')}",
    ]
    rows += [f"  dial        {output.safe(str(one))}" for one in value["listen"]]
    if value.get("read_only"):
        rows.append(describe_standstill(value))
    rows += describe_admission(value.get("admission") or {})
    rows += describe_witnesses(value)
    for one in value.get("alarms") or []:
        origin, text, file = one.get("origin"), one.get("text"), one.get("file")
        line = f"  ALARM       log {origin} {text} ({file})"
        rows.append((output.safe(line), "bad"))
    peers = value.get("peers") or []
    rows.append(f"  peers       {amount(len(peers), 'peer')}")
    return rows + [describe_peer(peer) for peer in peers]


def describe_standstill(value: Mapping[str, Any]) -> output.Line:
    """Why nothing is written, and whether that needs anybody's doing."""
    reason = output.safe(str(value["read_only"]))
    if value.get("held"):
        return (f"  HELD        {reason}", "doubt")
    return (f"  READ-ONLY   {reason}", "bad")


def describe_admission(value: Mapping[str, Any]) -> list[output.Line]:
    """What the node takes, unless it is everything, and what it refused."""
    counts: dict[str, int] = {}
    for one in value.get("refused") or []:
        reason = str(one.get("reason"))
        counts[reason] = counts.get(reason, 0) + int(one.get("count") or 0)
    told = [f"{reason} {count:,}" for reason, count in counts.items()]
    if not told and value.get("authors", "anyone") == "anyone":
        return []
    rows: list[output.Line] = []
    rows.append(output.safe(f"  takes from  {value.get('authors')}"))
    if told:
        rows.append(output.safe(f"  refused     {', '.join(told)}"))
    if value.get("deferred"):
        rows.append(f"  deferred    {amount(int(value['deferred']), 'statement')}")
    return rows


def describe_witnesses(value: Mapping[str, Any]) -> list[output.Line]:
    """How far the log is cosigned, and who was asked."""
    cosigned, asked = value.get("cosigned") or {}, value.get("witnesses") or []
    if not asked and not cosigned.get("count"):
        return []
    count = amount(int(cosigned.get("count") or 0), "cosignature")
    rows: list[output.Line] = [f"  cosigned    {cosigned.get('size')} entries, {count}"]
    for one in asked:
        name, error = output.safe(str(one.get("name"))), one.get("error")
        if error:
            rows.append((f"    {name}: {output.safe(str(error))}", "doubt"))
        else:
            rows.append(f"    {name}: {one.get('size')} entries")
    return rows


def describe_peer(peer: Mapping[str, Any]) -> output.Line:
    """Whether a peer is there, and how far what it holds is known here."""
    name = f"{peer.get('peer_id')} at {peer.get('address')}"
    error = peer.get("error")
    if error:
        return ("    " + output.safe(f"{name}: {error}"), "bad")
    if not peer.get("connected"):
        state = "not connected"
    elif peer.get("agrees"):
        state = f"holds the same set, {peer.get('size')} entries"
    else:
        state = f"read {peer.get('cursor') or 0} of {peer.get('size') or '?'} entries"
    if peer.get("refused"):
        state += f", {peer['refused']} statements not admitted here"
    gaps = f", {peer['gaps']} statements not handed out" if peer.get("gaps") else ""
    return "    " + output.safe(f"{name}: {state}{gaps}")


@app.command()
def check(as_json: Json = False) -> None:
    """Derive everything stored again and compare.

    Names the first thing that does not fit. The node must not be running.
    """
    from byline_ledger.check import check_ledger

    report = check_ledger(find_home().node, lambda text: output.note(text, "quiet"))
    index = check_similar(find_home().node) if report.ok else None
    more: list[output.Line] = [] if index is None else [(index, "doubt")]
    value = check_to_json(report) | {"fingerprints": index}
    output.result(as_json, value, [*describe_check(report), *more])
    if not report.ok:
        raise typer.Exit(CorruptStoreError.exit_code)


app.add_typer(node_policy.app, name="policy")
app.command()(peers.peers)
app.command()(upkeep.backup)
app.command()(upkeep.restore)
app.command()(upkeep.recover)
app.command()(upkeep.redact)


def describe_check(report: CheckReport) -> list[output.Line]:
    """What was found sound, and the first thing that was not."""
    rows = describe_sound(report)
    rows += [(f"  note        {output.safe(note)}", "doubt") for note in report.notes]
    if report.problem is None:
        return [*rows, ("Everything fits.", "good")]
    rows.append((f"DOES NOT FIT: {output.safe(report.problem)}", "bad"))
    mend = MEND_GUARD if is_of_guard(report) else MEND
    return [*rows, f"To mend it, {mend}."]


def is_of_guard(report: CheckReport) -> bool:
    """It is looked at last: then all that the database holds was sound."""
    problem = report.problem or ""
    return "guard file" in problem or problem.endswith("were signed")


def describe_sound(report: CheckReport) -> list[output.Line]:
    """All of it, or what came before the damage."""
    rows: list[output.Line] = [f"  log         {output.safe(report.origin)}"]
    if report.problem is not None and not is_of_guard(report):
        return [*rows, f"  sound       {report.statements:,} statements before it"]
    return [
        *rows,
        f"  entries     {report.size:,}",
        f"  statements  {report.statements:,}",
        f"  taken down  {report.redacted:,}",
        f"  strings     {report.strings:,}",
        f"  root        {report.root.hex()}",
        f"  set root    {report.set_root.hex()}",
    ]


def check_to_json(report: CheckReport) -> dict[str, object]:
    """The same for scripts."""
    return {
        "ok": report.ok,
        "problem": report.problem,
        "notes": list(report.notes),
        "origin": report.origin,
        "size": report.size,
        "statements": report.statements,
        "redacted": report.redacted,
        "strings": report.strings,
        "root": report.root.hex(),
        "set_root": report.set_root.hex(),
    }
