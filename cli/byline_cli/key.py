"""`byline key`: author keys.  Secrets stay in the key store and are never printed."""

from __future__ import annotations

from typing import Annotated

import typer

from byline_cli import key_history, key_life, output
from byline_cli.options import Json, examples, make_app
from byline_cli.signing import (
    DEFAULT_KEY,
    find_key,
    key_store,
    make_recovery,
    passphrase,
    readable_keys,
    require_no_recovery,
)
from byline_ledger.did import did_key
from byline_ledger.errors import UsageError
from byline_ledger.store.keystore import KeyInfo

app = make_app("Make and show your keys, and say what becomes of them.")

Name = Annotated[str, typer.Argument(metavar="NAME", hidden=True)]


@app.command()
def new(
    name: Name = DEFAULT_KEY,
    no_passphrase: Annotated[
        bool,
        typer.Option("--no-passphrase", help="Store the key unencrypted, for scripts."),
    ] = False,
    recovery: Annotated[
        bool,
        typer.Option(
            "--recovery",
            help="Make a recovery key as well: its code is shown once, for paper.",
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Make a key, encrypted with a passphrase.

    The passphrase is asked for, or taken from BYLINE_PASSPHRASE. Keep it, and a copy of
    the key folder: nobody can restore them for you. A recovery key can name a successor
    if this one is lost or stolen; byline profile set announces it.
    """
    key_store().require_free(name)
    secret = (
        None if no_passphrase else passphrase(f"Passphrase for {name!r}", confirm=True)
    )
    if secret == "":
        raise UsageError("the passphrase is empty", hint="say --no-passphrase instead")
    if recovery:
        require_no_recovery(name)
    public = key_store().new(name, passphrase=secret)
    info = KeyInfo(name, public, secret is not None)
    where = f"It is in {output.safe(str(key_store().folder))}: keep a copy."
    rows: list[output.Line] = [f"Made the key {name!r}.", *describe(info), where]
    value = to_json(info)
    if recovery:
        code, other = make_recovery(name)
        rows += describe_recovery(name, code, other)
        value |= {"recovery": did_key(other), "recovery_code": code}
    output.result(as_json, value, rows)


@app.command()
def show(name: Name = DEFAULT_KEY, as_json: Json = False) -> None:
    """Show the public name of a key, its did:key, by which others know you."""
    info = find_key(name)
    output.result(as_json, to_json(info), describe(info))


@app.command("list")
def list_keys(as_json: Json = False) -> None:
    """List your keys.

    One that cannot be read is named, and its error code is the command's.
    """
    known, bad = readable_keys()
    rows: list[output.Line] = [
        f"{did_key(info.public)}  {output.safe(info.name)}" for info in known
    ]
    rows += [(f"{name}: {output.safe(str(bad[name]))}", "bad") for name in bad]
    nothing = "No key yet. Make one with: byline key new"
    value = {
        "keys": [to_json(info) for info in known],
        "unreadable": [{"name": name, "reason": str(bad[name])} for name in bad],
    }
    output.result(as_json, value, rows or [nothing])
    for error in bad.values():
        raise typer.Exit(error.exit_code)


def describe_recovery(name: str, code: str, public: bytes) -> list[output.Line]:
    """The one time that a recovery code is shown."""
    return [
        "",
        (
            "Recovery code, for paper. It is shown this once, and kept nowhere.",
            "head",
        ),
        f"  {code}",
        f"It is that of the recovery key {did_key(public)}.",
        f"Announce it before anything happens: byline profile set --key {name}",
    ]


def describe(info: KeyInfo) -> list[str]:
    """A key in a few lines."""
    return [
        did_key(info.public),
        "encrypted with a passphrase"
        if info.encrypted
        else "stored without passphrase",
    ]


def to_json(info: KeyInfo) -> dict[str, object]:
    """A key as JSON."""
    return {
        "name": info.name,
        "key": did_key(info.public),
        "encrypted": info.encrypted,
    }


app.command()(key_history.history)
app.command(
    epilog=examples("byline key delegate did:key:z6Mk… --until 90d --count 1000")
)(key_life.delegate)
for command in (
    key_life.revoke,
    key_life.rotate,
    key_life.recover,
    key_life.compromised,
):
    app.command()(command)
