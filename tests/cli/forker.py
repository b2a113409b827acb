"""Runs many `byline` commands quickly: one warm process that forks for each.

Starting Python and loading Typer costs most of a short command.  A process of its own,
because a fork of the tests' process would share its database threads.  It reads lines
of JSON, `{"arguments", "environment", "folder", "output"}`, and answers each with the
exit code.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

WARM = ("attest", "key", "node", "publish", "query", "remarks", "verify")


class Forker:
    """The warm process, from outside."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.cli.forker"],
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        folder: Path,
        output: Path,
    ) -> int:
        """Run `byline ARGUMENTS`; what it prints goes into the file `output`."""
        order = {
            "arguments": list(arguments),
            "environment": dict(environment),
            "folder": str(folder),
            "output": str(output),
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def close(self) -> None:
        """It ends when its orders do."""
        self._process.communicate()


def become(order: Mapping[str, Any]) -> None:
    """Take the place of a freshly started `byline`, and end as it does."""
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["environment"])
    printed = os.open(order["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for number, descriptor in enumerate((os.open(os.devnull, 0), printed, printed)):
        os.dup2(descriptor, number)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115  # for the whole process
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", closefd=False, buffering=1)  # noqa: SIM115
    sys.argv = ["byline", *order["arguments"]]
    from byline_cli.main import main

    main()


def obey(order: Mapping[str, Any]) -> int:
    """Fork, become `byline` in the child, return its exit code."""
    pid = os.fork()
    if pid == 0:
        become(order)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def warm_up() -> None:
    """Load what commands load, but open nothing."""
    from importlib import import_module

    from typer.main import get_command

    for name in WARM:
        module: Any = import_module(f"byline_cli.{name}")
        command = get_command(module.app)
        command.make_context(name, [], resilient_parsing=True)
    for name in ("httpx", "plyvel", "byline_ledger.check", "byline_node.client"):
        import_module(name)


if __name__ == "__main__":
    warm_up()
    for line in sys.stdin:
        code = obey(json.loads(line))
        print(code, flush=True)
