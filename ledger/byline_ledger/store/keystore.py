"""Author keys on disk: one file a key, created once, readable by its owner only.

`NAME.key` is a canonical MessagePack map: `version` 1, `public` (32 bytes) and either
`seed` (32 bytes, unencrypted) or `sealed` (the seed sealed under a passphrase, see
crypto.seal_secret).  The folder has mode 0700, each file 0600.  A file that others may
read is refused, as is one whose secret does not belong to its public key.
Specification: docs/spec/statement.md, "Keys on disk".
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from byline_ledger import codec
from byline_ledger.codec import Value
from byline_ledger.crypto import SigningKey, open_secret, random_bytes, seal_secret
from byline_ledger.errors import (
    BylineError,
    CorruptStoreError,
    KeyAccessError,
    MalformedError,
    NotFoundError,
    UsageError,
)
from byline_ledger.store.durable import create_durably, make_folder, read_small

DEFAULT_KEY = "default"
VERSION = 1
MAX_FILE = 4096

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_SUFFIX = ".key"


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """What can be said of a key without opening it."""

    name: str
    public: bytes
    """32 bytes."""
    encrypted: bool


def is_key(path: Path) -> bool:
    """Whether this is a key's file, by its name and its form."""
    if path.suffix != _SUFFIX:
        return False
    try:
        return bool(_parse(path, read_small(path, MAX_FILE) or b""))
    except BylineError:
        return False


class KeyStore:
    """The author keys in one folder, which is made when the first key is."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def new(self, name: str = DEFAULT_KEY, *, passphrase: str | None) -> bytes:
        """Make a key and return its public half (32 bytes).

        None as the passphrase stores it unencrypted.  UsageError if the name is taken:
        a key is never overwritten.
        """
        # Deriving the key from the passphrase takes a while: fail before, not after.
        self.require_free(name)
        path = self._path(name)
        seed = random_bytes(32)
        public = SigningKey.from_seed(seed).public
        secret: dict[str, Value] = (
            {"seed": seed}
            if passphrase is None
            else {"sealed": seal_secret(seed, passphrase)}
        )
        data = codec.pack({"version": VERSION, "public": public, **secret})
        make_folder(self.folder)
        with _locked(self.folder):
            if path.exists():
                raise _taken(name)
            create_durably(path, data)
        return public

    def require_free(self, name: str) -> None:
        """UsageError if there is a key of that name."""
        if self._path(name).exists():
            raise _taken(name)

    def load(
        self, name: str = DEFAULT_KEY, passphrase: str | None = None
    ) -> SigningKey:
        """The key, ready to sign; KeyAccessError without the right passphrase."""
        fields = self._read(name)
        sealed, seed = fields.get("sealed"), fields.get("seed")
        if isinstance(sealed, bytes):
            if passphrase is None:
                raise KeyAccessError(f"key {name!r} is encrypted: passphrase needed")
            seed = self._open(name, sealed, passphrase)
        if isinstance(seed, bytes) and len(seed) == 32:
            key = SigningKey.from_seed(seed)
            if key.public == fields["public"]:
                return key
        raise _corrupt(self._path(name), "its secret is not that of its public key")

    def info(self, name: str = DEFAULT_KEY) -> KeyInfo:
        """What is known of a key without its passphrase."""
        fields = self._read(name)
        public = fields["public"]
        assert isinstance(public, bytes)
        return KeyInfo(name, public, "sealed" in fields)

    def names(self) -> tuple[str, ...]:
        """The names of all keys, in order, also of those that cannot be read."""
        names = sorted(path.stem for path in self.folder.glob("*" + _SUFFIX))
        return tuple(name for name in names if _NAME.fullmatch(name))

    def list(self) -> list[KeyInfo]:
        """All keys, by name."""
        return [self.info(name) for name in self.names()]

    def _open(self, name: str, sealed: bytes, passphrase: str) -> bytes:
        try:
            return open_secret(sealed, passphrase)
        except MalformedError as error:
            raise _corrupt(self._path(name), str(error)) from error

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise UsageError(
                f"key name: expected 1 to 64 letters, digits, - or _, got {name[:80]!r}"
            )
        return self.folder / (name + _SUFFIX)

    def _read(self, name: str) -> Mapping[str, Value]:
        path = self._path(name)
        data = read_small(path, MAX_FILE)
        if data is None:
            raise NotFoundError(f"there is no key {name!r} in {self.folder}")
        _check_private(path)
        return _parse(path, data)


def _parse(path: Path, data: bytes) -> Mapping[str, Value]:
    try:
        fields = codec.unpack(data, max_size=MAX_FILE, max_depth=1, what="key file")
    except MalformedError as error:
        raise _corrupt(path, str(error)) from error
    if not isinstance(fields, dict) or fields.get("version") != VERSION:
        raise _corrupt(path, f"expected a key file of version {VERSION}")
    public = fields.get("public")
    if not isinstance(public, bytes) or len(public) != 32:
        raise _corrupt(path, "expected a public key of 32 bytes")
    return fields


def _check_private(path: Path) -> None:
    mode = path.stat().st_mode
    if mode & 0o077:
        raise KeyAccessError(
            f"{path} may be read by others (mode {mode & 0o777:o})",
            hint=f"chmod 600 {path}",
        )


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keeps other processes from making keys here at the same time."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _taken(name: str) -> UsageError:
    return UsageError(
        f"there is a key {name!r} already",
        hint="give the new one another name: byline key new NAME",
    )


def _corrupt(path: Path, reason: str) -> CorruptStoreError:
    return CorruptStoreError(f"{path}: {reason}")
