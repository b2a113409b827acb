"""What `import byline_ledger` offers and what it costs."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import byline_ledger


def modules_after(code: str) -> set[str]:
    """The modules that a fresh Python has loaded after running the code."""
    shown = f"{code}\nimport sys; print(*sys.modules)"
    ran = subprocess.run(
        [sys.executable, "-c", shown], capture_output=True, text=True, check=True
    )
    return set(ran.stdout.split())


@pytest.mark.parametrize("name", byline_ledger.__all__)
def test_name_can_be_imported(name: str) -> None:
    """Every public name is there, and comes from the ledger."""
    value = getattr(byline_ledger, name)
    assert getattr(value, "__module__", "byline_ledger").startswith(
        ("byline_ledger", "builtins")
    )


def test_type_checkers_see_the_same_names() -> None:
    """The imports for type checkers are those that __getattr__ makes."""
    tree = ast.parse(Path(byline_ledger.__file__).read_text())
    seen = {
        (str(node.module), alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("byline")
        for alias in node.names
    }
    made = {
        (f"byline_ledger.{module}", name)
        for module, names in byline_ledger._MODULES.items()
        for name in names
    }
    assert seen == made
    assert {name for _, name in seen} == set(byline_ledger.__all__)


def test_names_are_listed() -> None:
    """Completion in a shell shows what there is before anything is loaded."""
    assert set(byline_ledger.__all__) <= set(dir(byline_ledger))


def test_unknown_name() -> None:
    """A name that is not there is an AttributeError, as for any module."""
    with pytest.raises(AttributeError, match="Ledgre"):
        byline_ledger.Ledgre  # type: ignore[attr-defined]  # noqa: B018


def test_importing_loads_nothing() -> None:
    """Neither the crypto library nor the database nor any module of ours."""
    loaded = modules_after("import byline_ledger")
    assert not loaded & {"nacl", "msgpack", "plyvel", "packaging"}
    ours = {name for name in loaded if name.startswith("byline_ledger")}
    assert ours == {"byline_ledger"}


def test_statements_and_verification_load_no_database() -> None:
    """Only `Ledger` needs LevelDB; nothing here needs a network or a terminal."""
    loaded = modules_after(
        "from byline_ledger import Statement, sign_statement, verify_bundle, KeyStore"
    )
    assert not loaded & {"plyvel", "libp2p", "trio", "httpx", "typer", "rich"}
