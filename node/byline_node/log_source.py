"""Where the files of a log can be read: a folder, a web server, S3, a stopped node.

Rule: a source gives what is written there, cut to the size and form its name implies,
and vouches for nothing; whoever reads a log from it checks it.  Paths and forms:
docs/spec/log.md, "As files".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from byline_ledger.ascii import parse_utf8
from byline_ledger.checkpoint import checkpoint_of
from byline_ledger.errors import MalformedError, NotFoundError, UsageError
from byline_ledger.log_files import (
    CHECKPOINT,
    GONE,
    VKEY,
    Bodies,
    StatementName,
    log_file,
    max_bytes,
    parse_ids,
)
from byline_ledger.store.durable import file_error
from byline_ledger.store.node_files import NodeFiles
from byline_ledger.tiles import (
    TILE_WIDTH,
    Tile,
    entry_bundle,
    parse_entry_bundle,
    parse_tile,
)
from byline_ledger.tombstone import Tombstone
from byline_ledger.view import LogView
from byline_node.folder_files import FolderFiles
from byline_node.home import Home, RunningNode
from byline_node.local import is_reached

if TYPE_CHECKING:
    from byline_ledger.log import Ledger


class Files(Protocol):
    """Files by path, for any number of threads; `name` is how people call the place."""

    name: str

    def get(self, path: str, limit: int) -> bytes:
        """The file; it may stop reading above `limit` bytes, with MalformedError.

        Raises NotFoundError, or another BylineError for a place in trouble.
        """
        ...

    def close(self) -> None: ...


class FileSource:
    """A log read from files (byline_ledger.log_source.LogSource)."""

    def __init__(self, files: Files) -> None:
        self.files = files

    @property
    def name(self) -> str:
        """Where the log is read, in a few words."""
        return self.files.name

    def checkpoint(self) -> bytes:
        """The signed note."""
        return self._get(CHECKPOINT)

    def vkey(self) -> str | None:
        """The key the log says it has; None if it says nothing."""
        try:
            line = parse_utf8(self._get(VKEY), "a verifier key")
        except NotFoundError:
            return None
        key, newline, rest = line.partition("\n")
        if not key or not newline or rest:
            raise MalformedError("vkey: expected one line")
        return key

    def tile(self, tile: Tile) -> bytes:
        """A tile of exactly this width, cut from the full one if need be."""
        try:
            data = self._get(tile.to_path())
        except NotFoundError:
            if tile.width == TILE_WIDTH:
                raise
            return cut(self.tile(replace(tile, width=TILE_WIDTH)), tile)
        if tile.level is None:
            parse_entry_bundle(data, tile.width)
        else:
            parse_tile(data, tile.width)
        return data

    def body(self, statement_id: bytes) -> bytes | Tombstone | None:
        """Its envelope, unchecked, or why it is not there; None if nothing says."""
        try:
            return self._get(StatementName(statement_id).to_path())
        except NotFoundError:
            return self.tombstone(statement_id)

    def bodies(self, bundle: Tile) -> list[bytes]:
        """Envelopes, unchecked, for each entry of a bundle; empty where there is none.

        NotFoundError from places that have them only one by one.
        """
        data = self._get(Bodies(bundle).to_path())
        return parse_entry_bundle(data, bundle.width)

    def tombstone(self, statement_id: bytes) -> Tombstone | None:
        """Why the body was taken down; None if nothing says that it was."""
        try:
            data = self._get(StatementName(statement_id, gone=True).to_path())
        except NotFoundError:
            return None
        return Tombstone.from_bytes(data)

    def taken_down(self) -> list[bytes]:
        """Ids of all statements whose bodies were taken down; none if nothing says."""
        try:
            return parse_ids(self._get(GONE))
        except NotFoundError:
            return []

    def close(self) -> None:
        """Ends connections and locks."""
        self.files.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _get(self, path: str) -> bytes:
        limit = max_bytes(path)
        data = self.files.get(path, limit)
        if len(data) > limit:
            raise MalformedError(f"{path}: expected at most {limit} bytes")
        return data


def cut(full: bytes, tile: Tile) -> bytes:
    """A partial tile from the full one."""
    if tile.level is None:
        return entry_bundle(parse_entry_bundle(full, TILE_WIDTH)[: tile.width])
    return b"".join(parse_tile(full, TILE_WIDTH)[: tile.width])


class ViewFiles:
    """The files of a view of a log at hand."""

    def __init__(self, view: LogView, name: str, close: Callable[[], None]) -> None:
        self.name = name
        self.close = close
        self._view = view

    def get(self, path: str, limit: int) -> bytes:
        """See Files.get."""
        return log_file(self._view, path).data


# Finding one


def open_source(text: str, *, endpoint: str = "", region: str = "") -> FileSource:
    """A source by its form: http(s)://..., s3://bucket/prefix, a folder with a log's
    files, or the folder of a stopped node or of its home.

    Raises UsageError or NotFoundError where it is none of these; StoreLockedError where
    the node runs.  `endpoint` and `region` are those of S3.
    """
    scheme, separator, _ = text.partition("://")
    if not separator:
        return folder_source(Path(text))
    if scheme in ("http", "https"):
        return url_source(text)
    if scheme == "s3":
        from byline_node.s3_files import S3Files  # an extra that may be missing

        return FileSource(S3Files(text, endpoint=endpoint, region=region))
    raise UsageError(f"expected a log at http://, https:// or s3://, got {text[:64]}")


def url_source(prefix: str) -> FileSource:
    """The log under an http(s) prefix, or of the node at a URL."""
    from byline_node.client import HttpFiles  # loaded only where a server is asked

    return FileSource(HttpFiles(prefix))


def folder_source(folder: Path) -> FileSource:
    """A folder with a log's files, or a stopped node's."""
    try:
        if (folder / CHECKPOINT).is_file():
            return FileSource(FolderFiles(folder))
        nodes = [
            place for place in (folder, Home(folder).node) if NodeFiles(place).is_node()
        ]
    except OSError as error:
        raise file_error(folder, error) from error
    if nodes:
        return node_source(nodes[0])
    raise NotFoundError(
        f"there is no log in {folder}",
        hint="expected a URL, s3://BUCKET/PREFIX, or a folder with a checkpoint in it",
    )


def node_source(folder: Path) -> FileSource:
    """The log of a stopped node, under its newest cosigned checkpoint if that is the
    last; it is locked until the source is closed."""
    from byline_ledger.log import Ledger  # and with it the database

    ledger = Ledger.open(folder)
    return FileSource(ViewFiles(newest(ledger), str(folder), ledger.close))


def newest(ledger: Ledger) -> LogView:
    """The whole log, with all the signatures that its last tree has."""
    view, note = ledger.view, ledger.latest_cosigned
    if note is None or checkpoint_of(note).size != view.size:
        return view
    return view.cosigned(note)


def own_source(home: Home, named: str | None) -> FileSource:
    """The log of the node at the URL `named`, else of this home's, running or not."""
    if named:
        return url_source(named)
    running = RunningNode.read(home.run_file)
    if running is not None and is_reached(running):
        return url_source(running.api)
    if not home.node.is_dir():
        raise NotFoundError(
            f"there is no node in {home.folder}", hint="make one: byline node init"
        )
    return node_source(home.node)
