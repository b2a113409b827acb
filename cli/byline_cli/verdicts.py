"""What `consent`, `filter` and `find` print of verdicts."""

from __future__ import annotations

from byline_cli import output
from byline_cli.render_consent import term_words
from byline_cli.wording import USES, amount
from byline_ledger.digest import cid_of_statement
from byline_ledger.manifest import BadLine
from byline_ledger.use_word import ALLOWED, CONSTRAINED, NOT_ALLOWED, UNKNOWN, Term
from byline_node.consents import Checked, Counts

WORDS = {
    ALLOWED: ("allowed", "good"),
    CONSTRAINED: ("on conditions", "doubt"),
    NOT_ALLOWED: ("NOT allowed", "bad"),
    UNKNOWN: ("unknown", "quiet"),
}
WIDTH = max(len(word) for word, _style in WORDS.values())
NOBODY = "Nobody claims this work here, so nobody says what it may be used for."


def describe_checked(one: Checked | BadLine) -> list[output.Line]:
    """One line for one line of a list."""
    if isinstance(one, BadLine):
        said = output.safe(f"line {one.number}: {one.reason}")
        return [(f"{'bad line':{WIDTH}}  {said}", "bad")]
    word, style = WORDS[one.consent.verdict]
    return [(f"{word:{WIDTH}}  {output.safe(one.name)}", style)]


def describe_single(one: Checked) -> list[output.Line]:
    """The verdict on one work, by whose word, and whom to ask."""
    consent = one.consent
    word, style = WORDS[consent.verdict]
    use = USES[consent.use]
    rows: list[output.Line] = [
        (f"To {use}: {word}", style),
        output.safe(one.name),
    ]
    if not consent.deciding:
        rows.append((NOBODY, "quiet"))
    rows += [f"  terms       {term_and_whose(one)}" for one in consent.terms]
    rows += [f"  decided by  {cid_of_statement(one)}" for one in consent.deciding]
    rows += [f"  ask under   {cid_of_statement(one)}" for one in consent.offers]
    if not consent.complete:
        rows.append(("  Not everything said about it is shown.", "doubt"))
    return rows


def term_and_whose(term: Term) -> str:
    """One condition, and the statement that it is of."""
    words, whose = term_words(term), cid_of_statement(term.statement)
    return words if whose in words else f"{words} ({whose})"


def counts_rows(counts: Counts, use: str) -> list[output.Line]:
    """The sum of a list."""
    total = counts.verdicts.total()
    rows: list[output.Line] = [(f"{amount(total, 'work')}, to {USES[use]}:", "head")]
    for verdict, (word, style) in WORDS.items():
        count = counts.verdicts[verdict]
        more = ""
        if verdict == UNKNOWN and counts.unattested:
            more = f", {counts.unattested:,} of them claimed by nobody"
        rows.append((f"  {count:>12,}  {word}{more}", style if count else "quiet"))
    if counts.bad:
        told = amount(counts.bad, "line names", "lines name")
        rows.append((f"  {told} no work", "bad"))
    return rows
