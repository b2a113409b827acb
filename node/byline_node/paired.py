"""Lines of a list beside what was found of them, in the order of the list."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from byline_ledger.manifest import BadLine, Line, ManifestRow

T = TypeVar("T")


def paired(
    lines: Iterable[Line], ask: Callable[[Iterable[bytes]], Iterator[T]]
) -> Iterator[tuple[Line, T | None]]:
    """Each line with what `ask` yields for its digest; a bad line with None.

    `ask` gets the digests as a stream, may read ahead, and yields once for each.
    """
    waiting: deque[Line] = deque()

    def digests() -> Iterator[bytes]:
        for line in lines:
            waiting.append(line)
            if isinstance(line, ManifestRow):
                yield line.digest

    def bad() -> Iterator[tuple[Line, None]]:
        while waiting and isinstance(waiting[0], BadLine):
            yield waiting.popleft(), None

    for found in ask(digests()):
        yield from bad()
        yield waiting.popleft(), found
    yield from bad()
