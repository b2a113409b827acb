"""What an answer proves about the keys behind it, in plain words.

Pure functions to lines.  A name that a key gives itself is not shown here: it stands
beside the key, with what was found when it was checked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from byline_cli.output import Line
from byline_cli.wording import ROTATED, amount, moment
from byline_ledger.answer import Answer, KeyStatements, Remark
from byline_ledger.content_keys import ProfileContent, RotateContent

MOST_KEYS = 8
MOST_SAID = 6
"""Lines about one key."""

Name = Callable[[bytes], str]


def key_rows(answer: Answer, name: Name) -> Iterator[Line]:
    """The history of each key about which there is something to tell."""
    told = [(one, list(history(one, name))) for one in answer.keys]
    told = [(one, rows) for one, rows in told if rows]
    for one, rows in told[:MOST_KEYS]:
        yield ""
        yield (f"About the key {name(one.author)}", "head")
        yield from rows[:MOST_SAID]
        if len(rows) > MOST_SAID:
            yield f"  and {amount(len(rows) - MOST_SAID, 'further line')} (see --json)"
    if len(told) > MOST_KEYS:
        yield ""
        yield f"and the histories of {len(told) - MOST_KEYS} more keys (see --json)"


def history(key: KeyStatements, name: Name) -> Iterator[Line]:
    """What the key said about its own beginning and end, in the log's order."""
    said = {one.id: one for one in (*key.statements, *key.recovered)}
    for one in sorted(said.values(), key=lambda said: said.index):
        content = one.content
        if isinstance(content, ProfileContent) and content.recovery is not None:
            yield f"  named its recovery key {name(content.recovery)}{on(one)}"
        if isinstance(content, RotateContent) and one.status != "no-effect":
            by = "" if one.author == key.author else f", by {name(one.author)}"
            text, style = rotation(content, one, name)
            yield (text + by, style)
    if key.contested:
        text = "CONTESTED: it names several keys to follow it, so none acts for it"
        yield (f"  {text}", "bad")


def rotation(content: RotateContent, one: Remark, name: Name) -> tuple[str, str]:
    """Who follows a key, or that nobody does."""
    if content.successor is None:
        return (f"  declared COMPROMISED: nobody acts for it since{on(one)}", "bad")
    why = ROTATED.get(content.reason or "")
    reason = f", {why}" if why else ""
    return (f"  replaced by {name(content.successor)}{on(one)}{reason}", "doubt")


def on(one: Remark) -> str:
    """When, by its author's own clock."""
    return f" on {moment(one.time)}"
