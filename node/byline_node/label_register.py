"""Which labels were made on this machine: `labels` in BYLINE_HOME, a line for each."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from byline_ledger.store.durable import write_durably
from byline_node.home import find_home

MAX_REGISTER = 1 << 22
NAME = "labels"


@dataclass(frozen=True, slots=True)
class Register:
    """The file; a line that is no JSON object is passed over."""

    path: Path

    @classmethod
    def of_home(cls) -> Register:
        """That of this user."""
        return cls(find_home().folder / NAME)

    def folders(self) -> list[Path]:
        """Where labels were made, those that are still there."""
        found = dict.fromkeys(Path(one) for one in self._read())
        return [one for one in found if one.is_dir()]

    def add(self, folder: Path) -> None:
        """Remember a label."""
        here = str(folder.absolute())
        kept = [one for one in self._read() if one != here and Path(one).is_dir()]
        lines = "".join(json.dumps({"folder": one}) + "\n" for one in [*kept, here])
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_durably(self.path, lines.encode(), mode=0o600)

    def _read(self) -> list[str]:
        try:
            with self.path.open("rb") as file:
                data = file.read(MAX_REGISTER)
        except FileNotFoundError:
            return []
        found = []
        for line in data.splitlines():
            try:
                folder = json.loads(line)["folder"]
            except (ValueError, KeyError, TypeError, RecursionError):
                continue
            if isinstance(folder, str):
                found.append(folder)
        return found
