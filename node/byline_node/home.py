"""Where Byline keeps its files: `$BYLINE_HOME`, else the platform's data folder.

keys/           author keys
node/           one node: secret, origin, store, guard, node.toml
node/run.json   where the running node answers; there only while it runs
seals/          what reveals the works that were sealed
alarms/         proof that logs lied, which commands found on this machine
credentials/    certificates for author keys, made by `byline export --c2pa`
names/          which names keys go by, and what checks of them found
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from byline_ledger.errors import StoreError

MAX_RUN_FILE = 4096


@dataclass(frozen=True, slots=True)
class Home:
    """The data folder and the places in it."""

    folder: Path

    @property
    def keys(self) -> Path:
        return self.folder / "keys"

    @property
    def node(self) -> Path:
        return self.folder / "node"

    @property
    def seals(self) -> Path:
        return self.folder / "seals"

    @property
    def alarms(self) -> Path:
        return self.folder / "alarms"

    @property
    def credentials(self) -> Path:
        return self.folder / "credentials"

    @property
    def names(self) -> Path:
        return self.folder / "names"

    @property
    def config_file(self) -> Path:
        return self.node / "node.toml"

    @property
    def run_file(self) -> Path:
        return self.node / "run.json"


def shelf_of(node: Path) -> Path:
    """Where a node's folder has the manifests that were left with it."""
    return node / "credentials"


def find_home(environ: Mapping[str, str] | None = None) -> Home:
    """The home of this user: BYLINE_HOME, or the platform's place for user data."""
    chosen = (os.environ if environ is None else environ).get("BYLINE_HOME")
    if chosen:
        return Home(Path(chosen).expanduser().absolute())
    from platformdirs import user_data_dir  # only where nothing was chosen

    return Home(Path(user_data_dir("byline", appauthor=False)))


# What json and int() raise for bytes that we did not write ("[[[[...", Infinity).
_BAD_JSON = (ValueError, RecursionError, OverflowError)


@dataclass(frozen=True, slots=True)
class RunningNode:
    """What a node writes down when it is ready.

    `origin` tells a client that finds the file after a crash whether the program that
    answers at `api` now is still the same node.
    """

    api: str
    pid: int
    origin: str

    def write(self, path: Path) -> None:
        """Replaces the file at once, so that no reader sees half of it."""
        text = json.dumps({"api": self.api, "pid": self.pid, "origin": self.origin})
        draft = path.with_suffix(".tmp")
        draft.write_text(text + "\n", encoding="utf-8")
        draft.replace(path)

    @classmethod
    def read(cls, path: Path) -> RunningNode | None:
        """The node that last wrote this file and lives; None if there is none.

        Raises StoreError where we may not know.
        """
        try:
            with path.open("rb") as file:
                found = json.loads(file.read(MAX_RUN_FILE))
            node = cls(str(found["api"]), int(found["pid"]), str(found["origin"]))
        except PermissionError as error:
            raise StoreError(
                f"cannot read {path}: {error.strerror}",
                hint="run this as the user that the node runs as",
            ) from None
        except (OSError, LookupError, TypeError, *_BAD_JSON):
            return None
        return node if is_process(node.pid) else None


def make_node(folder: Path) -> bool:
    """Makes a node in the folder unless there is one; whether it did."""
    # Loads the crypto library, which finding a home does without.
    from byline_ledger.store.node_files import NodeFiles, init_node

    if NodeFiles(folder).is_node():
        return False
    init_node(folder)
    return True


def is_process(pid: int) -> bool:
    """Whether a process of this number exists, ours or somebody else's."""
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
