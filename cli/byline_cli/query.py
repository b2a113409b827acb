"""`byline query`: where did this come from?  Asks a node and checks what it says."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Annotated

import typer

from byline_cli import output
from byline_cli.alarms import require_no_alarm
from byline_cli.as_of import AsOfOption, parse_as_of
from byline_cli.connect import connect, now_ms
from byline_cli.files import require_new, write_new_file
from byline_cli.known_names import labels_in
from byline_cli.naming import parse_keys
from byline_cli.options import (
    Depth,
    Json,
    MaxAge,
    NoPolicy,
    PolicyFile,
    TrustKeys,
    examples,
    make_app,
)
from byline_cli.own_seals import own_seal
from byline_cli.policy import chosen_policy, require_ageable
from byline_cli.render import (
    Reader,
    is_anything_there,
    render_verdict,
    verdict_to_json,
)
from byline_cli.signing import key_names
from byline_cli.targets import Target, parse_target
from byline_ledger.bundle import DEFAULT_DEPTH, Bundle
from byline_ledger.digest import cid_of_statement
from byline_ledger.errors import InconsistentLogError, NotFoundError, UsageError
from byline_ledger.facts import NOW, AsOf
from byline_ledger.policy import Policy
from byline_ledger.verify import Verdict, verify_bundle

app = make_app()

CROWD = 64


@app.command(
    epilog=examples(
        "byline query harbour.jpg --save harbour.byline",
        "byline query harbour.jpg --as-of 2027-01-31",
    )
)
def query(
    what: Annotated[str, typer.Argument(metavar="PATH|HASH", hidden=True)],
    save: Annotated[
        Path | None,
        typer.Option("--save", metavar="FILE", help="Keep the proof in FILE."),
    ] = None,
    depth: Depth = DEFAULT_DEPTH,
    policy: PolicyFile = None,
    no_policy: NoPolicy = False,
    max_age: MaxAge = None,
    as_of: AsOfOption = None,
    trusted: TrustKeys = None,
    tlog_proof: Annotated[
        Path | None,
        typer.Option(
            "--tlog-proof",
            metavar="FILE",
            help="Keep proof of each claim's place in the log, for C2SP tools.",
        ),
    ] = None,
    peers: Annotated[
        list[str] | None,
        typer.Option(
            "--peer",
            metavar="ADDRESS|PEER-ID",
            help="Ask this node over libp2p, with no node of yours. Repeatable: then"
            " answers are compared.",
        ),
    ] = None,
    private: Annotated[
        bool,
        typer.Option(
            "--private",
            help="Ask for a crowd of works, so that the peer does not learn which.",
        ),
    ] = False,
    crowd: Annotated[
        int | None,
        typer.Option(
            "--crowd",
            metavar="N",
            min=2,
            help=f"Works that --private hides among, about; usually {CROWD}.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Ask where a work came from; the answer is checked before it is shown.

    HASH is 64 hex digits as sha256sum prints them, sha256:HEX, an SRI string, a CID or
    the id of a statement. Ends with code 3 if nobody said anything about the work.
    """
    for path in (save, tlog_proof):
        if path is not None:
            require_new(path)
    rules, _where = chosen_policy(policy, no_policy)
    require_ageable(rules, max_age)
    then = parse_as_of(as_of)
    if trusted and peers:
        raise UsageError(
            "--trust-key and --peer do not go together: what peers are asked names no"
            " keys",
            hint="ask a node over HTTP: BYLINE_NODE=URL byline query --trust-key",
        )
    keys = parse_keys(trusted)
    if private and not peers:
        raise UsageError(
            "--private needs --peer", hint="a node of yours knows what you ask it"
        )
    if crowd is not None and not private:
        raise UsageError("--crowd needs --private")
    target = parse_target(what)
    more: dict[str, object] = {}
    below: list[output.Line] = []
    if peers:
        from byline_cli.peer_answers import Asked
        from byline_cli.query_peers import query_peers
        from byline_node.peer_choice import Measure

        work = target.multihash if target.path else None
        measure = Measure(work, depth, rules, max_age, then)
        hidden = (crowd or CROWD) if private else None
        found = query_peers(peers, Asked(target, hidden, measure))
        bundle, verdict = found.held.bundle, found.held.verdict
        below, more = found.rows, found.value
    else:
        bundle = ask_node(target, depth, keys)
        unsaved = save is not None or tlog_proof is not None
        require_no_alarm(Bundle.from_bytes(bundle).log, unsaved=unsaved)
        verdict = check(bundle, target, rules, depth, max_age, then, keys)
    asked = Bundle.from_bytes(bundle).asked[0]
    rows = [*describe(target, asked, verdict), *below]
    if save is not None:
        write_new_file(save, bundle)
        rows += ["", f"Saved the proof as {output.safe(str(save))}."]
    if tlog_proof is not None and verdict.answer is not None:
        from byline_cli.tlog import write_tlog_proofs

        written = write_tlog_proofs(bundle, verdict.answer, tlog_proof)
        rows += [f"Wrote {output.safe(str(one))}." for one in written]
    if target.path and not peers and is_unknown(verdict):
        from byline_cli.similar import look_for_altered

        like, alike = look_for_altered(target.path)
        rows += alike
        more |= like
    output.result(as_json, verdict_to_json(verdict) | more, rows)
    if more.get("alarms"):
        raise typer.Exit(InconsistentLogError.exit_code)
    finish(verdict)


def ask_node(target: Target, depth: int, keys: Collection[bytes] = ()) -> bytes:
    """The bundle from the node of this home, or the one that BYLINE_NODE names."""
    with connect(make=False) as client:
        return client.query_bundle(wanted(target), depth=depth, keys=keys)


def check(
    bundle: bytes,
    target: Target,
    rules: Policy | None,
    depth: int,
    max_age: int | None,
    as_of: AsOf = NOW,
    keys: Collection[bytes] = (),
) -> Verdict:
    """The verdict, by this machine's clock."""
    return verify_bundle(
        bundle,
        digest=Bundle.from_bytes(bundle).asked[0],
        work=target.multihash if target.path else None,
        keys=keys,
        policy=rules,
        now=now_ms(),
        depth=depth,
        max_age=max_age,
        as_of=as_of,
    )


def wanted(target: Target) -> str | bytes:
    """A file's digest, or the text itself, which may name a statement."""
    return target.multihash if target.path else target.name


def describe(target: Target, asked: bytes, verdict: Verdict) -> list[output.Line]:
    """The answer for people."""
    rows: list[output.Line] = []
    if asked != target.multihash:
        rows.append(
            f"{cid_of_statement(target.sha256)} is a statement about this work:"
        )
    name = str(target.path) if target.path else None
    sealed = own_seal(target.multihash) if is_unknown(verdict) else None
    reader = Reader(name, key_names(), labels_in(verdict.answer), sealed)
    return [*rows, *render_verdict(verdict, reader)]


def finish(verdict: Verdict) -> None:
    """The exit code: what does not hold, or that nothing is known."""
    if not verdict.ok:
        raise typer.Exit(verdict.exit_code)
    if verdict.answer is not None and not is_anything_there(verdict.answer):
        raise typer.Exit(NotFoundError.exit_code)


def is_unknown(verdict: Verdict) -> bool:
    """Whether it is proven that nobody said anything."""
    answer = verdict.answer
    return verdict.ok and answer is not None and not answer.known
