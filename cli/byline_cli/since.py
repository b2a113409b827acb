"""What came, and what went, between two answers of one log to one question.

Pure.  Whatever a saved proof holds and today's answer lacks is named: a claim that was
withdrawn is still shown, one whose body was taken down is not, and the saved proof may
then be the last that holds it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from byline_cli.output import Line, safe
from byline_cli.render import MOST_SHOWN, Reader
from byline_cli.wording import amount, moment
from byline_ledger.answer import UNKNOWN, WITHDRAWN, Answer, Claim, Remark
from byline_ledger.bundle import Bundle
from byline_ledger.digest import cid_of_statement

KINDS = {
    "work": "claim",
    "endorse": "endorsement",
    "dispute": "dispute",
    "withdraw": "withdrawal",
}


@dataclass(frozen=True, slots=True)
class Said:
    """One statement of an answer; `is_told` if another's status says it already."""

    one: Claim | Remark
    is_told: bool = False

    @property
    def is_claim(self) -> bool:
        """Whether it says how a work was made."""
        return isinstance(self.one, Claim)

    def describe(self, reader: Reader) -> str:
        """Who said what and when."""
        kind = KINDS.get(self.one.type, f"“{safe(self.one.type)}”")
        return f"the {kind} by {reader.key(self.one.author)} of {moment(self.one.time)}"


@dataclass(frozen=True, slots=True)
class Since:
    """Everything that is different, each by statement."""

    entries: int
    added: tuple[Said, ...]
    """In the log since."""
    shown: tuple[Said, ...]
    """In the log before, and not in the saved proof."""
    withdrawn: tuple[Said, ...]
    unsure: tuple[Said, ...]
    """Of which it is unknown now whether they stand."""
    taken_down: tuple[Said, ...]
    """Bodies that the saved proof holds and the node does not give any more."""
    unseen: int
    """Taken down since, and not in the saved proof either."""
    left_out: tuple[Said, ...]
    """Not shown any more, although still in the log: pages are full."""

    @property
    def lost(self) -> tuple[Said, ...]:
        """What would be gone with the saved proof."""
        return (*self.taken_down, *(one for one in self.left_out if one.is_claim))


def compare(
    old: Bundle, new: Bundle, before: Answer, after: Answer, entries: int
) -> Since:
    """`entries` is by how many the log has grown."""
    was, now = statements(before), statements(after)
    gone_before = {one.entry.id for one in old.redacted}
    gone = {one.entry.id for one in new.redacted} - gone_before
    fresh = [one for id_, one in now.items() if id_ not in was and not one.is_told]
    grown_from = after.log_size - entries
    return Since(
        entries,
        added=tuple(one for one in fresh if one.one.index >= grown_from),
        shown=tuple(one for one in fresh if one.one.index < grown_from),
        withdrawn=became(WITHDRAWN, was, now),
        unsure=became(UNKNOWN, was, now),
        taken_down=tuple(one for id_, one in was.items() if id_ in gone),
        unseen=len(gone - was.keys()),
        left_out=tuple(
            one for id_, one in was.items() if id_ not in now and id_ not in gone
        ),
    )


def became(
    status: str, was: dict[bytes, Said], now: dict[bytes, Said]
) -> tuple[Said, ...]:
    """Statements of both answers that have this status only now."""
    return tuple(
        one
        for id_, one in now.items()
        if id_ in was and one.one.status == status and was[id_].one.status != status
    )


def statements(answer: Answer) -> dict[bytes, Said]:
    """All statements that an answer shows, by id."""
    found: dict[bytes, Said] = {}
    for said in every(answer):
        # What is shown for itself counts, wherever else it is named.
        if said.one.id not in found or found[said.one.id].is_told:
            found[said.one.id] = said
    return found


def every(answer: Answer) -> Iterator[Said]:
    for work in answer.works:
        yield from with_withdrawals(work.claims)
        yield from with_withdrawals(work.remarks)
        for claim in work.claims:
            remarks = (*claim.endorsements, *claim.disputes, *claim.others)
            yield from with_withdrawals(remarks)
    for key in answer.keys:
        yield from with_withdrawals(key.statements)


def with_withdrawals(said: Iterable[Claim | Remark]) -> Iterator[Said]:
    for one in said:
        yield Said(one)
        if one.withdrawal is not None:
            yield Said(one.withdrawal, is_told=True)


# For people, and for scripts


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
    texts = [f"{one.describe(reader)}{after}" for one in said[:MOST_SHOWN]]
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
