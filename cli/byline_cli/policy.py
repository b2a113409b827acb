"""`byline policy`: whom a reader trusts, as a C2SP tlog-policy file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from byline_cli import output
from byline_cli.files import read_file, write_new_file
from byline_cli.options import Json, examples, make_app
from byline_cli.wording import amount
from byline_ledger.errors import (
    MalformedError,
    NotFoundError,
    UnsupportedError,
    UsageError,
)
from byline_ledger.node_keys import operator_of
from byline_ledger.note import COSIGNATURE, ED25519, Verifier
from byline_ledger.policy import MAX_POLICY_BYTES, NONE, Policy
from byline_ledger.policy_maker import make_policy
from byline_ledger.policy_review import policy_warnings
from byline_node.home import find_home

app = make_app("Say which logs and witnesses you trust.")

HEARSAY = (
    "What came from the node is its own word: compare each key with its owner before"
    " you rely on it."
)
STRANGERS = (
    "Operators are told apart by the names that they chose: that they are different"
    " people, and honest, only you can know."
)
KEY_KINDS = {ED25519: "a log", COSIGNATURE: "a witness"}

File = Annotated[
    Path | None,
    typer.Argument(
        metavar="FILE", help="Usually your own, in BYLINE_HOME.", readable=False
    ),
]


def own_policy() -> Path:
    """Where the policy that `query` and `verify` go by lies."""
    return find_home().folder / "policy"


def read_policy(path: Path) -> Policy:
    """A policy; MalformedError names the file."""
    try:
        return Policy.from_bytes(read_file(path, MAX_POLICY_BYTES))
    except MalformedError as error:
        raise MalformedError(f"{path}: {error}", hint=error.hint) from None


def chosen_policy(named: Path | None, ignored: bool) -> tuple[Policy | None, str]:
    """The policy to go by, and where it is from."""
    if named is not None:
        return read_policy(named), str(named)
    own = own_policy()
    if ignored or not own.is_file():
        return None, ""
    return read_policy(own), str(own)


def require_ageable(rules: Policy | None, max_age: int | None) -> None:
    """UsageError where an age is wanted and nobody counts who could tell it."""
    if max_age is None or (rules is not None and rules.quorum != NONE):
        return
    what = "a policy" if rules is None else "a policy that asks for witnesses"
    hint = "make one with: byline policy init --from-node, or --log and --witness"
    if rules is not None:
        hint = "yours asks for none; make another with: byline policy init --out FILE"
    raise UsageError(
        f"--max-age needs {what}: they alone can say how old an answer is", hint=hint
    )


@app.command(epilog=examples("byline policy init --from-node"))
def init(
    logs: Annotated[
        list[str] | None,
        typer.Option("--log", metavar="VKEY", help="A log you trust. Repeatable."),
    ] = None,
    witnesses: Annotated[
        list[str] | None,
        typer.Option(
            "--witness",
            metavar="VKEY",
            help="A witness: one key, or both lines of a node's /witness/vkey."
            " Repeatable.",
        ),
    ] = None,
    from_node: Annotated[
        bool,
        typer.Option(
            "--from-node", help="The log of your running node, and its witnesses."
        ),
    ] = False,
    quorum: Annotated[
        int | None,
        typer.Option(
            "--quorum",
            metavar="K",
            min=1,
            help="How many witnesses must have signed. Usually over two thirds.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Usually your own policy."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Write a policy from the keys of logs and witnesses.

    Get keys from people you know, not from the log they are to vouch for.
    """
    named = [log_key("--log", text) for text in logs or ()]
    signing = [key for text in witnesses or () for key in witness_keys(text)]
    if from_node:
        found = keys_of_node()
        named += found[0]
        signing += found[1]
    if not named:
        raise UsageError("expected at least one --log, or --from-node")
    text = make_policy(named, signing, quorum)
    policy = Policy.from_bytes(text)
    path = out or own_policy()
    path.parent.mkdir(parents=True, exist_ok=True)
    write_new_file(path, text)
    rows: list[output.Line] = [(f"Wrote {output.safe(str(path))}.", "head")]
    rows += describe(policy)
    if from_node:
        rows.append((HEARSAY, "doubt"))
    value = to_json(policy, path) | {"from_node": from_node}
    output.result(as_json, value, rows)


def keys_of_node() -> tuple[list[Verifier], list[Verifier]]:
    """Verifier keys of the running node's log and of its witnesses."""
    from byline_cli.connect import status_of_running

    status: dict[str, Any] = status_of_running(0)
    place = "the node's status"
    rows = [str(one["vkey"]) for one in status.get("witnesses", [])]
    signing = [parse_key(place, text, COSIGNATURE) for text in rows]
    return [log_key(place, str(status["vkey"]))], signing


def log_key(place: str, text: str) -> Verifier:
    """The key of one log."""
    return parse_key(place, text.strip(), ED25519)


def witness_keys(text: str) -> list[Verifier]:
    """What `--witness` names: the key of a witness, or the keys of one operator."""
    lines = text.strip().split("\n")
    keys = [parse_key("--witness", line.strip(), COSIGNATURE) for line in lines]
    operators = {operator_of(key.name) for key in keys}
    if len(operators) > 1:
        raise UsageError(
            f"--witness: expected the keys of one operator, got {len(operators)}",
            hint="give --witness once for each",
        )
    return keys


def parse_key(place: str, text: str, kind: int) -> Verifier:
    """One verifier key and nothing else; UsageError names where it was given."""
    try:
        key = Verifier.from_text(text)
    except (MalformedError, UnsupportedError) as error:
        raise UsageError(f"{place}: {error}") from None
    if key.type != kind:
        wanted, got = KEY_KINDS[kind], KEY_KINDS[key.type]
        raise UsageError(f"{place}: expected the key of {wanted}, got that of {got}")
    return key


@app.command()
def check(file: File = None, as_json: Json = False) -> None:
    """Check a policy: its form, and whether it can be fooled."""
    path = named_or_own(file)
    policy = read_policy(path)
    output.result(as_json, to_json(policy, path), judge(policy))


@app.command()
def show(file: File = None, as_json: Json = False) -> None:
    """Show in plain words whom a policy trusts."""
    path = named_or_own(file)
    policy = read_policy(path)
    output.result(as_json, to_json(policy, path), describe(policy))


def named_or_own(file: Path | None) -> Path:
    path = file or own_policy()
    if file is None and not path.is_file():
        raise NotFoundError(
            "you have no policy yet", hint="make one with: byline policy init"
        )
    return path


def describe(policy: Policy) -> list[output.Line]:
    """Whom it trusts, and what is weak about it."""
    rows: list[output.Line] = [
        f"  log       {output.safe(log.origin)}" for log in policy.logs
    ]
    rows += [
        f"  witness   {output.safe(one.name)}: {output.safe(one.verifier.name)}"
        for one in policy.witnesses
    ]
    for group in policy.groups:
        members = ", ".join(map(output.safe, group.members))
        rows.append(
            f"  group     {output.safe(group.name)}: {group.threshold} of {members}"
        )
    rows.append(f"  quorum    {output.safe(policy.quorum)}")
    return [*rows, *judge(policy)]


def judge(policy: Policy) -> list[output.Line]:
    """The warnings, or that there are none."""
    warnings = policy_warnings(policy)
    if not warnings:
        return [("Its form is sound: nothing in it counts twice.", "good"), STRANGERS]
    count = amount(len(warnings), "weakness", "weaknesses")
    rows: list[output.Line] = [
        (f"  weak      {output.safe(one)}", "doubt") for one in warnings
    ]
    return [*rows, (f"It can be used, with {count}.", "doubt")]


def to_json(policy: Policy, path: Path) -> dict[str, object]:
    """The policy for scripts."""
    return {
        "file": str(path),
        "logs": [log.vkey for log in policy.logs],
        "witnesses": {one.name: one.verifier.to_text() for one in policy.witnesses},
        "groups": {
            one.name: {"threshold": one.threshold, "members": list(one.members)}
            for one in policy.groups
        },
        "quorum": policy.quorum,
        "warnings": policy_warnings(policy),
    }
