"""`byline node policy`: what the node takes into its log.

Not to be confused with `byline policy`, which says whose logs a reader trusts.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from byline_cli import output
from byline_cli.files import read_file
from byline_cli.options import Json, make_app
from byline_cli.statement_file import read_statements
from byline_cli.wording import amount, moment
from byline_ledger.admission import Source
from byline_ledger.errors import BylineError, MalformedError, NotFoundError, UsageError
from byline_ledger.statement import Statement
from byline_node.config import NodeConfig
from byline_node.errors import RefusedError
from byline_node.home import Home, find_home

app = make_app("Say what the node takes into its log.")

MAX_JSON_FILE = 64 << 20

RULES = {
    "denied author": "author not denied",
    "denied digest": "file not denied",
    "size": "size",
    "sources": "number of sources",
    "authors": "who may publish",
    "work": "proof of work",
    "ahead": "not dated ahead",
    "behind": "not dated back",
    "quota": "author's quota",
    "author's rate": "author's rate",
    "peer's rate": "sender's rate",
}
"""The rules of docs/spec/admission.md as `test` prints them."""


@app.command()
def show(as_json: Json = False) -> None:
    """Show what node.toml says of admission, and what the running node has refused."""
    from byline_node.admission_jobs import ask_state

    home = find_home()
    policy = NodeConfig.load(home.folder).admission
    settings, digest = policy.to_settings(), policy.digest.hex()
    state = ask_state(home)
    file = output.safe(str(home.config_file))
    text = f"Admission as {file} says it."
    if not home.config_file.exists():
        text = f"Admission as usual: there is no {file} that says otherwise."
    rows: list[output.Line] = [(text, "head")]
    rows += [f"  {name:<20} {said(value)}" for name, value in settings.items()]
    if policy.is_open:
        rows.append("  open: whatever is valid is taken")
    if policy.doubt is not None:
        rows.append((policy.doubt, "doubt"))
    value = {"policy": digest, "settings": settings, "running": state}
    output.result(as_json, value, [*rows, *describe_running(state, digest)])


def said(value: str | int | list[str]) -> str:
    if isinstance(value, list):
        return ", ".join(map(output.safe, value))
    return f"{value:,}" if isinstance(value, int) else output.safe(value)


def describe_running(state: Mapping[str, Any] | None, digest: str) -> list[output.Line]:
    """Whether the running node goes by that, and what came of it."""
    if state is None:
        return [("No node is running.", "quiet")]
    rows: list[output.Line] = []
    if state["policy"] != digest:
        text = "The running node goes by another policy: byline node policy reload"
        rows.append((text, "doubt"))
    rows += [
        f"  refused by {one['source']:<9} {one['reason']}: {one['count']:,}"
        for one in state["refused"]
    ]
    remembered = sum(state["remembered"].values())
    rows.append(
        f"  remembered           {amount(remembered, 'statement')}"
        f" not fetched again, {state['deferred']:,} of them until their time comes"
    )
    return rows


@app.command()
def reload(as_json: Json = False) -> None:
    """Have the running node go by what node.toml says of admission now.

    SIGHUP does the same. If the file cannot be used, the node goes on with the policy
    it has. Other settings count at the next start.
    """
    from byline_node.admission_jobs import ask_reload

    found = ask_reload(find_home())
    text = "The node goes by another policy now." if found["changed"] else "No change."
    output.result(as_json, found, [(text, "head")])


@app.command("test")
def try_policy(
    file: Annotated[Path, typer.Argument(metavar="FILE", hidden=True, readable=False)],
    source: Annotated[
        str,
        typer.Option(
            "--source", metavar="SOURCE", help="How it would come: api, gossip, follow."
        ),
    ] = "api",
    peer: Annotated[
        str,
        typer.Option("--peer", metavar="PEER", help="Who would bring it."),
    ] = "",
    as_json: Json = False,
) -> None:
    """Show what would become of statements, and why, rule by rule.

    FILE holds statements as `--out` wrote them, or as JSON as the API shows them; or it
    is a folder of such files. Nothing is published or used up. Ends with 77 if one
    would be refused.
    """
    if source not in list(Source):
        raise UsageError(f"--source: expected api, gossip or follow, got {source}")
    found = list(try_all(find_home(), file, source, peer))
    rows: list[output.Line] = []
    for one in found:
        rows += describe(one)
    count = sum(one["admitted"] for one in found)
    rows.append((f"{count:,} of {amount(len(found), 'statement')} admitted.", "head"))
    output.result(as_json, {"statements": found}, rows)
    if count < len(found):
        raise typer.Exit(RefusedError.exit_code)


def try_all(home: Home, path: Path, source: str, peer: str) -> Iterator[dict[str, Any]]:
    """What would become of each statement."""
    from byline_node.admission_jobs import PolicyTest

    statements = [(file, one) for file in files_of(path) for one in read_any(file)]
    trial = PolicyTest(home)
    try:
        with output.progress("Testing", len(statements), unit="statements") as advance:
            for file, one in statements:
                rules = trial.rules(one, source, peer)
                refusals = [rule for rule in rules if "reason" in rule]
                yield {
                    "file": str(file),
                    "id": one.cid,
                    "admitted": not refusals,
                    "reason": refusals[0]["reason"] if refusals else None,
                    "rules": rules,
                }
                advance(1)
    finally:
        trial.close()


def files_of(path: Path) -> list[Path]:
    """The file itself, or those of a folder in the order of their names."""
    if not path.is_dir():
        return [path]
    found = sorted(one for one in path.iterdir() if one.is_file())
    found = [one for one in found if not one.name.startswith(".")]
    if not found:
        raise NotFoundError(f"{path} holds no files")
    return found


def read_any(path: Path) -> list[Statement]:
    """Statements of a file in either form; their signatures hold."""
    data = read_file(path, MAX_JSON_FILE)
    if data.lstrip()[:1] not in (b"{", b"["):
        return read_statements(path)
    try:
        value = json.loads(data)
        items = value if isinstance(value, list) else [value]
        found = [
            Statement.from_parts(
                bytes.fromhex(item["body"]), bytes.fromhex(item["signature"])
            )
            for item in items
        ]
        for one in found:
            one.verify()
    except BylineError as error:
        raise type(error)(f"{path}: {error}", hint=error.hint) from None
    except (ValueError, RecursionError, LookupError, TypeError):
        raise MalformedError(
            f"{path}: expected statements as GET /v1/statements/ID shows them"
        ) from None
    return found


def describe(one: Mapping[str, Any]) -> list[output.Line]:
    """One statement: what would become of it, then every rule."""
    verdict = "admitted" if one["admitted"] else f"refused: {one['reason']}"
    rows: list[output.Line] = [(f"{one['id']}  {verdict}", "head")]
    return rows + [describe_rule(rule) for rule in one["rules"]]


def describe_rule(rule: Mapping[str, Any]) -> output.Line:
    """One rule by itself."""
    name = RULES.get(str(rule["rule"]), str(rule["rule"]))
    if "reason" not in rule:
        return (f"  ok       {name}", "good")
    until = f", until {moment(rule['until'])}" if "until" in rule else ""
    text = f"  REFUSED  {name}: {rule['text']}{until}"
    return (output.safe(text), "bad")
