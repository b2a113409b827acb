"""Fetches what a reader who goes through a log in order will ask for next.

Rule: it gives what the source gives, errors included, only sooner.  Somebody who reads
a log over a network otherwise spends most of the time waiting for one small file after
the other.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from itertools import islice
from types import TracebackType
from typing import Generic, Self, TypeVar

from byline_ledger.checkpoint import checkpoint_of
from byline_ledger.entry import StatementEntry, parse_entry
from byline_ledger.errors import MalformedError, NotFoundError
from byline_ledger.tiles import TILE_HEIGHT, TILE_WIDTH, Tile, parse_entry_bundle
from byline_ledger.tombstone import Tombstone
from byline_node.log_source import FileSource

WORKERS = 8
TILES_AHEAD = 4
"""Of one level, or of entries; at most 16 MiB each, usually 20 KiB."""
BODIES_AHEAD = 32
MAX_KNOWN = 65_536
"""Ids of statements that were seen in bundles and whose bodies may be asked for."""

K = TypeVar("K")
V = TypeVar("V")


class ReadAhead:
    """A LogSource in front of another, for one thread; closes the other with itself."""

    def __init__(self, source: FileSource) -> None:
        self._source = source
        self._pool = ThreadPoolExecutor(WORKERS)
        self._size = 0
        self._tiles: dict[int | None, Coming[Tile, bytes]] = {}
        self._bodies = Coming(self._pool, source.body)
        self._bundles = Coming(self._pool, source.bodies)
        self._in_bundles = True
        self._known: OrderedDict[bytes, tuple[Tile, int]] = OrderedDict()
        self._page: tuple[Tile, list[bytes]] | None = None

    @property
    def name(self) -> str:
        """Where the log is read, in a few words."""
        return self._source.name

    def checkpoint(self) -> bytes:
        """See LogSource; says how far to read ahead."""
        note = self._source.checkpoint()
        with suppress(MalformedError):  # for the reader to find
            self._size = checkpoint_of(note).size
        return note

    def vkey(self) -> str | None:
        """See LogSource."""
        return self._source.vkey()

    def tile(self, tile: Tile) -> bytes:
        """See LogSource; the tiles to its right are fetched meanwhile."""
        if tile.level not in self._tiles:
            self._tiles[tile.level] = Coming(self._pool, self._source.tile)
        data = self._tiles[tile.level].take(tile, self._behind(tile))
        if tile.level is None:
            self._learn(tile, data)
        return data

    def body(self, statement_id: bytes) -> bytes | Tombstone | None:
        """See LogSource; those of the statements behind it are fetched meanwhile."""
        bundle, number = self._known.get(statement_id, (None, 0))
        page = self._page_of(bundle) if bundle is not None else None
        if page is None:
            return self._bodies.take(statement_id, self._after(statement_id))
        return page[number] or self._source.body(statement_id)

    def close(self) -> None:
        """Gives up what is on its way."""
        self._pool.shutdown(cancel_futures=True)
        self._source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _behind(self, tile: Tile) -> list[Tile]:
        hashes = self._size >> (TILE_HEIGHT * (tile.level or 0))
        indexes = range(tile.index + 1, tile.index + 1 + TILES_AHEAD)
        widths = ((index, hashes - index * TILE_WIDTH) for index in indexes)
        return [
            Tile(tile.level, index, min(width, TILE_WIDTH))
            for index, width in widths
            if width > 0
        ]

    def _learn(self, bundle: Tile, data: bytes) -> None:
        """Whose bodies may be wanted; a bundle that is wrong is for the reader."""
        with suppress(MalformedError):
            entries = map(parse_entry, parse_entry_bundle(data, bundle.width))
            for number, entry in enumerate(entries):
                if isinstance(entry, StatementEntry):
                    self._known[entry.id] = bundle, number
        while len(self._known) > MAX_KNOWN:
            self._known.popitem(last=False)

    def _page_of(self, bundle: Tile) -> list[bytes] | None:
        """All bodies of a bundle; None where they are there only one by one."""
        if self._in_bundles and (self._page is None or self._page[0] != bundle):
            try:
                found = self._bundles.take(bundle, self._behind(bundle))
                self._page = bundle, found
            except (NotFoundError, MalformedError):
                self._in_bundles, self._page = False, None
        return self._page[1] if self._page is not None else None

    def _after(self, id_: bytes) -> list[bytes]:
        """The next statements in the order of the log; forgets those up to this one."""
        if id_ in self._known:
            while self._known.popitem(last=False)[0] != id_:
                pass
        return list(islice(self._known, BODIES_AHEAD))


class Coming(Generic[K, V]):
    """Values on their way, by their names; never more than were asked for last."""

    def __init__(self, pool: ThreadPoolExecutor, fetch: Callable[[K], V]) -> None:
        self._pool = pool
        self._fetch = fetch
        self._futures: dict[K, Future[V]] = {}

    def take(self, name: K, following: list[K]) -> V:
        """The value of that name; those of `following` will be asked for next."""
        # Taken out first: what is left and not wanted any more is given up.
        now = self._futures.pop(name, None) or self._pool.submit(self._fetch, name)
        fresh = dict(self._ahead(following))
        for left, future in self._futures.items():
            if left not in fresh:
                future.cancel()
        self._futures = fresh
        return now.result()

    def _ahead(self, names: list[K]) -> Iterator[tuple[K, Future[V]]]:
        for name in names:
            future = self._futures.get(name)
            yield name, future or self._pool.submit(self._fetch, name)
