"""Running the real `byline` program in tests, in a home of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
        self,
        *arguments: str | Path,
        before: Callable[[], None] | None = None,
        timeout: float = 60,
        **variables: str,
    ) -> Ended:
        """Run it to its end; `before` runs in the child, `variables` are its own."""
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
