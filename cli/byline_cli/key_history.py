"""`byline key history`: what a log proves about a key, in the log's order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from byline_cli import known_names, output
from byline_cli.connect import connect, now_ms
from byline_cli.naming import parse_key
from byline_cli.options import Json
from byline_cli.policy import chosen_policy
from byline_cli.render import render_level
from byline_cli.wording import amount, day, field, moment
from byline_ledger.content import read_content
from byline_ledger.content_keys import (
    DelegateContent,
    ProfileContent,
    RotateContent,
)
from byline_ledger.did import did_key
from byline_ledger.digest import cid_of_statement, digest_bytes
from byline_ledger.errors import NotFoundError
from byline_ledger.statement import Statement
from byline_ledger.verify import Verdict, verify_bundle
from byline_node.key_story import DEPTH, KeyStory, Told, read_story, successors

MOST_SHOWN = 50
"""Statements about a key that are spelt out."""


def history(
    key: Annotated[str, typer.Argument(metavar="KEY", hidden=True)],
    as_json: Json = False,
) -> None:
    """Show what is proven about a key: its profile, its recovery key, who follows it.

    KEY is a did:key, or the name of a key of yours. Ends with code 3 if nobody said
    anything about it.
    """
    public = parse_key(key)
    rules, _where = chosen_policy(None, False)
    with connect(make=False) as client:
        story = read_story(client, public)
        after = successors(client, story)
    verdict = verify_bundle(
        story.bundle,
        digest=digest_bytes(public),
        policy=rules,
        now=now_ms(),
        depth=DEPTH,
    )
    rows = [*describe(story, after), "", ("Proof", "head")]
    rows += map(render_level, verdict.levels)
    output.result(as_json, to_json(story, after, verdict), rows)
    if not verdict.ok:
        raise typer.Exit(verdict.exit_code)
    if not (story.told or story.taken_down):
        raise typer.Exit(NotFoundError.exit_code)


def describe(story: KeyStory, after: list[KeyStory]) -> Iterator[output.Line]:
    """The key, who follows it, and everything that was said about it."""
    yield (known_names.with_own_name(story.key), "head")
    if not story.told:
        yield ("  This log shows nothing that was said about it.", "doubt")
        return
    yield from profile_rows(story)
    yield from end_rows(story, after)
    yield ""
    yield "History"
    for one in story.told[:MOST_SHOWN]:
        yield told_row(one, story)
    if len(story.told) > MOST_SHOWN:
        more = len(story.told) - MOST_SHOWN
        yield f"  and {amount(more, 'further statement')} (see --json)"
    if story.taken_down:
        gone = amount(story.taken_down, "statement")
        yield (f"  {gone} taken down by this node: what they said is unknown", "doubt")
    if not story.complete:
        yield ("  More was said about it than is shown.", "doubt")


def profile_rows(story: KeyStory) -> Iterator[output.Line]:
    """What it calls itself, and its recovery key."""
    profile = story.profile
    name = profile.content.name if profile is not None else None
    shown = f"“{output.safe(name)}”" if name else "nothing"
    yield field("calls itself", shown)
    where = story.recovery_profile
    if story.state.recovery is not None and where is not None:
        announced = f"{did_key(story.state.recovery)}, announced in entry {where.index}"
        yield field("recovery key", announced)
    else:
        yield field("recovery key", "none was announced")


def end_rows(story: KeyStory, after: list[KeyStory]) -> Iterator[output.Line]:
    """Whether it goes on, and who acts for it."""
    state = story.state
    if state.ends is None:
        known = "goes on" if state.settled else "unknown: not all is shown"
        yield (field("it", known), "good" if state.settled else "doubt")
        return
    if state.is_contested:
        text = f"is CONTESTED since entry {state.ends}: nobody follows"
        yield (field("it", text), "bad")
        for named in state.named:
            yield field("named", did_key(named))
        return
    if not state.named:
        text = f"was declared COMPROMISED in entry {state.ends}: nobody acts for it"
        yield (field("it", text), "bad")
        return
    yield (field("it", f"ended in entry {state.ends}"), "doubt")
    for one in after or ():
        yield field("followed by", known_names.with_own_name(one.key))
        if one.state.ends is not None:
            yield field("", f"which ended in entry {one.state.ends}")
    if not after:
        yield field("followed by", f"{did_key(state.named[0])}, if all were shown")


def told_row(told: Told, story: KeyStory) -> output.Line:
    """One statement about the key on one line."""
    statement = told.record.statement
    by = "" if statement.author == story.key else f" by {did_key(statement.author)}"
    if statement.author == story.state.recovery:
        by = " by its recovery key"
    said = said_in(statement)
    text = (
        f"  entry {told.record.index:<5} {moment(statement.time)}  "
        f"{output.safe(statement.type)}{by}{said}"
    )
    if statement.type == "rotate" and told.record not in story.state.rotations:
        return (f"{text}, which counts for nothing", "quiet")
    if told.status == "effective":
        return text
    return (f"{text} ({output.safe(told.status)})", "quiet")


def said_in(statement: Statement) -> str:
    """What it says, in few words."""
    content = read_content(statement)
    if isinstance(content, RotateContent):
        to = f" to {did_key(content.successor)}" if content.successor else ""
        return f"{to} ({output.safe(content.reason or 'reason unknown')})"
    if isinstance(content, ProfileContent):
        return f" “{output.safe(content.name)}”" if content.name else ""
    if isinstance(content, DelegateContent):
        types = ", ".join(map(output.safe, content.types)) or "nothing"
        until = f" until {day(content.until)}" if content.until is not None else ""
        limit = f", {content.count} at most" if content.count is not None else ""
        id_ = cid_of_statement(statement.id)
        return f": may sign {types}{until}{limit}, statement {id_}"
    return ""


def to_json(
    story: KeyStory, after: list[KeyStory], verdict: Verdict
) -> dict[str, object]:
    """The same, for scripts."""
    state, profile = story.state, story.profile
    recovery = state.recovery
    return {
        "key": did_key(story.key),
        "name": profile.content.name if profile is not None else None,
        "profile": cid_of_statement(profile.record.statement.id) if profile else None,
        "recovery": did_key(recovery) if recovery is not None else None,
        "ends": state.ends,
        "contested": state.is_contested,
        "settled": state.settled,
        "named": [did_key(one) for one in state.named],
        "successors": [did_key(one.key) for one in after],
        "complete": story.complete,
        "taken_down": story.taken_down,
        "statements": [
            {
                "id": cid_of_statement(one.record.statement.id),
                "index": one.record.index,
                "type": one.record.statement.type,
                "author": did_key(one.record.statement.author),
                "time": one.record.statement.time,
                "status": one.status,
            }
            for one in story.told
        ],
        "ok": verdict.ok,
    }
