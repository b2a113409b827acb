"""How answers of several peers look: who said what, who differs, what was learned.

Pure functions, as in render.py; everything that a stranger wrote goes through `safe`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from byline_cli import output
from byline_cli.targets import Target
from byline_cli.wording import amount

if TYPE_CHECKING:
    from byline_node.peer_choice import Held, Measure
    from byline_node.peer_query import PeerReply, Replies


@dataclass(frozen=True, slots=True)
class Asked:
    """The reader's side of the question; `crowd` of works to hide among, if any."""

    target: Target
    crowd: int | None
    measure: Measure


def describe(
    replies: Replies,
    held: list[Held],
    chosen: Held,
    asked: Asked,
    alarms: dict[str, Path | None],
) -> list[output.Line]:
    """What goes below the answer; nothing where one peer was asked openly."""
    rows: list[output.Line] = []
    if len(replies.peers) > 1:
        rows += ["", ("Peers", "head")]
        rows += [describe_peer(one, held, chosen) for one in replies.peers]
        rows.append(agreement(replies))
        rows += differences(held, chosen)
    for vkey, path in alarms.items():
        name = output.safe(vkey.partition("+")[0])
        where = f": the proof is in {path}" if path else ""
        rows.append((f"The log {name} CONTRADICTS ITSELF{where}.", "bad"))
    if replies.bits is not None:
        rows += ["", *describe_crowd(replies, chosen, asked)]
    return rows


def describe_peer(reply: PeerReply, held: list[Held], chosen: Held) -> output.Line:
    """One line: did it answer, with which log, and is it the answer above."""
    if reply.problem is not None:
        return (
            f"  {'no answer':<13}{reply.peer}: {output.safe(str(reply.problem))}",
            "doubt",
        )
    assert reply.root is not None
    log = output.safe(reply.root.checkpoint.origin)
    size = amount(reply.root.checkpoint.size, "entry", "entries")
    mine = [one for one in held if one.reply is reply]
    if not mine:
        return (
            f"  {'left out':<13}{reply.peer}: its log {log} cannot be believed",
            "bad",
        )
    if not mine[0].verdict.ok:
        failure = output.safe(mine[0].verdict.failure())
        return (f"  {'FAILED':<13}{reply.peer}: {failure}", "bad")
    word = "shown above" if mine[0] is chosen else "answered"
    return f"  {word:<13}{reply.peer}: log {log}, {size}"


def agreement(replies: Replies) -> output.Line:
    """Whether all that showed a root hold the same set of statements."""
    roots = [one.root.set_root for one in replies.peers if one.root is not None]
    if len(roots) < 2:
        return "  Nothing to compare: only one has shown its set of statements."
    if len(set(roots)) == 1:
        who = "Both" if len(roots) == 2 else f"All {len(roots)}"
        return (f"  {who} hold the same set of statements.", "good")
    sets = f"{len(set(roots))} different sets of statements"
    return (f"  {len(roots)} hold {sets}, each in a log of its own.", "doubt")


def differences(held: list[Held], chosen: Held) -> list[output.Line]:
    """What other answers that hold have beyond the one that is shown."""
    rows: list[output.Line] = []
    for one in held:
        more = one.beyond(chosen)
        if more:
            things = amount(more, "statement")
            text = f"also shows {things} that the answer above lacks: ask it alone."
            rows.append((f"  {one.reply.peer} {text}", "doubt"))
    if len(held) > 1 and not rows:
        rows.append("  None shows more about this work than the answer above.")
    return rows


def describe_crowd(replies: Replies, chosen: Held, asked: Asked) -> list[output.Line]:
    """What the nodes were shown, and what they learned."""
    crowd = chosen.reply.crowd
    assert crowd is not None
    assert asked.crowd is not None
    size = f"{crowd.size:,} bytes in {amount(crowd.pages, 'page')}"
    under = (
        f"{replies.bits} bits of a lookup key: {amount(crowd.works, 'work')}, {size}"
    )
    rows: list[output.Line] = [
        ("Asked among a crowd", "head"),
        f"  prefix       {under}",
        "  learned      you mean one of these, or one unknown to it; your address",
    ]
    if crowd.works < asked.crowd:
        wanted = f"than the {asked.crowd} works you wanted to be among"
        rows.append((f"  fewer        {wanted}", "doubt"))
    if asked.measure.rules is None:
        word = "without a policy, how many there are is the word of this log"
        rows.append((f"  unproven     {word}", "doubt"))
    return rows


def to_json(
    replies: Replies, chosen: Held, alarms: dict[str, Path | None]
) -> dict[str, object]:
    """The same for scripts."""
    roots = {one.root.set_root for one in replies.peers if one.root is not None}
    value: dict[str, object] = {
        "peers": [peer_to_json(one, chosen) for one in replies.peers],
        "agree": len(roots) == 1,
        "alarms": [str(path) for path in alarms.values() if path],
    }
    crowd = chosen.reply.crowd
    if crowd is not None:
        value["crowd"] = {
            "bits": replies.bits,
            "works": crowd.works,
            "bytes": crowd.size,
            "pages": crowd.pages,
        }
    return value


def peer_to_json(reply: PeerReply, chosen: Held) -> dict[str, object]:
    root, problem = reply.root, reply.problem
    return {
        "peer_id": reply.peer,
        "address": reply.address,
        "shown": reply is chosen.reply,
        "problem": str(problem) if problem else None,
        "origin": root.checkpoint.origin if root else None,
        "size": root.checkpoint.size if root else None,
        "strings": root.strings if root else None,
        "set_root": root.set_root if root else None,
    }
