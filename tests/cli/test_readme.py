"""The tour of README.md: its commands work as printed, and print what is printed.

Only the first block, which sets up the environment, is left out, and ports are replaced
by free ones.  Output is compared without what varies: keys, ids, hashes, numbers.
BYLINE_GOLDEN=write puts the real output into the page.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.cli.transcript import environment, normalise

from byline_node.client import Client
from byline_node.errors import NodeUnavailableError

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
BLOCK = re.compile(r"```sh\n(.*?)```\n(?:\n```text\n(.*?)```\n)?", re.DOTALL)
DONE = "--- block done ---"
PORTS = ("4737", "4738", "4739", "8737", "8738", "8739")
LIMIT = 90.0

VARYING = (
    (r"12D3KooW[1-9A-HJ-NP-Za-km-z]{44}", "<peer>"),
    (r"\b[0-9a-f]{64}\b", "<sha256>"),
    (r"/tmp/tmp\.[A-Za-z0-9]+", "<tour>"),
    (r"[0-9][0-9,.]*", "N"),
)


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on at the moment."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


class Shell:
    """One bash, fed with blocks, as a person pastes them."""

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(
            ["bash", "--norc", "--noprofile"],
            cwd=ROOT,
            env=environment(folder) | {"TMPDIR": "/tmp"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.run("exec 2>&1")

    def run(self, block: str) -> str:
        """Everything that a block prints."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{block}\necho '{DONE}'\n")
        self._process.stdin.flush()
        printed: list[str] = []
        for row in self._process.stdout:
            if row.rstrip("\n") == DONE:
                return "".join(printed)
            printed.append(row)
        raise AssertionError(f"the shell ended: {''.join(printed)}")

    def close(self) -> None:
        """End the shell and whatever it started and did not stop."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.communicate()


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    """A shell in the project's folder."""
    shell = Shell(tmp_path)
    yield shell
    shell.close()


def with_ports(block: str, ports: dict[str, int]) -> str:
    """The block with free ports; the first node's defaults are written out."""
    block = block.replace(
        "byline node run >",
        "byline node run --listen /ip4/127.0.0.1/tcp/4737 --api 127.0.0.1:8737 >",
    )
    for port, free in ports.items():
        block = block.replace(port, str(free))
    return block


def wait_until_equal(apis: Sequence[int]) -> None:
    """What a person's slowness does: let the nodes exchange what they have."""
    end = time.monotonic() + LIMIT
    while time.monotonic() < end:
        try:
            found = [Client(f"127.0.0.1:{port}").status() for port in apis]
        except NodeUnavailableError:
            found = []
        if (
            found
            and found[0]["statements"]
            and len({s["set_root"] for s in found}) == 1
        ):
            return
        time.sleep(0.05)
    raise AssertionError("the nodes did not come to hold the same")


def comparable(text: str) -> list[str]:
    """Printed lines without what differs from run to run."""
    rows = normalise(text, ROOT)
    for pattern, placeholder in VARYING:
        rows = [re.sub(pattern, placeholder, row) for row in rows]
    return rows


@pytest.mark.slow
def test_the_tour_works_as_printed(shell: Shell) -> None:
    """Block by block; then nothing of it is left."""
    text = README.read_text("utf-8")
    ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
    folder = ""
    back = {str(free): port for port, free in ports.items()}
    tour = slice(text.index("\n## A tour"), text.index("\n## Your own photo"))
    setup, *blocks = list(BLOCK.finditer(text[tour]))
    assert setup[1] == "make setup\n. .venv/bin/activate\n"
    for block in blocks:
        printed = shell.run(with_ports(block[1], ports))
        for free, port in back.items():
            printed = printed.replace(free, port)
        if "mktemp" in block[1]:
            folder = shell.run("echo $TOUR").strip()
        if "byline attest" in block[1]:
            wait_until_equal([ports[port] for port in PORTS[3:]])
        if os.environ.get("BYLINE_GOLDEN") == "write":
            text = text.replace(
                block[0], f"```sh\n{block[1]}```\n\n```text\n{printed}```\n"
            )
        else:
            assert comparable(printed) == comparable(block[2] or "")
    if os.environ.get("BYLINE_GOLDEN") == "write":
        README.write_text(text, "utf-8")
    assert folder
    assert not Path(folder).exists()
