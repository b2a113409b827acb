"""The rules of the house that no type checker sees: what loads what, and file sizes."""

from __future__ import annotations

import ast
import re
import resource
import subprocess
import sys
from configparser import ConfigParser
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = [ROOT / "ledger", ROOT / "node", ROOT / "cli"]
SOURCES = sorted(p for package in PACKAGES for p in package.rglob("*.py"))
LONGEST_FILE = 450

# Where each third-party engine may be imported: one file, so that it can be replaced.
ENGINES = {
    "msgpack": "ledger/byline_ledger/codec.py",
    "nacl": "ledger/byline_ledger/crypto.py",
    "plyvel": "ledger/byline_ledger/store/leveldb.py",
    "hypercorn": "node/byline_node/http_server.py",
    "fastapi": "node/byline_node/http_api.py",
    "httpx": "node/byline_node/client.py",
    "iscc_lib": "node/byline_node/iscc_codes.py",
    "numpy": "node/byline_node/code_file.py",
    "obstore": "node/byline_node/s3_files.py",
    "rfc3161_client": "node/byline_node/anchor_tsa.py",
    "opentimestamps": "node/byline_node/anchor_ots.py",
    "zeroconf": "node/byline_node/mdns.py",
    "igraph": "cli/byline_cli/graph_layout.py",
    "c2pa": "node/byline_node/c2pa_engine.py",
    "dns": "node/byline_node/name_dns.py",
    "confusable_homoglyphs": "node/byline_node/lookalikes.py",
    "pyarrow": "node/byline_node/parquet_manifest.py",
}

# But for libp2p: one file runs it, and five make it safe (docs/adr/0021, 0026).
HOST_FILES = {
    f"node/byline_node/host{name}.py"
    for name in ("", "_dht", "_gossip", "_patches", "_setup", "_streams")
}

# Pillow: one file reads pictures for fingerprints, one draws labels (docs/adr/0035).
PICTURE_FILES = {
    f"node/byline_node/{name}.py" for name in ("label_picture", "pictures")
}

# What costs so much to load that only a starting node may ask for it.
SERVER_ONLY = {
    *("libp2p", "multiaddr", "fastapi", "starlette", "hypercorn", "plyvel", "zeroconf")
}
# What a help text needs none of.
HEAVY = SERVER_ONLY | {"httpx", "msgpack", "nacl", "pydantic", "structlog", "trio"}


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def loaded_by(code: str, *arguments: str) -> set[str]:
    """Top-level names of all modules that a fresh interpreter loads for `code`."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    names = re.findall(r"^import time:.*\|\s*([\w.]+)$", done.stderr, re.MULTILINE)
    assert names, "the interpreter reported no imports"
    return {name.partition(".")[0] for name in names}


@cache
def imported_names(path: Path) -> set[str]:
    """Top-level names of everything that a file imports, at whatever depth."""
    names = set()
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names


@pytest.mark.parametrize(
    "code", ["import byline_ledger", "from byline_node import Client"]
)
def test_scripts_load_no_server(code: str) -> None:
    assert loaded_by(code) & SERVER_ONLY == set()


def test_each_public_name_of_the_ledger_and_the_node_is_there() -> None:
    code = (
        "import {0}\n"
        "missing = [n for n in {0}.__all__ if not hasattr({0}, n)]\n"
        "assert {0}.__all__ and not missing, missing"
    )
    for package in ("byline_ledger", "byline_node"):
        loaded_by(code.format(package))


def test_help_loads_nothing_heavy(record_property: pytest.RecordProperty) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    loaded = loaded_by("from byline_cli.main import main; main()", "--help")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    record_property("help_cpu_seconds", round(used, 3))
    print(f"byline --help took {used:.2f} s of CPU")
    assert loaded & HEAVY == set()


@pytest.mark.parametrize("engine", ENGINES)
def test_each_engine_is_imported_in_one_file(engine: str) -> None:
    users = [relative(path) for path in SOURCES if engine in imported_names(path)]
    assert users == [ENGINES[engine]]


def test_libp2p_is_imported_by_the_host_files_alone() -> None:
    engine = {"google", "libp2p", "multiaddr", "trio_websocket"}
    users = {relative(path) for path in SOURCES if engine & imported_names(path)}
    assert users == HOST_FILES


def test_pillow_is_imported_by_the_picture_files_alone() -> None:
    users = {relative(path) for path in SOURCES if "PIL" in imported_names(path)}
    assert users == PICTURE_FILES


def test_no_file_is_too_long_to_read() -> None:
    lengths = {relative(p): len(p.read_text().splitlines()) for p in SOURCES}
    assert {p: n for p, n in lengths.items() if n > LONGEST_FILE} == {}


def test_every_module_says_what_it_is_for() -> None:
    modules = [path for path in SOURCES if path.read_text().strip()]
    silent = [p for p in modules if not ast.get_docstring(ast.parse(p.read_bytes()))]
    assert [relative(path) for path in silent] == []


def test_only_the_output_file_prints() -> None:
    printing = [
        relative(path)
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "print"
    ]
    assert set(printing) <= {"cli/byline_cli/output.py"}


@pytest.mark.parametrize("name", ["build", "runtime", "test", "lint", "lock"])
def test_requirements_are_pinned_hashed_and_name_no_host(name: str) -> None:
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    assert not re.search(r"://|^\s*-", text.replace("    --hash=", ""), re.MULTILINE)
    pins = re.split(r"\n(?=\S)", text.strip())
    pinned = re.compile(
        r"[a-z0-9-]+==[^ ;]+( \\\n    --hash=sha256:[0-9a-f]{64})+", re.ASCII
    )
    assert [pin for pin in pins if not pinned.fullmatch(pin)] == []


def test_requirements_agree_with_each_other() -> None:
    versions: dict[str, set[str]] = {}
    for path in (ROOT / "requirements").glob("*.txt"):
        for package, version in re.findall(
            r"^([a-z0-9-]+)==(\S+)", path.read_text(), re.MULTILINE
        ):
            versions.setdefault(package, set()).add(version)
    assert {p: v for p, v in versions.items() if len(v) > 1} == {}


def test_vector_generators_import_nothing_of_ours() -> None:
    ours = {"byline_ledger", "byline_node", "byline_cli", "msgpack", "nacl", "plyvel"}
    generators = sorted((ROOT / "tests" / "vectors").glob("*.py"))
    assert generators
    used = {relative(path): imported_names(path) & ours for path in generators}
    assert {path: names for path, names in used.items() if names} == {}


def test_links_between_documents_lead_somewhere() -> None:
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    broken = []
    for document in [*documents, *(ROOT / "deploy").rglob("*.md")]:
        targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", document.read_text())
        broken += [
            f"{relative(document)}: {target}"
            for target in targets
            if "://" not in target and not (document.parent / target).exists()
        ]
    assert broken == []


def test_the_map_of_the_house_names_files_that_exist() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    named = set(re.findall(r"`(?:[\w/]+/)?(\w+\.py)`", text))
    assert named
    tests = (ROOT / "tests").rglob("*.py")
    assert named - {path.name for path in [*SOURCES, *tests]} == set()


@pytest.mark.parametrize("room", ["ledger/byline_ledger", "node/byline_node"])
def test_the_map_of_the_house_has_each_module_once(room: str) -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    table = text.partition(f"| | `{room}/` |")[2].partition("\n\n")[0]
    named = re.findall(r"`(\w+\.py)`", table)
    modules = {path.name for path in (ROOT / room).glob("*.py")}
    assert sorted(named) == sorted(modules - {"__init__.py", "errors.py"})


def test_the_coverage_gate_names_every_module_of_the_pure_core() -> None:
    """A new module is put there on purpose, with tests that take all its branches."""
    gate = ConfigParser()
    gate.read(ROOT / "tests" / "pure_core.ini")
    named = gate["report"]["include"].split()
    core = (ROOT / "ledger" / "byline_ledger").glob("*.py")
    assert named == sorted(relative(path) for path in core)
