"""What people type by mistake, or a script of theirs with a variable that is unset."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.program import Program

import byline_cli
from byline_cli.node import everywhere


@pytest.fixture
def byline(tmp_path: Path) -> Program:
    """The program with a key, no node, and a file `photo.jpg`."""
    program = Program(tmp_path)
    program.new_key()
    program.write("photo.jpg", "a picture")
    return program


@pytest.mark.parametrize(
    "arguments",
    [
        ("attest", "", "-r", "--made", "human"),
        ("attest", "photo.jpg", "", "-r", "--made", "human"),
        ("attest", "photo.jpg", "--from", "", "--made", "human"),
        ("attest", "photo.jpg", "--from", ":inputTo", "--made", "human"),
        ("query", ""),
    ],
    ids=" ".join,
)
def test_an_empty_path_is_not_the_current_folder(
    byline: Program, arguments: tuple[str, ...]
) -> None:
    """Nothing is attested or asked, not even what was named rightly."""
    ended = byline(*arguments)
    assert ended.code == 2
    assert ended.complaint.startswith("expected a path, got an empty one; ")
    assert not (byline.home / "node").exists()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("nope", 3),
        ("missing.jpg", 3),
        ("folder/missing", 3),
        ("abc", 65),
        ("sha256:abc", 65),
        ("d41d8cd98f00b204e9800998ecf8427e", 65),
        ("QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n", 65),
    ],
)
def test_a_file_that_is_not_there_is_told_from_a_hash_of_another_kind(
    byline: Program, text: str, code: int
) -> None:
    """With or without a dot in its name."""
    ended = byline("attest", "photo.jpg", "--from", text, "--made", "human")
    assert ended.code == code
    missing = f"there is no file {text}, and it is not a hash either"
    assert (ended.complaint == missing) is (code == 3)


def test_a_takedown_needs_the_id_of_a_statement(byline: Program) -> None:
    """As a withdrawal does."""
    ended = byline("node", "redact", "photo.jpg", "--reason", "private")
    assert ended.code == 65
    assert ended.complaint == (
        "photo.jpg is a file, not the id of a statement; "
        "a STATEMENT-ID is needed; `byline query FILE` shows it"
    )


def test_a_remark_about_what_was_taken_down_says_that_it_was(byline: Program) -> None:
    """Not that the log never held it."""
    made = byline("attest", "photo.jpg", "--made", "human", "--json")
    id_ = made.json["attested"][0]["id"]
    assert byline("node", "redact", id_, "--reason", "private").code == 0
    for remark in (
        ("endorse", id_, "--role", "publisher"),
        ("withdraw", id_, "--reason", "mistaken"),
    ):
        ended = byline(*remark)
        assert ended.code == 3
        assert "was taken down" in ended.complaint
        assert "private" in ended.complaint


def test_one_key_that_cannot_be_read_leaves_the_others(byline: Program) -> None:
    """It is named, and nobody needs it to sign or to ask with another."""
    (byline.home / "keys" / "old.key").write_bytes(b"nonsense")
    (byline.home / "keys" / "old.key").chmod(0o600)
    ended = byline("key", "list")
    assert ended.code == 74
    first, second = ended.out.splitlines()
    assert first.endswith("  default")
    assert second.startswith("old: ")
    told = byline("key", "list", "--json").json
    assert [one["name"] for one in told["keys"]] == ["default"]
    assert [one["name"] for one in told["unreadable"]] == ["old"]
    assert byline("attest", "photo.jpg", "--made", "human").code == 0
    assert 'your key "default"' in byline("query", "photo.jpg").out
    assert byline("key", "show", "old").code == 74


def test_a_node_is_not_restored_over_another(byline: Program) -> None:
    """The folder is the home's, so the home is what to change."""
    assert byline("node", "init").code == 0
    assert byline("node", "backup", "backup").code == 0
    ended = byline("node", "restore", "backup")
    assert ended.code == 2
    assert "set BYLINE_HOME to another folder" in ended.complaint


def test_statements_that_are_none_are_not_only_for_publishing(byline: Program) -> None:
    """The same words where they are only tried."""
    byline.write("note.md", "# A note")
    for command in (("node", "policy", "test"), ("publish",)):
        ended = byline(*command, "note.md")
        assert ended.code == 65
        assert ended.complaint == (
            "note.md holds no statements; expected is what `byline attest --out` wrote"
        )


def test_where_others_reach_a_node_keeps_its_port(byline: Program) -> None:
    """And its kind of address."""
    made = byline("node", "init", "--listen", "/ip6/::1/tcp/4740/ws")
    assert made.code == 0
    assert "for others, listen on /ip6/::/tcp/4740/ws\n" in made.out
    assert everywhere("/ip4/127.0.0.1/tcp/4740/p2p/12D3") == "/ip4/0.0.0.0/tcp/4740"


def test_a_bucket_says_what_it_can_be_called(byline: Program) -> None:
    """Where the form as such is right."""
    ended = byline("log", "push", "s3://x/y")
    assert ended.code == 2
    assert "got 's3://x/y'; a bucket is 3 to 63 of" in ended.complaint


def test_what_signs_says_where_its_key_has_ended() -> None:
    """A module that opens the key of an author has the one way to warn."""
    folder = Path(byline_cli.__file__).parent
    loud = ("connect_to_sign(", "warn_if_ended(", "def load_key(")
    for path in sorted(folder.glob("*.py")):
        text = path.read_text("utf-8")
        assert "load_key(" not in text or any(one in text for one in loud), path.name
