"""Witnesses and logs of others: each side of C2SP tlog-witness against their programs.

transparency-dev's omniwitness cosigns a node's checkpoints; a node cosigns those of a
Tessera log, asked by Tessera's own witness client.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.interop.go_tools import private_key, program, seed_of
from tests.interop.s3_server import free_ports
from tests.support.node_process import node_process
from tests.support.signed import work

from byline_ledger.bundle import Bundle
from byline_ledger.checkpoint import log_vkey, open_checkpoint
from byline_ledger.cosignature import cosigner_vkey, verify_cosignature
from byline_ledger.crypto import SigningKey
from byline_ledger.note import Verifier, parse_note
from byline_node.client import Client

pytestmark = pytest.mark.interop


def until(condition: Callable[[], Any], seconds: float = 30.0) -> Any:
    """What the condition gives, once it gives something."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "it never came"
        time.sleep(0.05)
    return found


def answers(url: str) -> bool:
    try:
        httpx.get(url, trust_env=False)
    except httpx.HTTPError:
        return False
    return True


def settings(folder: Path, **lists: str) -> None:
    """Writes a node's node.toml."""
    node = folder / "node"
    node.mkdir(parents=True, exist_ok=True)
    lines = [f'{name} = ["{value}"]\n' for name, value in lists.items()]
    (node / "node.toml").write_text("".join(lines))


# Their witness, our log


@contextmanager
def omniwitness(folder: Path, origin: str, vkey: str) -> Iterator[tuple[str, str]]:
    """Its verifier key and URL; it knows our log."""
    name, seed = "omniwitness.example/w1", seed_of("omniwitness")
    (folder / "logs.yaml").write_text(
        f'Logs:\n  - Origin: "{origin}"\n    PublicKey: "{vkey}"\n'
        f'    URL: "http://127.0.0.1:9/"\n'
    )
    (folder / "key").write_text(private_key(name, seed))
    (port,) = free_ports(1)
    process = subprocess.Popen(
        [
            program("omniwitness"),
            *("--listen", f"127.0.0.1:{port}"),
            *("--metrics_listen", ""),
            *("--additional_logs", str(folder / "logs.yaml")),
            *("--private_key_path", str(folder / "key")),
            *("--db_file", str(folder / "witness.db")),
        ],
        stderr=subprocess.PIPE,
        text=True,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        until(lambda: process.poll() is not None or answers(url))
        assert process.poll() is None, process.communicate()[1]
        yield cosigner_vkey(name, SigningKey.from_seed(seed).public), url
    finally:
        process.terminate()
        process.communicate()


def test_omniwitness_cosigns_our_checkpoints(tmp_path: Path) -> None:
    """As the log grows, and again after the node was restarted."""
    program("omniwitness")
    home = tmp_path / "home"
    with node_process(home) as node:
        client = node.wait_ready()
        log = client.status()
        node.stop()
    with omniwitness(tmp_path, log["origin"], log["vkey"]) as (vkey, url):
        settings(home, witnesses=f"{vkey} {url}")
        for number in range(2):
            with node_process(home) as node:
                client = node.wait_ready()
                until(lambda client=client: client.status()["read_only"] is None)
                for count in range(3):
                    one = work(f"{number} {count}")
                    client.publish([one])
                    bundle = Bundle.from_bytes(client.query_bundle(one.about))
                    assert len(bundle.statements) == 1
                    note = parse_note(bundle.checkpoint)
                    assert verify_cosignature(note, Verifier.from_text(vkey))
                (witness,) = client.status()["witnesses"]
                assert witness["error"] is None
                node.stop()


# Our witness, their log


def test_we_cosign_a_tessera_log(tmp_path: Path) -> None:
    """Tessera publishes only what its witness policy is satisfied with."""
    posix = program("posix-oneshot")
    origin, seed = "tessera.example/log", seed_of("tessera")
    vkey = log_vkey(origin, SigningKey.from_seed(seed).public)
    settings(tmp_path / "home", witness_logs=vkey)
    (tmp_path / "key").write_text(private_key(origin, seed))
    storage = tmp_path / "log"
    with node_process(tmp_path / "home") as node:
        client = node.wait_ready()
        ours = witness_key(client)
        (tmp_path / "policy").write_text(
            f"witness byline {ours.to_text()} {client.url}/witness\nquorum byline\n"
        )
        for number in range(3):
            entries = tmp_path / f"entries{number}"
            entries.mkdir()
            for count in range(1 + 200 * number):
                (entries / f"{count}").write_text(f"entry {number} {count}")
            command = [
                posix,
                *("--storage_dir", str(storage)),
                *("--private_key", str(tmp_path / "key")),
                *("--entries", f"{entries}/*"),
                *("--witness_policy_file", str(tmp_path / "policy")),
                *("--witness_timeout", "10s"),
            ]
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=120, check=False
            )
            assert done.returncode == 0, done.stderr[-2000:]
            note = (storage / "checkpoint").read_bytes()
            size = open_checkpoint(note, vkey).size
            assert size == sum(1 + 200 * one for one in range(number + 1))
            assert verify_cosignature(parse_note(note), ours)


def witness_key(client: Client) -> Verifier:
    text = httpx.get(client.url + "/witness/vkey", trust_env=False).text
    return Verifier.from_text(text.splitlines()[0])
