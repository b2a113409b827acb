"""The people of story.py: each has a home with keys of their own, and types commands.

A command is the `byline` program itself, in a process of its own, with `--json`; a
node is `byline node run`.  Whatever does not hold ends the story with what was expected
and what came.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

BYLINE = (sys.executable, "-m", "byline_cli")
ANY_PORT = ("--listen", "/ip4/127.0.0.1/tcp/0", "--api", "127.0.0.1:0")
WAIT = 60.0
"""Seconds in which a command must be done and a node ready."""


def fail(text: str) -> NoReturn:
    """End the story."""
    sys.exit(f"The story does not hold: {text}")


def expect(what: str, came: object, expected: object) -> None:
    """Tell what is shown; end the story if it is not what the specification says."""
    if came != expected:
        fail(f"{what}: expected {expected!r}, got {came!r}")
    print(f"   {what}: {came}")


def chapter(title: str) -> None:
    """A heading."""
    print(f"\n{title}", flush=True)


class Person:
    """Somebody with a home: `folder/NAME`, where the commands are run."""

    made: Mapping[str, Any]
    """What `byline key new` said."""

    def __init__(self, name: str, folder: Path, node: str | None = None) -> None:
        self.name = name
        self.folder = folder / name
        self.folder.mkdir(parents=True)
        self._environment = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith("BYLINE_")
        } | {
            "BYLINE_HOME": str(self.folder / "home"),
            "BYLINE_PASSPHRASE": f"the passphrase of {name}",
            "NO_COLOR": "1",
        }
        if node is not None:
            self._environment["BYLINE_NODE"] = node

    def run(
        self, *words: object, code: int = 0, secrets: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """`byline WORDS`, which must end with that code; `secrets` are variables of
        the environment, such as a recovery code."""
        done = subprocess.run(
            [*BYLINE, *map(str, words)],
            cwd=self.folder,
            env=self._environment | dict(secrets or {}),
            capture_output=True,
            text=True,
            timeout=WAIT,
            check=False,
        )
        if done.returncode != code:
            said = (done.stderr or done.stdout).strip()
            command = " ".join(map(str, words))
            fail(f"{self.name}: byline {command}: ended with {done.returncode}: {said}")
        return done

    def __call__(
        self, *words: object, code: int = 0, secrets: Mapping[str, str] | None = None
    ) -> Any:
        """The same with `--json`: what it printed."""
        done = self.run(*words, "--json", code=code, secrets=secrets)
        return json.loads(done.stdout)

    def refused(self, *words: object, code: int = 2) -> str:
        """A command that must fail, with that code; tells what it said."""
        done = self.run(*words, "--json", code=code)
        last = (done.stderr or done.stdout).strip().splitlines()[-1]
        said: Mapping[str, Any] = json.loads(last)
        text = str(said["error"]["message"])
        print(f"   refused: byline {words[0]}: {text}")
        return text

    def write(self, name: str, data: bytes) -> Path:
        """A file of theirs."""
        path = self.folder / name
        path.write_bytes(data)
        return path

    def give(self, name: str, other: Person) -> Path:
        """A copy of a file for somebody else."""
        return other.write(name, (self.folder / name).read_bytes())

    @property
    def key(self) -> str:
        """Their public key, as a did:key."""
        return str(self("key", "show")["key"])

    @contextmanager
    def archive(self) -> Iterator[str]:
        """Run a node on this home until the block ends; its URL."""
        process = subprocess.Popen(
            [*BYLINE, "node", "run", *ANY_PORT],
            cwd=self.folder,
            env=self._environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield self._url(process)
        finally:
            process.terminate()
            process.wait(WAIT)

    def _url(self, process: subprocess.Popen[bytes]) -> str:
        file = self.folder / "home" / "node" / "run.json"
        end = time.monotonic() + WAIT
        while time.monotonic() < end:
            if file.is_file():
                return str(json.loads(file.read_bytes())["api"])
            if process.poll() is not None:
                fail(f"the node of {self.name} ended with {process.returncode}")
            time.sleep(0.05)
        fail(f"the node of {self.name} is not ready")


class Cast:
    """Everybody of the story, and the archive's node while it runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.archive = Person("archive", folder)

    def __enter__(self) -> Cast:
        self.archive("key", "new", "--no-passphrase")
        self.archive.run("node", "init")
        settings = self.archive.folder / "home" / "node" / "node.toml"
        text = settings.read_text().replace("manifests = false", "manifests = true")
        settings.write_text(text)
        self._running = self.archive.archive()
        self.url = self._running.__enter__()
        # The archive's own commands go to its node as everybody's do.
        self.ada = self._arrive("ada", "--recovery")
        self.recovery = str(self.ada.made["recovery"])
        self.recovery_code = str(self.ada.made["recovery_code"])
        self.ben = self._arrive("ben")
        self.mia = self._arrive("mia")
        self.guild = self._arrive("guild")
        self.eve = self._arrive("eve")
        return self

    def _arrive(self, name: str, *more: str) -> Person:
        person = Person(name, self.folder, self.url)
        person.made = person("key", "new", "--no-passphrase", *more)
        return person

    def __exit__(self, *_error: object) -> None:
        self._running.__exit__(None, None, None)
