"""Author keys as the commands use them: which folder, which passphrase.

A passphrase is taken from BYLINE_PASSPHRASE, else asked for on the terminal; a script
without either is told so instead of being kept waiting.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import typer

from byline_ledger.crypto import SigningKey, random_bytes
from byline_ledger.did import did_key, parse_did_key
from byline_ledger.errors import (
    BylineError,
    KeyAccessError,
    NotFoundError,
    UsageError,
)
from byline_ledger.recovery_code import recovery_code
from byline_ledger.store.durable import create_durably, read_small
from byline_ledger.store.keystore import KeyInfo, KeyStore
from byline_node.home import find_home

VARIABLE = "BYLINE_PASSPHRASE"
DEFAULT_KEY = "default"


def key_store() -> KeyStore:
    """The keys of this user."""
    return KeyStore(find_home().keys)


def find_key(name: str) -> KeyInfo:
    """What is known of a key without opening it; NotFoundError names the others."""
    store = key_store()
    known = store.names()
    if name in known:
        return store.info(name)
    if not known:
        raise NotFoundError("there is no key yet", hint="make one with: byline key new")
    names = ", ".join(known)
    raise NotFoundError(
        f"there is no key called {name!r}, only: {names}",
        hint="name one of those, or make it with: byline key new NAME",
    )


def load_key(name: str) -> SigningKey:
    """The key, opened; asks for its passphrase if it has one."""
    info = find_key(name)
    if not info.encrypted:
        return key_store().load(name, None)
    return key_store().load(name, passphrase(f"Passphrase of key {name!r}"))


def make_recovery(name: str) -> tuple[str, bytes]:
    """A recovery key for a key: its code, and its public half, which alone is kept
    beside the key until a profile announces it."""
    seed = random_bytes(32)
    public = SigningKey.from_seed(seed).public
    create_durably(recovery_file(name), did_key(public).encode() + b"\n")
    return recovery_code(seed), public


def require_no_recovery(name: str) -> None:
    """Raises UsageError where a recovery key was made for a key of that name, which is
    gone: its code may still be somewhere on paper."""
    path = recovery_file(name)
    if path.exists():
        raise UsageError(
            f"{path} is there already, of an earlier key {name!r}",
            hint="choose another name, or move that file away",
        )


def made_recovery(name: str) -> bytes | None:
    """The recovery key that was made with a key, if there was one."""
    data = read_small(recovery_file(name), 256)
    return (
        None if data is None else parse_did_key(data.decode("ascii", "replace").strip())
    )


def recovery_file(name: str) -> Path:
    return key_store().folder / f"{name}.recovery"


def passphrase(prompt: str, *, confirm: bool = False) -> str:
    """The passphrase: the variable, else the terminal, else KeyAccessError."""
    found = os.environ.get(VARIABLE)
    if found is not None:
        return found
    if not sys.stdin.isatty():
        raise KeyAccessError(
            "the passphrase is needed and there is no terminal to ask on",
            hint=f"set {VARIABLE}",
        )
    entered: str = typer.prompt(
        prompt,
        hide_input=True,
        confirmation_prompt=confirm,
        err=True,
        default="",  # else it is asked again without a word
        show_default=False,
    )
    if not entered:
        raise UsageError(
            "the passphrase is empty",
            hint="a key without any is made with --no-passphrase",
        )
    return entered


def key_names() -> dict[bytes, str]:
    """This user's own keys, and how answers call them."""
    good, _bad = readable_keys()
    return {info.public: f'your key "{info.name}"' for info in good}


def own_name(public: bytes) -> str | None:
    """The name of a key of this user, by its public half."""
    good, _bad = readable_keys()
    return next((info.name for info in good if info.public == public), None)


def readable_keys() -> tuple[list[KeyInfo], dict[str, BylineError]]:
    """This user's keys, and by their names those that cannot be read, and why: one of
    them is no reason to do without the others."""
    store = key_store()
    good: list[KeyInfo] = []
    bad: dict[str, BylineError] = {}
    for name in store.names():
        try:
            good.append(store.info(name))
        except BylineError as error:
            bad[name] = error
    return good, bad
