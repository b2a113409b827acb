"""Say it where the key that signs has ended: what it says from then on counts for
nothing (docs/spec/state.md), and nobody would notice before a reader does.

Every command that signs and publishes asks here: `connect_to_sign` is how they reach
the node, and `say` (saying.py) warns as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from byline_cli import output
from byline_cli.connect import AnyClient, connect
from byline_cli.signing import own_name
from byline_ledger.did import did_key
from byline_node.key_story import KeyStory, read_story


@contextmanager
def connect_to_sign(key: bytes) -> Iterator[AnyClient]:
    """The node, to publish what this key (32 bytes) signs; a note if it has ended."""
    with connect() as client:
        warn_if_ended(client, key)
        yield client


def warn_if_ended(client: AnyClient, key: bytes) -> None:
    """A note where the key (32 bytes) was replaced or given up in this log before, by
    its own word or by that of its recovery key."""
    story = read_story(client, key)
    if story.state.ends is not None:
        output.note(
            f"The key that you sign with {what_became(story)}: what it says now counts"
            f" for nothing. Sign with another: --key {next_name(story)}",
            "doubt",
        )


def what_became(story: KeyStory) -> str:
    """Of a key that has ended, as words that follow it."""
    state = story.state
    if state.is_contested:
        return "is contested, since two keys are named to follow it"
    if not state.named:
        return f"was declared compromised in entry {state.ends}"
    after = state.named[0]
    name = own_name(after)
    followed = f'your key "{name}"' if name else did_key(after)
    return f"was replaced by {followed} in entry {state.ends}"


def next_name(story: KeyStory) -> str:
    """The name of the key to use instead, if that is at hand."""
    named = () if story.state.is_contested else story.state.named
    return next(filter(None, map(own_name, named)), "NAME")
