"""Say one thing: sign a statement, publish it or write it to a file, print what came.

All commands that make a single statement end here, so that `--key`, `--out`,
`--work-bits` and `--json` mean the same for each of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from byline_cli import output
from byline_cli.behalf import speak_for
from byline_cli.connect import AnyClient, connect, now_ms, work_asked
from byline_cli.ended import warn_if_ended
from byline_cli.files import require_new
from byline_cli.signing import load_key
from byline_cli.statement_file import write_statements
from byline_cli.wording import day, in_the_log
from byline_ledger.content import Fields
from byline_ledger.crypto import SigningKey, random_bytes
from byline_ledger.statement import Statement, sign_statement
from byline_node.attest import Behalf, do_work
from byline_node.delegations import require_delegated
from byline_node.said_before import Which, said_before

Sense = Callable[[AnyClient, Statement], None]
Made = Callable[[bytes], Fields]
Words = Callable[[Statement], str]


class When(TypedDict):
    """What a statement has beside its content."""

    time: int
    salt: bytes


@dataclass(frozen=True, slots=True)
class Manner:
    """How it is to be said: with which key, after how much work, where to, how told,
    and for whom."""

    key_name: str
    work_bits: int | None = None
    out: Path | None = None
    as_json: bool = False
    behalf: Behalf | None = None
    key: SigningKey | None = None
    """A key that is in no folder, instead of the one that is named."""


def when() -> When:
    """Time and salt of a statement that is made now."""
    return {"time": now_ms(), "salt": random_bytes(16)}


def say(
    done: str,
    fields: Fields | Made,
    manner: Manner,
    *,
    sense: Sense | None = None,
    unless_said: Which | None = None,
    more: dict[str, object] | None = None,
    rows: tuple[output.Line, ...] = (),
    words: Words | None = None,
) -> Statement:
    """Sign, then publish or write to a file, and print it: `done` is what was done, in
    one word, `more` and `rows` what else is told, to scripts and to people; `words`
    says what a statement says.

    `fields` may be a function of the public key that signs.  `sense` raises for what
    readers would ignore; where a node is asked, it is called before any work is done.
    With `unless_said`, what the key has said already, and not taken back, is not said
    again (said_before.py).
    """
    if manner.out is not None:
        require_new(manner.out)
    key = manner.key or load_key(manner.key_name)
    made = fields(key.public) if callable(fields) else fields
    found = speak_for(made, manner.behalf)
    if manner.out is not None:
        signed = sign_with_work(found, key, manner.work_bits or 0)
        write_statements(manner.out, [signed])
        rows += (words(signed),) if words else ()
        told = {"id": signed.cid, "out": str(manner.out)}
        described = f"Signed into {manner.out}. Nothing was published."
        output.result(manner.as_json, told | (more or {}), [described, *rows])
        return signed
    with connect() as client:
        draft = sign_statement(found, key)
        require_delegated(client, manner.behalf, draft, now_ms())
        if sense is not None:
            sense(client, draft)
        warn_if_ended(client, key.public)
        before = said_before(client, draft, unless_said) if unless_said else None
        if before is not None:
            signed = before
        else:
            bits = manner.work_bits
            if bits is None:
                bits = work_asked(client, key.public)
            signed = sign_with_work(found, key, bits)
        receipt = client.publish([signed])[0]  # of an old one: where it is
    rows += (words(signed),) if words else ()
    text = f"{done}, {in_the_log([receipt.index])}."
    if before is not None:
        text = said_already(before, receipt.index)
    head = (text, "head")
    output.result(
        manner.as_json, receipt.to_json() | (more or {}), [head, signed.cid, *rows]
    )
    return signed


def said_already(before: Statement, index: int) -> str:
    """That a key says nothing new, and where the old is."""
    where = in_the_log([index])
    return f"Said on {day(before.time)} already, {where}: nothing was published."


def sign_with_work(fields: Fields, key: SigningKey, bits: int) -> Statement:
    """Signed, after so much work."""
    if bits:
        with output.progress("Working", 1 << bits, unit="hashes") as advance:
            fields = do_work(fields, key, bits, advance)
    return sign_statement(fields, key)
