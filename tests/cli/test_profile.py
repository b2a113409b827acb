"""`byline profile check` against real servers, and what answers then say of names."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.cli.program import Ended, Program
from tests.support.dns_server import Records, dns_server
from tests.support.tls_server import Authority, Page, tls_server

SITE, FORGE = "studio.example", "git.example"


@pytest.fixture
def byline(tmp_path: Path) -> Program:
    return Program(tmp_path)


@contextmanager
def world(
    folder: Path, pages: dict[str, Page], zone: dict[str, Records]
) -> Iterator[list[str]]:
    """Servers for SITE and FORGE, and the options that lead there."""
    authority = Authority(folder)
    hosts = SITE, FORGE
    with tls_server(authority, pages, *hosts) as (port, _), dns_server(zone) as dns:
        ways = [f"--resolve={host}=127.0.0.1:{port}" for host in hosts]
        yield [*ways, f"--ca-file={authority.file}", f"--name-server={dns[0]}:{dns[1]}"]


def outcomes(ended: Ended) -> dict[str, list[str]]:
    return {
        one["method"]: [result["outcome"] for result in one["results"]]
        for one in ended.json["names"]
    }


def test_names_are_checked_dated_and_told(byline: Program, tmp_path: Path) -> None:
    """Confirmed, then lapsed: the first confirmation stays, and answers say both."""
    key = byline("key", "new", "--no-passphrase", "--json").json["key"]
    proofs = [f"--proof={one}={SITE}" for one in ("domain-file", "dns-txt")]
    assert byline("profile", "set", "--name=Mara Voss", *proofs).code == 0
    pages: dict[str, Page] = {
        f"{SITE}/.well-known/byline.json": json.dumps({"keys": [key]}).encode()
    }
    zone: dict[str, Records] = {f"_byline.{SITE}": [f"byline-key={key}".encode()]}
    with world(tmp_path, pages, zone) as options:
        checked = byline("profile", "check", "default", "--json", *options)
        assert checked.code == 0, checked.err
        assert outcomes(checked) == {
            "domain-file": ["confirmed"],
            "dns-txt": ["confirmed"],
        }
        (fetched,) = checked.json["names"][0]["results"][0]["fetched"]
        assert fetched["asked"] == f"https://{SITE}/.well-known/byline.json"
        assert fetched["via"].startswith("127.0.0.1:")
        pages.clear()
        lapsed = byline("profile", "check", "default", "--json", *options)
        assert lapsed.code == 1
        assert outcomes(lapsed)["domain-file"] == ["confirmed", "refuted"]
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(b"a photo")
    assert byline("attest", photo, "--made", "human").code == 0
    (claimed,) = [
        row for row in byline("query", photo).out.split("\n") if "Claimed by" in row
    ]
    assert "calls itself “Mara Voss”; studio.example confirmed on " in claimed
    assert ", NOT confirmed on " in claimed
    proof = tmp_path / "photo.jpg.byline"
    assert byline("query", photo, "--save", proof).code == 0
    assert "NOT confirmed on" in byline("verify", proof, photo).out


@pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="needs OpenSSH")
def test_an_ssh_key_that_a_forge_publishes(byline: Program, tmp_path: Path) -> None:
    """As `byline profile where` tells people to do it, by OpenSSH itself."""
    made = byline("key", "new", "--no-passphrase", "--json")
    key = made.json["key"]
    secret = tmp_path / "id_ed25519"
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(secret)], check=True
    )
    told = byline("profile", "where", "--json").json["places"]["ssh"]
    command = told.partition(" > ")[0].replace("~/.ssh/id_ed25519", str(secret))
    signature = tmp_path / "byline.sig"
    with signature.open("wb") as file:
        subprocess.run(["sh", "-c", command], stdout=file, check=True)
    named = f"--ssh={FORGE}/mara={signature}"
    assert byline("profile", "set", named).code == 0
    published = secret.with_suffix(".pub").read_bytes()
    with world(tmp_path, {f"{FORGE}/mara.keys": published}, {}) as options:
        checked = byline("profile", "check", key, "--json", *options)
    assert checked.code == 0, checked.err
    assert outcomes(checked) == {"ssh": ["confirmed"]}
    byline("key", "new", "other", "--no-passphrase")
    refused = byline("profile", "set", named, "--key=other")
    assert refused.code == 1
    assert "it is not over this key's did:key" in refused.complaint


def test_only_the_names_that_are_asked_for(byline: Program, tmp_path: Path) -> None:
    """And a code for those that cannot be reached."""
    byline("key", "new", "--no-passphrase")
    byline(
        "profile",
        "set",
        f"--proof=domain-file={SITE}",
        f"--proof=did-web=did:web:{FORGE}",
    )
    with world(tmp_path, {f"{SITE}/.well-known/byline.json": 500}, {}) as options:
        checked = byline(
            "profile", "check", "default", "--name", SITE, "--json", *options
        )
    assert checked.code == 69
    assert outcomes(checked) == {"domain-file": ["unreachable"], "did-web": []}


def test_a_recovery_key_of_ones_own_folder_recovers(byline: Program) -> None:
    """And nobody else's."""
    for name in ("default", "paper", "thief", "new"):
        byline("key", "new", name, "--no-passphrase")
    assert byline("profile", "set", "--recovery=paper").code == 0
    # A thief who has the key gets there first.
    assert byline("key", "rotate", "thief").code == 0
    refused = byline("key", "recover", "default", "--successor=new", "--key=thief")
    assert refused.code == 2
    assert "that is not the recovery key" in refused.complaint
    assert (
        byline("key", "recover", "default", "--successor=new", "--key=paper").code == 0
    )
    history: Any = byline("key", "history", "default", "--json").json
    keys = {
        one["name"]: one["key"] for one in byline("key", "list", "--json").json["keys"]
    }
    assert history["successors"] == [keys["new"]]
    assert history["recovery"] == keys["paper"]
    assert not history["contested"]


def test_two_own_rotations_are_contested(byline: Program, tmp_path: Path) -> None:
    """Signed on two machines that did not know of each other; then it is decided."""
    for name in ("default", "paper", "one", "two"):
        byline("key", "new", name, "--no-passphrase")
    byline("profile", "set", "--recovery=paper")
    files = [tmp_path / name for name in ("one", "two")]
    for file in files:
        byline("key", "rotate", file.name, "--out", file)
    assert byline("publish", *files).code == 0
    told = byline("key", "history", "default").out
    assert "is CONTESTED since entry" in told
    refused = byline("key", "rotate", "one")
    assert "the key is contested since entry" in refused.complaint
    assert (
        byline("key", "recover", "default", "--successor=one", "--key=paper").code == 0
    )
    assert byline("key", "history", "default", "--json").json["contested"] is False


def test_paths_on_standard_input_are_attested(byline: Program, tmp_path: Path) -> None:
    """As a program that generates lists them."""
    byline("key", "new", "--no-passphrase")
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(name.encode())
    done = subprocess.run(
        byline.command(
            *("attest", "-", "--made", "generated", "--json"),
            *("--model", "painter", "--oversight", "prompt_guided"),
        ),
        input=f"{tmp_path}/a.png\n\n{tmp_path}/b.png\r\n".encode(),
        env=byline.environment,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["attested"]) == 2
    for text, reason in ((b"\n", "lists no path"), (b"x" * 5000, "is no path")):
        done = subprocess.run(
            byline.command("attest", "-", "--made", "human"),
            input=text,
            env=byline.environment,
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 2
        assert reason in done.stderr.decode()
