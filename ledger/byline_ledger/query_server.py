"""The answering side of queries: one request, one view of the log, one answer.

Rule: stateless and bounded.  A bundle is bounded by what an answer owes (chain.py), a
page of a crowd ends after a megabyte.  Who may ask how often is the node's business.
Specification: docs/spec/network.md, "Query".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from byline_ledger.bundle import build_bundle
from byline_ledger.crowd_page import build_crowd_page
from byline_ledger.query_messages import (
    AskBundle,
    AskRoot,
    BundleAnswer,
    RootAnswer,
    parse_query_request,
)

if TYPE_CHECKING:
    from byline_ledger.log import LogView


def serve_query(view: LogView, request: bytes) -> bytes:
    """The answer to one request; MalformedError for bytes that are none."""
    asked = parse_query_request(request)
    if isinstance(asked, AskBundle):
        bundle = build_bundle(view, asked.digest, depth=asked.depth)
        return BundleAnswer(bundle).to_bytes()
    if isinstance(asked, AskRoot):
        return _root(view, asked.seen).to_bytes()
    return build_crowd_page(view, asked).to_bytes()


def _root(view: LogView, seen: int) -> RootAnswer:
    last = view.size - 1
    since = view.consistency_proof(seen) if 0 < seen < view.size else ()
    return RootAnswer(
        entry=view.entry(last),
        note=view.checkpoint,
        proof=tuple(view.inclusion_proof(last)),
        since=tuple(since),
        vkey=view.vkey,
    )
