"""The part of `byline node check` that looks at the index of fingerprints."""

from __future__ import annotations

from pathlib import Path

from byline_cli import output
from byline_ledger.errors import BylineError, UsageError


def check_similar(node: Path) -> str | None:
    """Makes the index of a stopped, sound node anew if it does not fit; a line if it
    was, or could not be.  A node that never had one, or lacks the extra, is left alone.
    """
    from byline_ledger.log import Ledger
    from byline_node.similar_index import FOLDER, SimilarIndex

    if not (node / FOLDER).exists():
        return None
    try:
        index = SimilarIndex(node)
        ledger = Ledger.open(node)
        try:
            with output.steps("Fingerprints", unit="entries") as report:
                index.catch_up(ledger.view, report)
        finally:
            ledger.close()
    except UsageError:
        return None
    except BylineError as error:
        return f"The index of fingerprints could not be made anew: {error}"
    if index.rebuilt is None:
        return None
    return f"The index of fingerprints was made anew: {index.rebuilt}."
