"""node.toml, its overrides, and the home folder."""

from __future__ import annotations

import errno
import json
import os
import re
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from byline_ledger.admission_policy import OPEN, AdmissionPolicy
from byline_ledger.buckets import Rate
from byline_ledger.errors import StoreError
from byline_node.config import (
    DEFAULT_API,
    DEFAULT_LISTEN,
    NOT_IN_FILE,
    NodeConfig,
    check_types,
)
from byline_node.errors import ConfigError
from byline_node.home import Home, RunningNode, find_home

PEER = "/ip4/192.0.2.7/tcp/4737/p2p/12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc"
ADMISSION = AdmissionPolicy(
    authors="listed",
    listed=frozenset({bytes(range(32))}),
    denied_digests=frozenset({b"x" * 32}),
    work_bits=12,
    author=Rate(100, 200),
)


def write_config(home: Path, text: str) -> None:
    (home / "node").mkdir(parents=True)
    (home / "node" / "node.toml").write_text(text, encoding="utf-8")


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    """A node without node.toml listens on loopback only."""
    config = NodeConfig.load(tmp_path)
    assert config.listen == ("/ip4/127.0.0.1/tcp/4737",)
    assert config.api_address == ("127.0.0.1", 8737)
    assert config.peers == ()
    assert (config.discover, config.dht, config.mdns) == (False, False, False)
    assert config.admission == OPEN


def test_every_setting_is_documented() -> None:
    """In docs/node-toml.md, with its default, and nothing else is there."""
    page = Path(__file__).parents[2] / "docs" / "node-toml.md"
    rows = re.findall(r"^\| `\[?(\w+)\]?` \|.*\|$", page.read_text(), re.MULTILINE)
    settings = [one.name for one in fields(NodeConfig)]
    assert rows == [name for name in settings if name not in NOT_IN_FILE]
    for default in (DEFAULT_API, DEFAULT_LISTEN):
        assert f'"{default}"' in page.read_text()


def test_the_example_of_the_page_of_settings_is_read() -> None:
    page = (Path(__file__).parents[2] / "docs" / "node-toml.md").read_text()
    (example,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    assert set(check_types(tomllib.loads(example))) == {
        *("listen", "peers", "witnesses", "admission")
    }


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    """to_toml and load are inverses."""
    (tmp_path / "node").mkdir()
    config = NodeConfig(
        tmp_path,
        listen=("/ip4/0.0.0.0/tcp/1", "/ip6/::/tcp/2"),
        api="[::1]:0",
        api_hosts=("archive.example",),
        peers=(PEER,),
        bootstrap=(PEER,),
        discover=True,
        dht=True,
        mdns=True,
        announce=("/ip4/93.184.216.34/tcp/4737",),
        admission=ADMISSION,
    )
    config.write()
    assert NodeConfig.load(tmp_path) == config


def test_overrides_beat_the_file_and_none_does_not_count(tmp_path: Path) -> None:
    """Options of the caller come before node.toml; options not given do not."""
    write_config(tmp_path, 'api = "127.0.0.1:1"\n')
    config = NodeConfig.load(tmp_path, api=None, peers=[PEER])
    assert config.api == "127.0.0.1:1"
    assert config.peers == (PEER,)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("listen = [", "not TOML"),
        ("listen = 3", "list of texts"),
        ("listen = [3]", "list of texts"),
        ('listen = ["/ip4/127.0.0.1/udp/1"]', "/ip4/127.0.0.1/udp/1"),
        ('listen = ["/ip4/127.0.0.1/tcp/65536"]', "65536"),
        ('api = "127.0.0.1"', "127.0.0.1:8737"),
        ('api = "127.0.0.1:70000"', "70000"),
        ("api = 8737", "8737"),
        ('peers = ["/ip4/127.0.0.1/tcp/1"]', "PEER-ID"),
        ('bootstrap = ["/ip4/127.0.0.1/tcp/1"]', "PEER-ID"),
        ("discover = 1", "true or false"),
        ('discover = "yes"', "true or false"),
        ("dht = true", "discover = true"),
        ("mdns = true", "discover = true"),
        ('announce = ["/ip4/0.0.0.0/tcp/1"]', "announce: /ip4/0.0.0.0"),
        ('announce = ["/dns4/a.example/tcp/1"]', "announce: expected an address"),
        ("\udcff", "not TOML"),
        ("admission = 3", "expected a table"),
        ('[admission]\nauthors = "mine"', "[admission] authors: expected anyone"),
        ("[admission]\nauthor_rate = 0", "1 to 1000000000"),
    ],
)
def test_a_bad_setting_is_named(tmp_path: Path, text: str, named: str) -> None:
    """Each is one line, with what was expected or what came."""
    (tmp_path / "node").mkdir()
    data = text.encode("utf-8", "surrogateescape")
    (tmp_path / "node" / "node.toml").write_bytes(data)
    with pytest.raises(ConfigError) as caught:
        NodeConfig.load(tmp_path)
    assert named in str(caught.value)
    assert str(tmp_path / "node" / "node.toml") in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 78


def test_a_bad_option_is_not_blamed_on_the_file(tmp_path: Path) -> None:
    """Nor is a bad setting that an option stands in for."""
    write_config(tmp_path, 'api = "nonsense"')
    assert NodeConfig.load(tmp_path, api="127.0.0.1:0").api == "127.0.0.1:0"
    with pytest.raises(ConfigError, match=r"^api: expected an address"):
        NodeConfig.load(tmp_path, api="127.0.0.1")


def test_an_unknown_setting_suggests_the_nearest(tmp_path: Path) -> None:
    """A misspelt name is an error, not silence."""
    write_config(tmp_path, 'lisen = ["/ip4/127.0.0.1/tcp/1"]')
    with pytest.raises(ConfigError, match="lisen") as caught:
        NodeConfig.load(tmp_path)
    assert caught.value.hint == "did you mean listen?"


def test_an_unknown_setting_of_admission_too(tmp_path: Path) -> None:
    write_config(tmp_path, "[admission]\nwork_bit = 20\n")
    with pytest.raises(ConfigError, match=r"work_bit\b") as caught:
        NodeConfig.load(tmp_path)
    assert caught.value.hint == "did you mean work_bits?"


def test_home_is_what_the_environment_says() -> None:
    """BYLINE_HOME wins; without it the platform's data folder."""
    assert find_home({"BYLINE_HOME": "/x/y"}) == Home(Path("/x/y"))
    assert find_home({}).folder.name == "byline"


def test_a_run_file_names_a_living_node_only(tmp_path: Path) -> None:
    """The file of a dead process, a broken one and none at all mean: not running."""
    path = tmp_path / "run.json"
    assert RunningNode.read(path) is None
    node = RunningNode("http://127.0.0.1:1", os.getpid(), "byline.internal/00")
    node.write(path)
    assert RunningNode.read(path) == node
    path.write_text(json.dumps({"api": "x", "pid": 2**22 + 1, "origin": "y"}))
    assert RunningNode.read(path) is None
    for broken in (
        '{"api": "x"}',
        "[]",
        "{",
        '{"api":1,"pid":null,"origin":2}',
        '{"api":"x","pid":Infinity,"origin":"y"}',
        "[" * 4000,
    ):
        path.write_text(broken)
        assert RunningNode.read(path) is None


def test_a_run_file_that_may_not_be_read_is_no_missing_node(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_path: Path, _mode: str) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(StoreError, match=r"cannot read .*run\.json: Perm"):
        RunningNode.read(tmp_path / "run.json")
