"""How a damaged store and a full disk are reported: one line, and what to do."""

from __future__ import annotations

from byline_ledger.errors import CorruptStoreError, DiskFullError

MEND = (
    "restore the folder from a backup, or start a new node and let it follow its peers"
)
MEND_GUARD = (
    "run `byline node recover`: it takes what is missing from a copy of the log, or has"
    " you answer for it that nothing is"
)


def damaged(message: str) -> CorruptStoreError:
    """What is stored does not fit together."""
    hint = f"`byline node check` says where; {MEND}"
    return CorruptStoreError(message, hint=hint)


def disk_full(detail: str) -> DiskFullError:
    """What is said of a full disk, whoever finds it."""
    return DiskFullError(
        f"the disk is full: {detail}",
        hint="free some space and start again; all that was receipted is kept",
    )
