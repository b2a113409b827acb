"""A real S3 server on loopback: SeaweedFS, as requirements/interop.txt has it."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

KEY, SECRET = "test-key", "test-secret"  # of a server that lives a minute
SERVICES = ("master", "volume", "filer", "s3")
START = 60.0
"""Seconds until the server must answer."""


def find_weed() -> str | None:
    """The program, from the environment of this interpreter or the path."""
    beside = Path(sys.executable).parent / "weed"
    return str(beside) if beside.is_file() else shutil.which("weed")


@contextmanager
def s3_server(folder: Path) -> Iterator[str]:
    """The URL of a server that keeps its buckets in `folder`; made when written to."""
    weed = find_weed()
    assert weed is not None
    config = folder / "identities.json"
    config.write_text(json.dumps({"identities": [identity()]}))
    (folder / "data").mkdir()
    ports = free_ports(2 * len(SERVICES))
    command = [weed, "server", f"-dir={folder / 'data'}", "-s3", f"-s3.config={config}"]
    command += ["-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-master.telemetry=false"]
    command += ["-master.volumeSizeLimitMB=64", "-volume.max=20"]
    command += ["-s3.port.iceberg=0", "-s3.port.lance=0"]
    for number, service in enumerate(SERVICES):
        command += [f"-{service}.port={ports[2 * number]}"]
        command += [f"-{service}.port.grpc={ports[2 * number + 1]}"]
    url = f"http://127.0.0.1:{ports[2 * SERVICES.index('s3')]}"
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
    try:
        wait_for(url, process, folder / "log")
        yield url
    finally:
        process.kill()
        process.wait()


def identity() -> dict[str, object]:
    credentials = [{"accessKey": KEY, "secretKey": SECRET}]
    actions = ["Admin", "Read", "Write", "List", "Tagging"]
    return {"name": "byline", "credentials": credentials, "actions": actions}


def free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Until it answers at all; an answer without credentials is a refusal."""
    end = time.monotonic() + START
    while time.monotonic() < end and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"the S3 server did not start: {log.read_text()[-2000:]}")
