"""Whether a delegation covers what is about to be signed under it.

What comes of one that does not hold is decided by readers (docs/spec/state.md); here it
is refused before anything is signed, for readers would take the words for the signer's
alone.
"""

from __future__ import annotations

from collections.abc import Collection

from byline_ledger.content import (
    DelegateContent,
    name_of_key,
    read_delegate,
    read_delegated,
)
from byline_ledger.did import did_key
from byline_ledger.digest import cid_of_statement
from byline_ledger.errors import NotFoundError, UsageError
from byline_ledger.statement import Statement
from byline_ledger.vocabulary import USE_PREFIX
from byline_node.attest import Behalf
from byline_node.key_rules import Asked, follows


def speaker(signed: Statement) -> bytes:
    """The key (32 bytes) whose word a statement is meant to be."""
    return read_delegated(signed).for_ or signed.author


def require_delegation(
    client: Asked,
    behalf: Behalf | None,
    author: bytes,
    *,
    now: int,
    kind: str,
    uses: Collection[str],
    count: int = 1,
) -> None:
    """Refuse to sign so many of this type, about these uses, where the delegation
    plainly does not cover it: readers would take the words for the signer's alone."""
    if behalf is None:
        return
    found = find_delegation(client, behalf, author)
    said = read_delegate(found)
    if not said.sound or kind not in said.types:
        raise UsageError(f"--delegation: that delegation does not cover {kind}")
    if not (said.from_ or 0) <= now < (said.until or 0):
        raise UsageError(
            "--delegation: that delegation is over, or has not begun",
            hint="ask for a new one",
        )
    for one in client.authored(behalf.key, [found.about]):
        if one.type == "withdraw" and one.about[2:] == found.id:
            raise UsageError("--delegation: that delegation was revoked")
    require_limits(said, behalf, uses, count)


def require_delegated(
    client: Asked, behalf: Behalf | None, signed: Statement, now: int
) -> None:
    """The same for one statement."""
    named = signed.fields.get("uses")
    uses = [str(use) for use in named] if isinstance(named, list | dict) else []
    require_delegation(
        client, behalf, signed.author, now=now, kind=signed.type, uses=uses
    )


def find_delegation(client: Asked, behalf: Behalf, author: bytes) -> Statement:
    """The statement by which the key signed for, or one that follows it, lets the
    author sign."""
    try:
        found = client.statement(behalf.delegation)
    except NotFoundError:
        raise NotFoundError(
            f"--delegation: this log holds no statement "
            f"{cid_of_statement(behalf.delegation)}",
            hint="`byline key delegate` showed its id to whoever let you sign",
        ) from None
    if found.type != "delegate":
        raise UsageError(
            f"--delegation: that statement is no delegation, its type is {found.type}"
        )
    if found.about != name_of_key(author):
        raise UsageError(
            "--delegation: that delegation is not to the key that you sign with",
            hint="sign with the key that it names: --key NAME",
        )
    if found.author != behalf.key:
        require_follower(client, behalf.key, found.author)
    return found


def require_follower(client: Asked, key: bytes, other: bytes) -> None:
    """Refuse a delegation by a key that does not act for the one signed for."""
    if not follows(client, key, other):
        raise UsageError(
            f"--delegation: that delegation is by {did_key(other)}",
            hint=f"say --on-behalf-of {did_key(other)}",
        )


def require_limits(
    said: DelegateContent, behalf: Behalf, uses: Collection[str], count: int
) -> None:
    """The limits that a delegation may have: uses, works, a number of statements."""
    more = [] if said.uses is None else sorted(set(uses) - set(said.uses))
    if more:
        names = ", ".join(use.removeprefix(USE_PREFIX) for use in more)
        raise UsageError(f"--delegation: it does not let you speak about {names}")
    if said.manifests and behalf.manifest is None:
        raise UsageError(
            "--delegation: it is for works of certain manifests, which must be proven",
            hint="attest them with --manifest, naming the one that they are in",
        )
    if behalf.manifest is not None and behalf.manifest.name not in said.manifests:
        raise UsageError(
            "--manifest: the delegation is not for the works of that manifest"
        )
    if said.count is None:
        return
    if behalf.number is None:
        raise UsageError(
            f"--delegation: it is for {said.count:,} statements, which are numbered",
            hint="say --number N, one that you have not used",
        )
    if behalf.number + count - 1 > said.count:
        raise UsageError(
            f"--number: {count:,} from {behalf.number:,} on are more than the"
            f" {said.count:,} of that delegation",
        )
