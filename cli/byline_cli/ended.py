"""Say it where the key that signs has ended: what it says from then on counts for
nothing (docs/spec/state.md), and nobody would notice before a reader does."""

from __future__ import annotations

from byline_cli import output
from byline_cli.connect import AnyClient
from byline_cli.signing import key_names
from byline_ledger.content_keys import read_rotate
from byline_ledger.did import did_key
from byline_ledger.digest import digest_bytes


def warn_if_ended(client: AnyClient, key: bytes) -> None:
    """A note where the key (32 bytes) was replaced or given up in this log before."""
    for one in client.authored(key, [digest_bytes(key)]):
        if one.type == "rotate":
            successor = read_rotate(one).successor
            became = "given up"
            if successor is not None:
                name = key_names().get(successor, did_key(successor))
                became = f"replaced by {name}"
            output.note(
                f"The key that you sign with was {became}: what it says now counts for"
                " nothing. Sign with another: --key NAME",
                "doubt",
            )
            return
