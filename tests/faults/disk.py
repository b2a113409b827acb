"""What a disk holds after a power cut, from the journal of what was done to it.

Rule: the disk keeps what was synced and owes nothing else.  Data is durable after an
fsync of the file, names after an fsync of their folder; of the rest a disk may keep any
part: here nothing, everything, or, by a seed, for each folder its first so many changes
of names, and for each file its first so many writes, the last of them torn.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

HEAD = struct.Struct("=c3xIII QQ".replace(" ", ""))


@dataclass(frozen=True, slots=True)
class Operation:
    """One call that was performed: `kind` as shim.c names it."""

    kind: str
    path: str
    other: str
    data: bytes
    offset: int


def read_journal(path: Path) -> Iterator[Operation]:
    """The operations in order; a record cut off by a kill ends them."""
    raw = path.read_bytes() if path.exists() else b""
    start = 0
    while start + HEAD.size <= len(raw):
        kind, path_size, other_size, _, size, offset = HEAD.unpack_from(raw, start)
        start += HEAD.size
        end = start + path_size + other_size + size
        if end > len(raw):
            return
        middle = start + path_size
        name, other = raw[start:middle], raw[middle : middle + other_size]
        data = raw[middle + other_size : end]
        yield Operation(kind.decode(), name.decode(), other.decode(), data, offset)
        start = end


@dataclass(eq=False)
class File:
    """An inode: what was written since it was synced, and what was there then."""

    durable: bytes = b""
    pending: list[Operation] = field(default_factory=list)
    folder: bool = False

    def after(self, count: int, torn: int | None = None) -> bytes:
        """Its content with the first `count` pending writes, the last cut to `torn`."""
        data = bytearray(self.durable)
        for number, one in enumerate(self.pending[:count], start=1):
            piece = one.data
            if torn is not None and number == count:
                piece = piece[:torn]
            apply(data, one, piece)
        return bytes(data)

    def sync(self) -> None:
        self.durable = self.after(len(self.pending))
        self.pending.clear()


def apply(data: bytearray, one: Operation, piece: bytes) -> None:
    if one.kind == "w":
        if len(data) < one.offset:
            data.extend(bytes(one.offset - len(data)))
        data[one.offset : one.offset + len(piece)] = piece
    elif one.kind == "t":
        data.clear()
    elif one.kind == "T":
        del data[one.offset :]
        data.extend(bytes(max(0, one.offset - len(data))))


Names = dict[str, File]


@dataclass
class Folder:
    """The names in a folder: as synced, and the changes since."""

    durable: Names = field(default_factory=dict)
    changes: list[tuple[str, File | None]] = field(default_factory=list)

    def after(self, count: int) -> Names:
        names = dict(self.durable)
        for name, file in self.changes[:count]:
            if file is None:
                names.pop(name, None)
            else:
                names[name] = file
        return names

    def now(self) -> Names:
        return self.after(len(self.changes))

    def sync(self) -> None:
        self.durable = self.now()
        self.changes.clear()


class Disk:
    """A folder's files as a disk with a cache sees them."""

    def __init__(self, root: Path, before: Path | None) -> None:
        """`before` is what the folder held, all of it durable; None if nothing."""
        self.root = str(root)
        self.folders: dict[str, Folder] = {self.root: Folder()}
        if before is not None:
            self._load(before)

    def _load(self, before: Path) -> None:
        for path in sorted(before.rglob("*")):
            name = self.root + "/" + str(path.relative_to(before))
            file = File(folder=path.is_dir())
            if path.is_dir():
                self.folders[name] = Folder()
            else:
                file.durable = path.read_bytes()
            folder, _, last = name.rpartition("/")
            self.folders[folder].durable[last] = file

    def perform(self, one: Operation) -> None:
        """One operation."""
        if one.kind in "wtT":
            self._file(one.path).pending.append(one)
        elif one.kind == "s":
            self._sync(one.path)
        elif one.kind == "c":
            self._name(one.path, File())
        elif one.kind == "m":
            self._name(one.path, File(folder=True))
            self.folders[one.path] = Folder()
        elif one.kind == "u":
            self._name(one.path, None)
        elif one.kind == "l":
            self._name(one.other, self._file(one.path))
        elif one.kind == "r":
            self._name(one.other, self._file(one.path))
            self._name(one.path, None)

    def _split(self, path: str) -> tuple[Folder, str]:
        folder, _, name = path.rpartition("/")
        return self.folders.setdefault(folder, Folder()), name

    def _name(self, path: str, file: File | None) -> None:
        folder, name = self._split(path)
        folder.changes.append((name, file))

    def _file(self, path: str) -> File:
        """The file; one that was never seen to be made, by stdio for one, is empty."""
        folder, name = self._split(path)
        file = folder.now().get(name)
        if file is None:
            file = File()
            folder.durable[name] = file
        return file

    def _sync(self, path: str) -> None:
        if path in self.folders:
            self.folders[path].sync()
        else:
            self._file(path).sync()

    # After the cut

    def write(self, target: Path, keep: str, random: Random) -> None:
        """The folder as the disk has it: keep `nothing` that was not synced,
        `everything`, or `some`."""
        target.mkdir(parents=True)
        self._write(self.root, target, keep, random)

    def _write(self, path: str, target: Path, keep: str, random: Random) -> None:
        folder = self.folders.get(path, Folder())
        for name, file in folder.after(part(len(folder.changes), keep, random)).items():
            place = target / name
            if file.folder:
                place.mkdir(mode=0o700)
                self._write(f"{path}/{name}", place, keep, random)
            else:
                count = part(len(file.pending), keep, random)
                torn = None
                if keep == "some" and count:
                    torn = random.randint(0, len(file.pending[count - 1].data))
                place.write_bytes(file.after(count, torn))
                place.chmod(0o600)


def part(count: int, keep: str, random: Random) -> int:
    if keep == "some":
        return random.randint(0, count)
    return count if keep == "everything" else 0
