"""What a person's own seals say of a work of which the log knows nothing yet."""

from __future__ import annotations

from byline_cli.wording import day
from byline_ledger.errors import BylineError
from byline_node.home import find_home
from byline_node.seals import SealStore


def own_seal(work: bytes) -> str | None:
    """One sentence about a work (multihash) that was sealed here; None of another.  A
    seal that is damaged is for `byline reveal` to complain about."""
    try:
        records = SealStore(find_home().seals).of_work(work)
    except (BylineError, OSError):
        return None
    if not records:
        return None
    when = day(min(one.seal.time for one in records))
    return f"You sealed it on {when}; show it with: byline reveal FILE"
