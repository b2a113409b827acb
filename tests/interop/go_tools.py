"""Programs of others in Go, built unmodified from pinned sources (tools/go.sum).

Where Go is missing, or its modules cannot be had, the tests that need them are skipped
with the reason; `make interop` with CI=true makes that a failure (conftest.py).
"""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

from byline_ledger.crypto import SigningKey
from byline_ledger.note import ED25519, key_id

HERE = Path(__file__).parent
BUILT = HERE.parents[1] / ".interop" / "bin"
BUILD_SECONDS = 900


@cache
def build() -> str | None:
    """Builds all programs of tools/go.mod; why that failed, or None."""
    go = shutil.which("go")
    if go is None:
        return "go is not installed"
    BUILT.mkdir(parents=True, exist_ok=True)
    command = [go, "build", "-mod=readonly", "-p=2", "-o", f"{BUILT}/", "tool"]
    try:
        done = subprocess.run(
            command,
            cwd=HERE / "tools",
            capture_output=True,
            text=True,
            timeout=BUILD_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"go build took more than {BUILD_SECONDS} s"
    if done.returncode:
        return f"go build: {done.stderr.strip().splitlines()[-1]}"
    return None


def program(name: str) -> str:
    """The path of a program, built if need be; else the test is skipped."""
    if not os.environ.get("BYLINE_INTEROP"):
        pytest.skip(f"{name} is built by make interop alone")
    reason = build()
    if reason is not None:
        pytest.skip(f"{name}: {reason}")
    return str(BUILT / name)


def private_key(name: str, seed: bytes) -> str:
    """A signing key as Go's note package writes it: type 01, name, id and seed."""
    identity = key_id(name, ED25519, SigningKey.from_seed(seed).public)
    material = base64.b64encode(bytes([ED25519]) + seed).decode()
    return f"PRIVATE+KEY+{name}+{identity.hex()}+{material}"


def seed_of(text: str) -> bytes:
    """32 bytes for a test's key."""
    return hashlib.sha256(text.encode()).digest()
