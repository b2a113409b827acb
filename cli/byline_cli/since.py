"""What came, and what went, between a saved proof and today's answer, in words."""

from __future__ import annotations

from collections.abc import Iterator

from byline_cli.output import Line, safe
from byline_cli.render import MOST_SHOWN, Reader
from byline_cli.wording import amount, moment
from byline_ledger.digest import cid_of_statement
from byline_ledger.renewal import Said, Since

KINDS = {
    "work": "claim",
    "endorse": "endorsement",
    "dispute": "dispute",
    "withdraw": "withdrawal",
}


def describe_said(said: Said, reader: Reader) -> str:
    """Who said what and when."""
    one = said.one
    kind = KINDS.get(one.type, f"“{safe(one.type)}”")
    return f"the {kind} by {reader.key(one.author)} of {moment(one.time)}"


def describe(since: Since, reader: Reader) -> list[Line]:
    """In words; that nothing changed is said too."""
    entries = amount(since.entries, "entry", "entries")
    rows: list[Line] = [
        f"  since then    {entries} more, all behind those the saved proof is of"
    ]
    changes = [
        *listed("added", since.added, reader),
        *listed("also shown", since.shown, reader),
        *listed("withdrawn", since.withdrawn, reader, "doubt"),
        *listed("taken down", since.taken_down, reader, "bad"),
        *listed("unsure", since.unsure, reader, "doubt", ": may be withdrawn"),
        *listed("left out", since.left_out, reader, "doubt", ": pages are full"),
    ]
    if since.unseen:
        text = f"{amount(since.unseen, 'statement')} that the saved proof lacks too"
        changes.append((f"  taken down    {text}", "doubt"))
    return [*rows, *(changes or ["  no news       the answer is what it was"])]


def listed(
    word: str,
    said: tuple[Said, ...],
    reader: Reader,
    style: str = "",
    after: str = "",
) -> Iterator[Line]:
    """A line for each of the first, and how many more there are."""
    texts = [f"{describe_said(one, reader)}{after}" for one in said[:MOST_SHOWN]]
    if len(said) > MOST_SHOWN:
        texts.append(f"and {len(said) - MOST_SHOWN:,} more (see --json)")
    for text in texts:
        row = f"  {word:<13} {text}"
        yield (row, style) if style else row


def to_json(since: Since) -> dict[str, object]:
    """Ids of statements, and numbers."""
    return {
        "entries": since.entries,
        "added": ids(since.added),
        "shown": ids(since.shown),
        "withdrawn": ids(since.withdrawn),
        "unsure": ids(since.unsure),
        "taken_down": ids(since.taken_down),
        "unseen": since.unseen,
        "left_out": ids(since.left_out),
    }


def ids(said: tuple[Said, ...]) -> list[str]:
    return [cid_of_statement(one.one.id) for one in said]
