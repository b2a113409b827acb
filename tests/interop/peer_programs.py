"""Peers on the libp2p of others: built from pinned packages, driven line by line.

js-peer/package-lock.json pins every package of the JavaScript peer by its hash and
names no host, so npm asks whatever registry it is set up for; go-peer/go.sum pins the
modules of the Go peer.  Where the tools or the packages cannot be had, the tests that
need them are skipped with the reason; `make interop` with CI=true makes that a failure
(conftest.py).
"""

from __future__ import annotations

import json
import os
import queue
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
BUILT = HERE.parents[1] / ".interop"
BUILD_SECONDS = 600
OLDEST_NODE = 22
ANSWER = 60.0
"""Seconds a peer has for a command, on a machine with other things to do."""

Fact = dict[str, Any]


class CannotBuildError(Exception):
    """Why a program is not to be had."""


# Building


def run(command: list[str], folder: Path) -> str:
    """What a command prints; CannotBuildError with its last line if it fails."""
    if shutil.which(command[0]) is None:
        raise CannotBuildError(f"{command[0]} is not installed")
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=BUILD_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise CannotBuildError(f"{command[0]}: more than {BUILD_SECONDS} s") from None
    if done.returncode:
        last = (done.stderr.strip() or "no reason given").splitlines()[-1]
        raise CannotBuildError(f"{' '.join(command[:2])}: {last}")
    return done.stdout


@cache
def js_peer() -> tuple[str, ...]:
    """The command of the JavaScript peer, but for the name of its program."""
    folder, sources = BUILT / "js-peer", HERE / "js-peer"
    folder.mkdir(parents=True, exist_ok=True)
    installed = folder / "installed"
    lock = (sources / "package-lock.json").read_text()
    for path in sources.iterdir():
        shutil.copy(path, folder)
    if not installed.is_file() or installed.read_text() != lock:
        run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], folder)
        installed.write_text(lock)
    return (node_of(folder), str(folder))


def node_of(folder: Path) -> str:
    """Node.js as npm brought it, where it has one for this machine; else the path's."""
    beside = folder / "node_modules" / ".bin" / "node"
    if beside.exists():
        return str(beside)
    version = run(["node", "--version"], folder).strip()
    if int(version.removeprefix("v").partition(".")[0]) < OLDEST_NODE:
        raise CannotBuildError(f"Node.js {OLDEST_NODE} is needed, not {version}")
    return "node"


def command_of(language: str, program: str) -> list[str]:
    """How to start a program of a peer, built if need be; else the test is skipped."""
    if not os.environ.get("BYLINE_INTEROP"):
        pytest.skip(f"the {language} peer is built by make interop alone")
    try:
        return COMMANDS[language](program)
    except CannotBuildError as error:
        pytest.skip(f"the {language} peer: {error}")


def js_command(program: str) -> list[str]:
    node, folder = js_peer()
    return [node, f"{folder}/{program}.mjs"]


@cache
def go_peer() -> Path:
    """The folder of the Go peer's programs."""
    folder = BUILT / "go-peer"
    folder.mkdir(parents=True, exist_ok=True)
    programs = ["./peer", "./vectors"]
    command = ["go", "build", "-mod=readonly", "-p=2", "-o", f"{folder}/", *programs]
    run(command, HERE / "go-peer")
    return folder


def go_command(program: str) -> list[str]:
    return [str(go_peer() / program)]


COMMANDS: dict[str, Callable[[str], list[str]]] = {"go": go_command, "js": js_command}


def vectors_of(language: str) -> list[Fact]:
    """What a peer's own reading of the shared vectors comes to, group by group."""
    vectors = HERE.parents[0] / "vectors"
    command = [*command_of(language, "vectors"), str(vectors)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


# Driving


class Peer:
    """A running peer: takes commands, tells facts."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.facts: list[Fact] = []
        self._lines: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def ask(self, name: str, argument: str = "") -> Fact:
        """The fact that a command ends with."""
        before = len(self.facts)
        assert self.process.stdin is not None
        self.process.stdin.write(f"{name} {argument}".strip() + "\n")
        self.process.stdin.flush()
        return self.wait_for(lambda fact: fact["fact"] == name, before)

    def wait_for(self, holds: Callable[[Fact], bool], start: int = 0) -> Fact:
        """The first fact of which that holds, of those told from number `start` on."""
        end = time.monotonic() + ANSWER
        while True:
            for fact in self.facts[start:]:
                if holds(fact):
                    return fact
            start = len(self.facts)
            line = self._lines.get(timeout=max(0.0, end - time.monotonic()))
            assert line is not None, f"the peer is gone: {self.facts[-3:]}"
            self.facts.append(json.loads(line))


@contextmanager
def running(language: str) -> Iterator[Peer]:
    """A peer; it ends when its input does, and is killed if it will not."""
    process = subprocess.Popen(
        command_of(language, "peer"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Peer(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
