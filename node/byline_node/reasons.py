"""Why something failed, in one short line, from errors that wrap errors."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from byline_ledger.errors import BylineError

MAX_REASON = 200


def causes(error: BaseException) -> Iterator[BaseException]:
    """The error, and the first of the causes at each level below it."""
    inner: BaseException | None = error
    while inner is not None:
        yield inner
        # `errors` is libp2p's own kind of group.
        several = getattr(inner, "exceptions", None) or getattr(inner, "errors", None)
        inner = several[0] if several else inner.__cause__


def reason_of(error: BaseException) -> str:
    """What the innermost cause says; never more than one line."""
    *_, last = causes(error)
    if isinstance(last, OSError) and last.errno:
        return os.strerror(last.errno)
    lines = str(last).strip().splitlines() or [type(last).__name__]
    return lines[0][:MAX_REASON]


@contextmanager
def one_error() -> Iterator[None]:
    """Takes our own error out of the groups of tasks it came in; faults stay whole."""
    try:
        yield
    except BaseExceptionGroup as group:
        ours, others = group.split(BylineError)
        if ours is None or others is not None:
            raise
        raise first_of(ours) from None


def first_of(group: BaseExceptionGroup[BylineError]) -> BylineError:
    inner = group.exceptions[0]
    return first_of(inner) if isinstance(inner, BaseExceptionGroup) else inner
