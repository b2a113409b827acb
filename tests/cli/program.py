"""Running the real `byline` program in tests, in a home of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from tests.cli.forker import shared
from tests.cli.transcript import environment


@dataclass(frozen=True, slots=True)
class Ended:
    """What a finished command printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.out)

    @property
    def complaint(self) -> str:
        """The one line about what went wrong."""
        lines = [row for row in self.err.splitlines() if row.startswith("byline: ")]
        assert len(lines) == 1, self.err
        assert "Traceback" not in self.err
        return lines[0].removeprefix("byline: ")


def read_again(file: IO[bytes]) -> str:
    """All of a file that somebody else wrote."""
    file.seek(0)
    return file.read().decode()


class Program:
    """`byline` with a folder to work in; `home` is its BYLINE_HOME."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = environment(folder)

    @property
    def home(self) -> Path:
        return Path(self.environment["BYLINE_HOME"])

    def command(self, *arguments: str | Path) -> list[str]:
        """The command line, for those who start it themselves."""
        return [sys.executable, "-m", "byline_cli", *map(str, arguments)]

    def __call__(
        self, *arguments: str | Path, timeout: float = 60, **variables: str
    ) -> Ended:
        """Run it to its end in a fork of the warm process; `variables` are its own."""
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            code = shared().run(
                [str(one) for one in arguments],
                self.environment | variables,
                self.folder,
                (out.fileno(), err.fileno()),
                timeout,
            )
            printed = (read_again(out), read_again(err))
        return Ended(code, *printed)

    def start(
        self,
        *arguments: str | Path,
        before: Callable[[], None] | None = None,
        timeout: float = 60,
        **variables: str,
    ) -> Ended:
        """The same in a Python of its own: slow, but `before` runs in it first, and
        variables may be such as Python reads when it starts."""
        done = subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment | variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            preexec_fn=before,
            timeout=timeout,
            check=False,
        )
        return Ended(done.returncode, done.stdout.decode(), done.stderr.decode())

    def new_key(self, name: str = "default") -> str:
        """A key without passphrase; its did:key."""
        made = self("key", "new", name, "--no-passphrase", "--json")
        assert made.code == 0, made.err
        return str(made.json["key"])

    def write(self, name: str, data: bytes | str) -> Path:
        """A file in the folder."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return path
