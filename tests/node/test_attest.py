"""Finding, hashing and leaving out: the steps of attesting many files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from byline_ledger.content import (
    Model,
    Share,
    read_delegated,
    read_work,
    withdraw_fields,
)
from byline_ledger.crypto import SigningKey
from byline_ledger.digest import digest_bytes
from byline_ledger.errors import NotFoundError, RedactedError, UsageError
from byline_ledger.statement import Statement, sign_statement
from byline_ledger.store.keystore import KeyStore
from byline_ledger.store.node_files import init_node
from byline_ledger.tombstone import Tombstone
from byline_node import attest
from byline_node.attest import (
    A_LINK,
    Behalf,
    Candidate,
    HashedFile,
    PassedOver,
    Terms,
    find_files,
    hash_files,
    leave_out_attested,
    leave_out_taken_down,
    leave_out_unlisted,
    sign_works,
)
from byline_node.differing import differing
from byline_node.manifest_proofs import ManifestProofs
from byline_node.taken_down import Takedowns, TakenDown

KEY = SigningKey.from_seed(bytes(32))
OTHER = SigningKey.from_seed(bytes([1]) * 32)
TERMS = Terms(made="human", license="CC-BY-4.0")


class Memory:
    """Remembers statements as a node does, and answers the one question."""

    def __init__(self, *said: Statement) -> None:
        self.said = said

    def authored(self, author: bytes, digests: Sequence[bytes]) -> list[Statement]:
        """Works about the digests and withdrawals, of any author: a careless node."""
        return list(self.said)

    def taken_down(self, author: bytes, works: Sequence[bytes]) -> Takedowns:
        """Nothing."""
        return {}


def put(folder: Path, name: str, data: bytes = b"data") -> Path:
    """A file, with the folders above it."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def names(found: list[Candidate], folder: Path) -> list[str]:
    return [str(one.path.relative_to(folder)) for one in found]


def reasons(passed: list[PassedOver], folder: Path) -> dict[str, str]:
    return {str(one.path.relative_to(folder)): one.reason for one in passed}


def test_a_folder_is_walked_in_the_order_of_names(tmp_path: Path) -> None:
    """Its own files before those of inner folders."""
    for name in ("b", "a", "z/2", "z/1", "c/deep/er"):
        put(tmp_path, name)
    found, passed = find_files([tmp_path], recursive=True)
    assert names(found, tmp_path) == ["a", "b", "c/deep/er", "z/1", "z/2"]
    assert passed == []


def test_what_is_no_file_is_passed_over_with_its_reason(tmp_path: Path) -> None:
    """A pipe above all: opening it would wait for ever."""
    put(tmp_path, "good")
    put(tmp_path, "empty", b"")
    put(tmp_path, ".hidden/file")
    put(tmp_path, "good.byline")
    put(tmp_path, "good.tlog-proof")
    os.mkfifo(tmp_path / "pipe")
    found, passed = find_files([tmp_path], recursive=True)
    assert names(found, tmp_path) == ["good"]
    assert reasons(passed, tmp_path) == {
        ".hidden": "hidden",
        "empty": "empty",
        "good.byline": "a proof about a work",
        "good.tlog-proof": "a proof about a work",
        "pipe": "not a regular file",
    }
    assert not any(one.exit_code for one in passed)


def test_links_in_a_folder_lead_nowhere(tmp_path: Path) -> None:
    """A stranger's folder names no file of this machine; whoever names a link does."""
    secret = put(tmp_path, "elsewhere/secret")
    folder = put(tmp_path, "set/good").parent
    (folder / "dangling").symlink_to("nowhere")
    (folder / "loop").symlink_to(folder)
    (folder / "inner").symlink_to("good")
    (folder / "out").symlink_to(secret)
    (folder / "out.d").symlink_to(secret.parent)
    found, passed = find_files([folder], recursive=True)
    assert names(found, folder) == ["good"]
    links = ("dangling", "inner", "loop", "out", "out.d")
    assert reasons(passed, folder) == dict.fromkeys(links, A_LINK)
    assert not any(one.exit_code for one in passed)
    assert [one.path for one in find_files([folder / "out"], recursive=False)[0]] == [
        folder / "out"
    ]
    (tmp_path / "other").symlink_to(folder)
    found, _ = find_files([tmp_path / "other"], recursive=True)
    assert names(found, tmp_path / "other") == ["good"]


def test_proofs_saved_beside_works_are_taken_only_where_named(tmp_path: Path) -> None:
    """A folder that is attested every night would otherwise grow for ever."""
    for name in ("a.jpg", "a.jpg.byline", "in/a.tlog-proof", "byline", "a.byline.jpg"):
        put(tmp_path, name)
    found, passed = find_files([tmp_path], recursive=True)
    assert names(found, tmp_path) == ["a.byline.jpg", "a.jpg", "byline"]
    assert reasons(passed, tmp_path) == {
        "a.jpg.byline": "a proof about a work",
        "in/a.tlog-proof": "a proof about a work",
    }
    assert not any(one.exit_code for one in passed)
    found, _ = find_files([tmp_path / "a.jpg.byline"], recursive=False)
    assert names(found, tmp_path) == ["a.jpg.byline"]


def test_a_folder_needs_recursive(tmp_path: Path) -> None:
    """So that nobody attests a whole disk by a slip."""
    with pytest.raises(UsageError, match="is a folder"):
        find_files([tmp_path], recursive=False)


def test_a_missing_file_has_the_code_of_not_found(tmp_path: Path) -> None:
    """And the others are found."""
    good = put(tmp_path, "good")
    found, passed = find_files([tmp_path / "gone", good], recursive=False)
    assert names(found, tmp_path) == ["good"]
    assert [one.exit_code for one in passed] == [3]


def test_a_path_named_twice_is_taken_once(tmp_path: Path) -> None:
    """By itself and through its folder."""
    good = put(tmp_path, "good")
    found, _ = find_files([good, tmp_path, good], recursive=True)
    assert names(found, tmp_path) == ["good"]


def test_hashes_are_those_of_the_bytes_in_order(tmp_path: Path) -> None:
    """With more files than are under way at once."""
    count = attest.AHEAD + 20
    paths = [put(tmp_path, f"{i:04}", f"file {i}".encode()) for i in range(count)]
    found, _ = find_files(paths, recursive=False)
    seen: list[int] = []
    hashed, passed = hash_files(found, seen.append)
    assert [one.digest for one in hashed] == [
        digest_bytes(f"file {i}".encode()) for i in range(count)
    ]
    assert passed == []
    assert sum(seen) == sum(one.size for one in found)


def test_equal_files_are_taken_once_and_named(tmp_path: Path) -> None:
    """The first of them counts."""
    first, second = put(tmp_path, "1"), put(tmp_path, "2")
    hashed, passed = hash_files(
        [Candidate(first, 4), Candidate(second, 4)], lambda _: None
    )
    assert [one.path for one in hashed] == [first]
    assert passed == [PassedOver(second, f"the same bytes as {first}")]


def test_a_file_that_vanishes_or_shrinks_is_passed_over(tmp_path: Path) -> None:
    """Between finding and reading it."""
    shrunk = put(tmp_path, "shrunk", b"")
    gone = tmp_path / "gone"
    hashed, passed = hash_files(
        [Candidate(shrunk, 4), Candidate(gone, 4)], lambda _: None
    )
    assert hashed == []
    assert reasons(passed, tmp_path) == {
        "shrunk": "empty",
        "gone": "cannot be read: No such file or directory",
    }


FILE = HashedFile(Path("photo.jpg"), digest_bytes(b"photo"), 5)


def said(terms: Terms = TERMS, key: SigningKey = KEY, now: int = 1) -> Statement:
    """A statement about FILE."""
    (statement,) = sign_works([FILE], terms, key, now=now, advance=lambda _: None)
    return statement


def withdrawn(statement: Statement, key: SigningKey = KEY) -> Statement:
    """Its withdrawal."""
    fields = withdraw_fields(
        statement_id=statement.id, reason="mistaken", time=2, salt=bytes(16)
    )
    return sign_statement(fields, key)


def test_what_the_key_said_is_left_out() -> None:
    """Whether the terms are the same or not, which is told."""
    memory = Memory(said())
    new, (earlier,) = leave_out_attested(memory, KEY.public, [FILE], TERMS)
    assert new == []
    assert earlier.same
    other = Terms(made="human", license="CC0-1.0")
    new, (earlier,) = leave_out_attested(memory, KEY.public, [FILE], other)
    assert new == []
    assert not earlier.same
    assert earlier.differs == ("license",)


def test_a_file_under_another_name_says_the_same() -> None:
    """Media types are guessed from names, and are no difference of terms."""
    renamed = HashedFile(Path("photo.png"), FILE.digest, FILE.size)
    _, (earlier,) = leave_out_attested(Memory(said()), KEY.public, [renamed], TERMS)
    assert earlier.same


def test_what_was_withdrawn_or_said_by_others_is_attested_anew() -> None:
    """A withdrawal counts only by the same key."""
    first = said()
    for memory in (
        Memory(),
        Memory(first, withdrawn(first)),
        Memory(said(key=OTHER)),
    ):
        new, earlier = leave_out_attested(memory, KEY.public, [FILE], TERMS)
        assert new == [FILE]
        assert earlier == []
    memory = Memory(first, withdrawn(first, OTHER))
    assert leave_out_attested(memory, KEY.public, [FILE], TERMS)[0] == []


def test_what_was_taken_down_is_left_out_and_says_why() -> None:
    """Whether it was a claim or not: that is gone with the body."""
    other = HashedFile(Path("other.jpg"), digest_bytes(b"other"), 5)
    gone = said()

    class Forgetful(Memory):
        def taken_down(self, author: bytes, works: Sequence[bytes]) -> Takedowns:
            tombstone = Tombstone("a court said so", 1)
            return {gone.about: TakenDown(gone.about, gone.id, tombstone)}

    kept, (passed,) = leave_out_taken_down(Forgetful(), KEY.public, [FILE, other])
    assert kept == [other]
    assert (passed.path, passed.exit_code) == (FILE.path, RedactedError.exit_code)
    assert passed.reason.endswith("was taken down by this node: a court said so")


def test_an_older_node_is_not_asked_what_it_took_down() -> None:
    """It answers 404, and the files are attested."""

    class Old(Memory):
        def taken_down(self, author: bytes, works: Sequence[bytes]) -> Takedowns:
            raise NotFoundError("POST /v1/taken-down: no such path")

    assert leave_out_taken_down(Old(), KEY.public, [FILE]) == ([FILE], [])


def test_of_several_standing_statements_the_latest_counts() -> None:
    """As a reader would take it."""
    changed = Terms(made="human", license="CC0-1.0")
    memory = Memory(said(changed, now=9), said(now=3))
    _, (earlier,) = leave_out_attested(memory, KEY.public, [FILE], changed)
    assert earlier.same


def test_signed_works_say_what_the_terms_say() -> None:
    """With size and media type of each file, and a salt of its own."""
    one, two = said(), said()
    assert one.id != two.id
    assert one.about == FILE.digest
    assert one.fields["media-type"] == "image/jpeg"
    assert one.fields["size"] == 5
    one.verify()


def test_bad_terms_are_found_before_any_file_is_read() -> None:
    """`check` needs no file."""
    with pytest.raises(UsageError):
        Terms(made="human", license="free").check()


def test_secrets_in_folders_are_passed_over(tmp_path: Path) -> None:
    """A home that lies among the pictures, and a backup beside it."""
    photo = put(tmp_path, "a.jpg")
    no_key = put(tmp_path, "b.key", b"the key of D minor")
    KeyStore(tmp_path / "home" / "keys").new(passphrase=None)
    init_node(tmp_path / "home" / "node")
    found, passed = find_files([tmp_path], recursive=True)
    assert [one.path for one in found] == [photo, no_key]
    assert {(one.path.name, one.reason) for one in passed} == {
        ("default.key", "a signing key"),
        ("node", "a node's folder, or a backup of one"),
    }


def test_a_pipe_that_is_called_a_key_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "default.key")
    found, passed = find_files([tmp_path], recursive=True)
    assert not found
    assert [one.path.name for one in passed] == ["default.key"]


def test_works_signed_for_another_are_numbered() -> None:
    """From the number on that was given; all other terms are alike."""
    files = [HashedFile(Path(name), digest_bytes(name.encode()), 1) for name in "ab"]
    behalf = Behalf(OTHER.public, bytes(32), 7)
    terms = Terms(
        made="generated",
        model=Model("Midnight 2"),
        oversight="prompt_guided",
        shares=(Share(OTHER.public, 1),),
        group=KEY.public,
        behalf=behalf,
    )
    signed = sign_works(files, terms, KEY, now=1, advance=lambda _: None)
    found = [read_delegated(one) for one in signed]
    assert [one.number for one in found] == [7, 8]
    assert {one.for_ for one in found} == {OTHER.public}
    content = read_work(signed[0])
    assert (content.model, content.oversight) == (terms.model, "prompt_guided")
    assert (content.shares, content.group) == (terms.shares, terms.group)
    for said, same in ((terms, True), (Terms(made="generated"), False)):
        wanted = said.fields(files[1], time=0, salt=bytes(16))
        assert (differing(signed[1].fields, wanted) == ()) is same


def test_a_delegation_for_a_manifest_leaves_out_what_is_not_in_it() -> None:
    """It is named, and the rest goes on; without such a delegation nothing is."""
    files = [HashedFile(Path(name), digest_bytes(name.encode()), 1) for name in "abc"]
    proofs = ManifestProofs([files[0].digest, files[2].digest])
    behalf = Behalf(OTHER.public, bytes(32), manifest=proofs)
    kept, passed = leave_out_unlisted(files, Terms(made="human", behalf=behalf))
    assert kept == [files[0], files[2]]
    assert [(one.path, one.exit_code) for one in passed] == [(Path("b"), 3)]
    assert leave_out_unlisted(files, TERMS) == (files, [])
