"""What newcomers ran into: each is told what they could not have known."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.program import Program


@pytest.fixture
def byline(tmp_path: Path) -> Program:
    """The program with a key, no node, and a file `photo.jpg`."""
    program = Program(tmp_path)
    program.new_key()
    program.write("photo.jpg", "a picture")
    return program


def test_whoever_attests_what_somebody_else_claims_is_told(byline: Program) -> None:
    """But not of claims by another key of their own."""
    byline.new_key("ada")
    attest = ("attest", "photo.jpg", "--made", "human", "--key")
    assert byline(*attest, "ada").code == 0
    text = "photo.jpg: somebody else claims this file too: byline query photo.jpg"
    byline.new_key("own")
    assert text not in byline(*attest, "own").err
    (byline.home / "keys" / "ada.key").unlink()
    assert text in byline(*attest, "default").err
    byline.new_key("eve")
    told = byline(*attest, "eve", "--json")
    assert told.json["claimed_too"] == ["photo.jpg"]


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (("label", "verfy", "label"), "verfy; did you mean verify?"),
        (("label", "refresh", "label"), "refresh; did you mean label stale, then"),
        (("settle", "check", "x"), "check; did you mean settle verify?"),
        (("node", "stop"), "stop; did you mean Ctrl-C"),
        (("node", "statsu"), "statsu; did you mean status?"),
        (("key", "nonsense"), "nonsense"),
    ],
)
def test_a_mistyped_command_of_a_group_is_no_path(
    byline: Program, arguments: tuple[str, ...], meant: str
) -> None:
    """The same words for all groups."""
    ended = byline(*arguments)
    assert ended.code == 2
    assert ended.complaint.startswith(f"no such command: {meant}")


def test_a_path_that_is_called_like_a_command_is_one(byline: Program) -> None:
    """Where it is there."""
    byline.write("verfy", "x")
    assert "Missing option '--for'" in byline("label", "verfy").complaint


def test_a_picture_is_no_catalogue(byline: Program) -> None:
    """And no text in another encoding."""
    byline.write("pixels.jpg", b"\xff\xd8\xff\xe0\0\x10JFIF\0")
    ended = byline("import", "--csv", "pixels.jpg", "--made", "human")
    assert ended.code == 65
    assert "expected a text, got a file with NUL bytes" in ended.complaint
    assert "latin-1" not in ended.complaint


def test_an_empty_passphrase_says_how_to_do_without(byline: Program) -> None:
    """A variable that is set to nothing is no passphrase."""
    ended = byline("key", "new", "other", BYLINE_PASSPHRASE="")
    assert "--no-passphrase" in ended.complaint


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("find", "key:default", "--in", "."), "such as --key KEY"),
        (("collection", "check", "set.csv", "photos"), "such as --against MANIFEST"),
        (("query", "photo.jpg", "other.jpg"), "it takes PATH|HASH alone"),
        (("key", "list", "default"), "it takes options alone"),
    ],
)
def test_a_word_too_many_is_told_its_place(
    byline: Program, arguments: tuple[str, ...], told: str
) -> None:
    """Or that it has none."""
    assert told in byline(*arguments).complaint


def test_a_key_as_pages_print_it_is_not_whole(byline: Program) -> None:
    """Nobody is asked for the very thing that was typed."""
    ended = byline("key", "history", "did:key:z6Mk…")
    assert ended.complaint.startswith("did:key:z6Mk… is cut short: a key must be whole")
    assert "expected did:key:z6Mk" not in ended.complaint


def test_no_settings_are_not_said_to_be_in_a_file(byline: Program) -> None:
    """And where no node runs, how to start one is said."""
    shown = byline("node", "policy", "show")
    assert shown.out.startswith("Admission as usual: there is no ")
    assert (
        "start it with: byline node run" in byline("node", "policy", "reload").complaint
    )


def test_a_list_of_paths_is_no_list_of_works(byline: Program) -> None:
    """As `filter --out` writes it: it is one work, and that is said."""
    byline.write("may.txt", "photo.jpg\n")
    told = byline("consent", "may.txt", "--for", "ai_training").err
    assert "may.txt is taken as one work, and its first line names a file" in told
    byline.write("prose.txt", "It was a dark night.\n")
    told = byline("consent", "prose.txt", "--for", "ai_training").err
    assert "is taken as one work" not in told


@pytest.mark.parametrize("command", ["grant", "offer", "request", "admit"])
def test_nothing_is_said_for_a_time_that_is_over(byline: Program, command: str) -> None:
    byline("attest", "photo.jpg", "--made", "human")
    byline.new_key("ada")
    said = {
        "grant": ("photo.jpg", "--to", "key:ada", "--use", "ai_training"),
        "offer": ("photo.jpg", "--use", "ai_training=allowed"),
        "request": ("photo.jpg", "--use", "ai_training"),
        "admit": ("key:ada",),
    }
    ended = byline(command, *said[command], "--until", "2020-01-01")
    assert ended.code == 2
    assert ended.complaint.startswith("--until 2020-01-01: that is over")


def test_a_numbered_delegation_says_how_it_is_used(byline: Program) -> None:
    byline.new_key("script")
    delegate = ("key", "delegate", "key:script", "--until", "90d")
    assert "--number 1" in byline(*delegate, "--count", "10").err
    assert "--number" not in byline(*delegate).err


def test_a_name_that_is_taken_is_told_before_the_passphrase(byline: Program) -> None:
    """There is no terminal here to ask on, and it does not come to that."""
    ended = byline("key", "new")
    assert "there is a key 'default' already" in ended.complaint


def test_a_set_without_works_of_a_cooperative_says_what_one_is(byline: Program) -> None:
    byline("attest", "photo.jpg", "--made", "human")
    byline.new_key("coop")
    byline("collection", "create", ".", "--out", "set.csv", "--no-publish")
    asked = ("settle", "set.csv", "--group", "key:coop", "--for", "ai_training")
    told = byline(*asked, "--out", "settled").out
    assert "attested it with --group KEY" in told
