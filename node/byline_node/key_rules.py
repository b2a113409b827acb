"""What may be said of a key without harm, before it is said and cannot be taken back.

Rule: what would help nobody, or make a key contested, is refused with the reason; what
each statement amounts to is docs/spec/state.md, "Keys" and "Delegation".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from byline_ledger.content import read_delegate
from byline_ledger.did import did_key
from byline_ledger.digest import cid_of_statement
from byline_ledger.errors import NotFoundError, UsageError
from byline_ledger.moment import utc
from byline_ledger.statement import Statement
from byline_node.key_story import Asked as AskedForStories
from byline_node.key_story import KeyStory, read_story, successors

RECOVER = "with its recovery key it can be decided: byline key recover"


class Asked(AskedForStories, Protocol):
    """The part of a client that this needs."""

    def statement(self, statement_id: bytes) -> Statement:
        """The statement of this id; NotFoundError if the log has none."""
        ...

    def authored(self, author: bytes, digests: Sequence[bytes]) -> list[Statement]:
        """The author's statements about the digests, and its withdrawals of them."""
        ...


def require_rotation(client: Asked, signed: Statement, new: bytes) -> None:
    """A key rotates once, to another that can act."""
    old = read_story(client, signed.author)
    if new == old.state.recovery:
        raise UsageError(
            "that is its recovery key: kept away from machines, it is worth more",
            hint="make a new key with: byline key new NAME",
        )
    require_unended(old, new)
    require_fit(client, signed.author, new)


def require_recovery(client: Asked, signed: Statement, lost: bytes, new: bytes) -> None:
    """Only the announced recovery key decides, and once."""
    story = read_story(client, lost)
    announced = require_announced(story, signed.author)
    if new == announced:
        raise UsageError(
            "the recovery key cannot be the successor as well: it is for the next time",
            hint="make a new key with: byline key new NAME",
        )
    for one in story.state.rotations:
        named = one.statement.fields.get("successor")
        if one.statement.author == announced and named != new:
            raise UsageError(
                "the recovery key has named another successor already, in entry"
                f" {one.index}: two would leave the key contested, and nobody acting"
                " for it"
            )
    require_fit(client, lost, new)


def require_announced(story: KeyStory, signer: bytes) -> bytes:
    """The recovery key of a key, which is the one that signs."""
    announced, where = story.state.recovery, story.recovery_profile
    if announced is None or where is None:
        raise NotFoundError(
            f"{did_key(story.key)} never announced a recovery key here",
            hint="it is announced by a profile, before anything happens to the key",
        )
    if signer != announced:
        raise UsageError(
            f"that is not the recovery key: {did_key(announced)} was announced in"
            f" entry {where.index}, and what you sign with is {did_key(signer)}"
        )
    return announced


def require_end(client: Asked, signed: Statement, named: bytes | None) -> None:
    """A key that has a successor, or has ended, is not ended again."""
    key = signed.author if named is None else named
    story = read_story(client, key)
    if signed.author != key:
        require_announced(story, signed.author)
    require_unended(story, None)


def require_unended(story: KeyStory, new: bytes | None) -> None:
    """A second rotation that differs would leave a key contested."""
    state = story.state
    if state.ends is None:
        return
    if state.is_contested:
        raise UsageError(
            f"the key is contested since entry {state.ends}: two successors are named",
            hint=RECOVER,
        )
    if not state.named:
        raise UsageError(
            f"the key was declared compromised in entry {state.ends}: nobody acts for"
            " it",
            hint=RECOVER,
        )
    after = did_key(state.named[0])
    if state.named[0] == new:
        raise UsageError(f"that was said already, in entry {state.ends}")
    raise UsageError(
        f"the key ended in entry {state.ends}, and {after} follows it: another"
        " successor would leave it contested, and nobody acting for it",
        hint=f"rotate {after} instead; if somebody else said that, {RECOVER}",
    )


def require_fit(client: Asked, old: bytes, new: bytes) -> None:
    """A successor must be able to act: not ended, and not led back to the old key."""
    story = read_story(client, new)
    if old in story.state.named:
        raise UsageError("the two keys would follow each other, and neither would act")
    if story.state.ends is not None:
        raise UsageError(
            f"the successor itself ended in entry {story.state.ends}",
            hint="name a key that goes on",
        )


def require_delegate(client: Asked, signed: Statement, *, other: bytes) -> None:
    """Whoever delegates goes on, and so does whoever is delegated to."""
    if other == signed.author:
        raise UsageError("a key needs no delegation to sign for itself")
    for key, role in ((signed.author, "the key"), (other, "the other key")):
        ends = read_story(client, key).state.ends
        if ends is not None:
            raise UsageError(
                f"{role} ended in entry {ends}: what is delegated counts for nothing"
            )


def require_delegation_of(client: Asked, signed: Statement) -> int | None:
    """Only whom a delegation is by ends it, and once.  Returns until when it holds."""
    try:
        found = client.statement(signed.about[2:])
    except NotFoundError:
        raise NotFoundError(
            f"this log holds no statement {cid_of_statement(signed.about[2:])}",
            hint="`byline key history` of the other key shows what was delegated to it",
        ) from None
    if found.type != "delegate":
        raise UsageError(
            f"that statement is no delegation: {found.type}",
            hint="take back other statements with: byline withdraw",
        )
    if found.author != signed.author and not follows(
        client, found.author, signed.author
    ):
        raise UsageError(
            f"that delegation is by {did_key(found.author)}, and only that key, or one"
            " that follows it, revokes it"
        )
    for one in client.authored(signed.author, [signed.about]):
        if one.type == "withdraw" and one.about == signed.about:
            raise UsageError(f"that was revoked already, on {utc(one.time // 1000)}")
    return read_delegate(found).until


def follows(client: Asked, old: bytes, new: bytes) -> bool:
    """Whether one key is among the successors of another."""
    return new in {one.key for one in successors(client, read_story(client, old))}
