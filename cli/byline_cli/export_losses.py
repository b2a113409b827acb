"""What a projection of consent has no words for, said beside it: who reads only the
file would take a work to be protected that is not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from byline_cli.wording import amount
from byline_ledger.errors import UsageError
from byline_ledger.projection import CARRIED, Placed, says_something
from byline_ledger.vocabulary import USES


@dataclass(frozen=True, slots=True)
class Losses:
    """What is known of the works of one export and is not written."""

    form: str
    silent: int
    """Works of which nothing is known."""
    written: int
    """Works about which the file says something."""
    wordless: int
    """Works of which something is known, and the file says nothing."""
    unsaid: Mapping[str, int]
    """Entry that the form has no word for, to the number of works that have it."""

    @classmethod
    def of(cls, form: str, works: Sequence[Placed]) -> Losses:
        """Count them."""
        silent = sum(not one.sayings for one in works)
        written = sum(says_something(form, one) for one in works)
        counts = {use: sum(use in one.sayings for one in works) for use in USES}
        unsaid = {u: n for u, n in counts.items() if n and u not in CARRIED[form]}
        return cls(form, silent, written, len(works) - silent - written, unsaid)

    def require_words(self) -> None:
        """Raises UsageError where all that is known would be lost."""
        if self.written or not self.wordless:
            return
        said = ", ".join(map(use_word, self.unsaid)) or "what is known"
        raise UsageError(
            f"{self.form} has no word for {said}: nothing would be written, and none"
            f" of {amount(self.wordless, 'work')} protected",
            hint=f"say it with {better(self.form, self.unsaid)}",
        )

    def rows(self) -> Iterator[str]:
        """The same where something is written, or nothing is known."""
        if self.silent:
            yield f"Left out: {amount(self.silent, 'work')} of which no use is known."
        for use, count in self.unsaid.items():
            yield (
                f"Not written: {use_word(use)} of {amount(count, 'work')}, which"
                f" {self.form} has no word for. Say it with {better(self.form, [use])}."
            )
        if self.wordless:
            some = amount(self.wordless, "work")
            yield f"Nothing is written of {some}, though something is known."
        if not self.written:
            yield "Nothing is written: this protects no work."


def better(form: str, uses: Sequence[str] | Mapping[str, int]) -> str:
    """The forms that have words for all of these entries."""
    able = [
        f"--format {one}"
        for one in CARRIED
        if one != form and {*uses} <= {*CARRIED[one]}
    ]
    return " or ".join(able if uses else ["--format cawg"])


def use_word(use: str) -> str:
    """An entry as people type it."""
    return use.removeprefix("cawg.")
