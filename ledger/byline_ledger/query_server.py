"""The answering side of queries: one request, one view of the log, one answer.

Rule: stateless and bounded.  A bundle is bounded by what an answer owes (chain.py), a
page of a crowd ends after a megabyte.  Who may ask how often is the node's business.
Specification: docs/spec/network.md, "Query".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from byline_ledger.bundle import build_bundle
from byline_ledger.crowd_page import CrowdPage, build_crowd_page
from byline_ledger.query_messages import (
    AskBundle,
    AskRoot,
    BundleAnswer,
    RootAnswer,
    parse_query_request,
)

if TYPE_CHECKING:
    from byline_ledger.log import LogView

QueryAnswer: TypeAlias = BundleAnswer | RootAnswer | CrowdPage


def serve_query(view: LogView, request: bytes) -> bytes:
    """The answer to one request; MalformedError for bytes that are none."""
    return answer_query(view, request).to_bytes()


def answer_query(view: LogView, request: bytes) -> QueryAnswer:
    """The same before encoding."""
    asked = parse_query_request(request)
    match asked:
        case AskBundle(digest, depth):
            return BundleAnswer(build_bundle(view, digest, depth=depth))
        case AskRoot(seen):
            return _root(view, seen)
    return build_crowd_page(view, asked)


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
