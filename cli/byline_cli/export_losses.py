"""What a projection of consent has no words for, said beside it."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from byline_cli.wording import amount
from byline_ledger.errors import UsageError
from byline_ledger.sayings import Losses


def require_words(losses: Losses) -> None:
    """UsageError where all that is known would be lost."""
    if not losses.protects_nothing:
        return
    said = ", ".join(map(use_word, losses.unsaid)) or "what is known"
    raise UsageError(
        f"{losses.form} has no word for {said}: nothing would be written, and none"
        f" of {amount(losses.wordless, 'work')} protected",
        hint=f"say it with {better(losses, losses.unsaid)}",
    )


def describe(losses: Losses) -> Iterator[str]:
    """The same where something is written, or nothing is known."""
    if losses.silent:
        yield f"Left out: {amount(losses.silent, 'work')} of which no use is known."
    for use, count in losses.unsaid.items():
        yield (
            f"Not written: {use_word(use)} of {amount(count, 'work')}, which"
            f" {losses.form} has no word for. Say it with {better(losses, [use])}."
        )
    if losses.wordless:
        some = amount(losses.wordless, "work")
        yield f"Nothing is written of {some}, though something is known."
    if not losses.written:
        yield "Nothing is written: this protects no work."


def better(losses: Losses, uses: Collection[str]) -> str:
    """How to say all of these entries."""
    return " or ".join(f"--format {one}" for one in losses.better(uses))


def use_word(use: str) -> str:
    """An entry as people type it."""
    return use.removeprefix("cawg.")
