"""On a real terminal: hidden passphrases, colours of ours, none of a stranger's."""

from __future__ import annotations

import os
import pty
import select
import time
from pathlib import Path

import pytest
from tests.cli.program import Program

LIMIT = 60.0


class Terminal:
    """A command with a controlling terminal of its own."""

    def __init__(self, program: Program, *arguments: str) -> None:
        command = program.command(*arguments)
        environment = program.environment | {"TERM": "xterm-256color"}
        self._pid, self._terminal = pty.fork()
        if self._pid == 0:
            os.chdir(program.folder)
            os.execve(command[0], command, environment)
        self.printed = ""

    def read_until(self, text: str) -> None:
        """Wait for a prompt, to its last space: what is typed sooner is dropped."""
        end = time.monotonic() + LIMIT
        while text not in self.printed:
            assert time.monotonic() < end, self.printed
            if select.select([self._terminal], [], [], 0.1)[0]:
                self.printed += os.read(self._terminal, 65536).decode()

    def type(self, text: str) -> None:
        """Press these keys."""
        os.write(self._terminal, text.encode())

    def end(self) -> int:
        """Read to the end; returns the exit code."""
        while data := self._read():
            self.printed += data.decode()
        os.close(self._terminal)
        return os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])

    def _read(self) -> bytes:
        assert select.select([self._terminal], [], [], LIMIT)[0], self.printed
        try:
            return os.read(self._terminal, 65536)
        except OSError:  # how Linux says that the other side is closed
            return b""


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)


def new_key(program: Program, first: str, second: str) -> Terminal:
    """`byline key new`, with the passphrase typed twice."""
    terminal = Terminal(program, "key", "new")
    terminal.read_until("Passphrase for 'default': ")
    terminal.type(first + "\n")
    terminal.read_until("Repeat for confirmation: ")
    terminal.type(second + "\n")
    return terminal


def test_a_passphrase_is_asked_for_twice_and_not_shown(program: Program) -> None:
    """And then opens the key, once."""
    terminal = new_key(program, "correct horse", "correct horse")
    assert terminal.end() == 0, terminal.printed
    assert "correct horse" not in terminal.printed
    program.write("photo.jpg", "a picture")
    terminal = Terminal(program, "attest", "photo.jpg", "--made", "human")
    terminal.read_until("Passphrase of key 'default': ")
    terminal.type("correct horse\n")
    assert terminal.end() == 0, terminal.printed
    assert "Attested 1 file" in terminal.printed


def test_two_different_passphrases_make_no_key(program: Program) -> None:
    """It asks again; Ctrl-C gives up, with the code of an interrupt."""
    terminal = new_key(program, "correct horse", "wrong horse")
    terminal.read_until("do not match.\r\nPassphrase for 'default': ")
    terminal.type("\x03")
    assert terminal.end() == 130, terminal.printed
    assert program("key", "list", "--json").json["keys"] == []


def test_a_strangers_escapes_do_not_reach_the_terminal(program: Program) -> None:
    """Ours colour the lines; those in a title are written out."""
    program.new_key()
    program.write("photo.jpg", "a picture")
    title = "\x1b]0;owned\x07\x1b[31mred [blink]x[/blink]"
    attested = program("attest", "photo.jpg", "--made", "human", "--title", title)
    assert attested.code == 0, attested.err
    terminal = Terminal(program, "query", "photo.jpg")
    assert terminal.end() == 0
    assert "\x1b[1mphoto.jpg\x1b[0m" in terminal.printed
    assert "\\x1b]0;owned\\x07\\x1b[31mred [blink]x[/blink]" in terminal.printed
    assert "\x1b]0;" not in terminal.printed
    assert "\x1b[31mred" not in terminal.printed


def test_no_color_is_heeded(program: Program) -> None:
    """As https://no-color.org asks."""
    program.new_key()
    program.write("photo.jpg", "a picture")
    program("attest", "photo.jpg", "--made", "human")
    program.environment["NO_COLOR"] = "1"
    terminal = Terminal(program, "query", "photo.jpg")
    assert terminal.end() == 0
    assert "\x1b[3" not in terminal.printed
