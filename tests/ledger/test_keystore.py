"""Author keys on disk (docs/spec/statement.md, "Keys on disk")."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from byline_ledger import codec, crypto
from byline_ledger.crypto import SigningKey, verify_signature
from byline_ledger.errors import (
    CorruptStoreError,
    KeyAccessError,
    NotFoundError,
    StoreError,
    UsageError,
)
from byline_ledger.store import keystore
from byline_ledger.store.keystore import KeyInfo, KeyStore, is_key

FORMAT: Any = {"version": 1, "public": SigningKey.from_seed(bytes(32)).public}


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Argon2id at its least, so that tests are quick."""
    monkeypatch.setattr(crypto, "ARGON_MEMORY", 8192)
    monkeypatch.setattr(crypto, "ARGON_PASSES", 1)


@pytest.fixture
def store(tmp_path: Path) -> KeyStore:
    return KeyStore(tmp_path / "home" / "keys")


def write(store: KeyStore, data: bytes, name: str = "default") -> None:
    """A key file as somebody else may have written it."""
    store.folder.mkdir(parents=True, exist_ok=True)
    path = store.folder / f"{name}.key"
    path.write_bytes(data)
    path.chmod(0o600)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("passphrase", [None, "correct horse"])
def test_a_key_signs_after_it_was_loaded(
    store: KeyStore, passphrase: str | None
) -> None:
    """The key that was made is the one that is loaded."""
    public = store.new("default", passphrase=passphrase)
    key = KeyStore(store.folder).load("default", passphrase)
    assert public == key.public
    verify_signature(public, b"message", key.sign(b"message"))


def test_only_the_owner_may_read(store: KeyStore) -> None:
    """Folder 0700, file 0600, and nothing else left behind."""
    store.new("default", passphrase=None)
    (path,) = store.folder.iterdir()
    assert (mode(store.folder), mode(path)) == (0o700, 0o600)


def test_passphrase_is_needed(store: KeyStore) -> None:
    """Without it or with another one the key stays closed."""
    store.new("default", passphrase="correct horse")
    with pytest.raises(KeyAccessError, match="passphrase needed"):
        store.load("default")
    with pytest.raises(KeyAccessError, match="wrong passphrase"):
        store.load("default", "correct mule")


def test_encrypted_key_is_not_in_the_file(
    store: KeyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The seed is on disk only where nobody asked for a passphrase."""
    seed = b"the seed of a key, 32 bytes long"
    draw = crypto.random_bytes
    monkeypatch.setattr(
        keystore, "random_bytes", lambda count: seed if count == 32 else draw(count)
    )
    store.new("sealed", passphrase="correct horse")
    store.new("open", passphrase=None)
    assert seed not in (store.folder / "sealed.key").read_bytes()
    assert seed in (store.folder / "open.key").read_bytes()


def test_a_key_is_never_overwritten(store: KeyStore) -> None:
    """A taken name is refused and the old key stays."""
    public = store.new("default", passphrase=None)
    with pytest.raises(UsageError, match="already"):
        store.new("default", passphrase="another")
    assert public == store.load("default").public


def test_a_key_made_meanwhile_is_not_overwritten(
    store: KeyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor is one that another process made while the passphrase was stretched."""
    made: list[bytes] = []

    def seal_slowly(seed: bytes, passphrase: str) -> bytes:
        made.append(KeyStore(store.folder).new("default", passphrase=None))
        return crypto.seal_secret(seed, passphrase)

    monkeypatch.setattr(keystore, "seal_secret", seal_slowly)
    with pytest.raises(UsageError, match="already"):
        store.new("default", passphrase="correct horse")
    assert made == [store.load("default").public]


def test_list(store: KeyStore) -> None:
    """Keys by name, without opening them; other files are passed over."""
    assert store.list() == []
    b = store.new("b", passphrase="p")
    a = store.new("a", passphrase=None)
    (store.folder / "notes.txt").write_text("mine")
    assert store.list() == [KeyInfo("a", a, False), KeyInfo("b", b, True)]
    assert store.info("b") == KeyInfo("b", b, True)


def test_the_name_of_a_key_that_cannot_be_read_is_known(store: KeyStore) -> None:
    """Only what it holds is not."""
    store.new("a", passphrase=None)
    write(store, b"nonsense", "b")
    assert store.names() == ("a", "b")
    with pytest.raises(CorruptStoreError):
        store.list()


@pytest.mark.parametrize("name", ["", ".", "../x", "a/b", "a.b", "x" * 65, "-x", "é"])
def test_names(store: KeyStore, name: str) -> None:
    """A name is a plain word: it cannot lead out of the folder."""
    with pytest.raises(UsageError, match="key name"):
        store.new(name, passphrase=None)
    with pytest.raises(UsageError, match="key name"):
        store.load(name)


def test_missing_key(store: KeyStore) -> None:
    """A key that is not there is named with the folder."""
    with pytest.raises(NotFoundError, match="no key 'default'"):
        store.load("default")


def test_file_that_others_may_read(store: KeyStore) -> None:
    """Refused, with the command that mends it."""
    store.new("default", passphrase=None)
    path = store.folder / "default.key"
    path.chmod(0o644)
    with pytest.raises(KeyAccessError) as caught:
        store.load("default")
    assert caught.value.hint == f"chmod 600 {path}"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not a key",
        codec.pack({**FORMAT, "version": 2, "seed": bytes(32)}),
        codec.pack({**FORMAT, "public": b"short", "seed": bytes(32)}),
        codec.pack(FORMAT),
        codec.pack({**FORMAT, "seed": b"short"}),
        codec.pack({**FORMAT, "seed": b"x" * 32}),
        codec.pack([1]),
    ],
)
def test_damaged_file(store: KeyStore, data: bytes) -> None:
    """A file that does not fit together is named; no key comes out of it."""
    write(store, data)
    with pytest.raises(CorruptStoreError, match=r"default\.key"):
        store.load("default")


def test_damaged_sealed_secret(store: KeyStore) -> None:
    """A sealed secret that is none is a damaged file, not a wrong passphrase."""
    write(store, codec.pack({**FORMAT, "sealed": b"junk"}))
    with pytest.raises(CorruptStoreError, match=r"default\.key"):
        store.load("default", "p")


@given(st.binary(max_size=100))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_file_is_a_key_or_damaged(store: KeyStore, data: bytes) -> None:
    """Whatever is in the file, it raises CorruptStoreError."""
    write(store, data)
    with pytest.raises(CorruptStoreError):
        store.load("default", "p")


def test_folder_that_cannot_be_made(tmp_path: Path) -> None:
    """A refusal of the system is one line."""
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match="file"):
        KeyStore(tmp_path / "file" / "keys").new("default", passphrase=None)


def test_a_key_is_known_by_its_form(store: KeyStore, tmp_path: Path) -> None:
    store.new("one", passphrase=None)
    store.new("two", passphrase="open sesame")
    assert is_key(store.folder / "one.key")
    assert is_key(store.folder / "two.key")
    other = tmp_path / "other.key"
    assert not is_key(other)
    other.write_bytes(b"the key of D minor")
    assert not is_key(other)
    picture = tmp_path / "one.jpg"
    picture.write_bytes((store.folder / "one.key").read_bytes())
    assert not is_key(picture)
