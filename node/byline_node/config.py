"""How a node is set up: `node.toml` in the node folder, and what the caller overrides.

    listen = ["/ip4/127.0.0.1/tcp/4737"]     where other nodes reach this one (libp2p)
    network_key_file = "swarm.key"           only nodes with the same key may connect
    api = "127.0.0.1:8737"                   where people and scripts do (HTTP)
    api_hosts = ["archive.example"]          names the API answers to, beside loopback
    peers = ["/ip4/192.0.2.7/tcp/4737/p2p/12D3Koo..."]
    bootstrap = ["/ip4/..."]                 dialled only while few are connected
    discover = true                          find others through peers, and be found
    dht = true                               and through a DHT of Byline nodes
    mdns = true                              and on the local network
    announce = ["/ip4/93.184.216.34/tcp/4737"]   where others are told to reach it
    witnesses = ["<vkey> https://witness.example"]      C2SP witnesses to be asked
    witness_logs = ["<vkey>"]                logs of others that this node cosigns
    manifests = true                         keep C2PA manifests that are left with it
    [admission]                              what it takes in (docs/spec/admission.md)

All are optional.  A port of 0 takes any free one.  Addresses are checked here by form
alone, so that reading a configuration does not load libp2p.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Self, TypeAlias

from byline_ledger.admission_policy import OPEN, AdmissionPolicy
from byline_ledger.errors import MalformedError, UnsupportedError, UsageError
from byline_ledger.note import COSIGNATURE, ED25519, Verifier
from byline_ledger.peer_address import PeerAddress
from byline_node.errors import ConfigError
from byline_node.home import Home, shelf_of

DEFAULT_LISTEN = "/ip4/127.0.0.1/tcp/4737"
DEFAULT_API = "127.0.0.1:8737"
MAX_CONFIG_FILE = 256 * 1024
SWITCHES = ("discover", "dht", "mdns", "manifests")
TEXTS = {"api": DEFAULT_API, "network_key_file": "swarm.key"}
NOT_IN_FILE = ("home", "trust_disk")
ADMISSION = "admission"
"""The one setting that is a table."""

LISTEN_FORM = re.compile(r"/(ip4|ip6)/[0-9A-Za-z.:%]+/tcp/([0-9]{1,5})(?:/ws)?")
PEER_FORM = re.compile(
    r"/(?:ip4|ip6|dns|dns4|dns6)/[0-9A-Za-z.:%_-]+/tcp/([0-9]{1,5})(?:/ws)?"
    r"/p2p/[1-9A-Za-z]+"
)
API_FORM = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z._-]+):([0-9]{1,5})")


@dataclass(frozen=True, slots=True)
class NodeConfig:
    """One node's settings; every field is valid once the object exists."""

    home: Path
    listen: tuple[str, ...] = (DEFAULT_LISTEN,)
    network_key_file: str = ""
    api: str = DEFAULT_API
    api_hosts: tuple[str, ...] = ()
    peers: tuple[str, ...] = ()
    bootstrap: tuple[str, ...] = ()
    discover: bool = False
    dht: bool = False
    mdns: bool = False
    announce: tuple[str, ...] = ()
    """Where peers are told to reach it; empty for all it listens on."""
    witnesses: tuple[str, ...] = ()
    witness_logs: tuple[str, ...] = ()
    manifests: bool = False
    """Whether C2PA manifests are kept for those who find a work without one."""
    admission: AdmissionPolicy = OPEN
    trust_disk: bool = False
    """For one run, never in the file: the operator answers for this disk holding the
    newest tree that was ever signed (docs/spec/witness.md)."""

    def __post_init__(self) -> None:
        for address in self.listen:
            check_form("listen", address, LISTEN_FORM, DEFAULT_LISTEN)
        for address in self.peers:
            check_form("peers", address, PEER_FORM, DEFAULT_LISTEN + "/p2p/PEER-ID")
        for address in self.bootstrap:
            check_form("bootstrap", address, PEER_FORM, DEFAULT_LISTEN + "/p2p/PEER-ID")
        if (self.dht or self.mdns) and not self.discover:
            raise ConfigError("dht and mdns: expected discover = true beside them")
        for address in self.announce:
            check_announced(address)
        check_form("api", self.api, API_FORM, DEFAULT_API)
        for line in self.witnesses:
            parse_witness(line)
        for vkey in self.witness_logs:
            check_log_key(vkey)

    @classmethod
    def load(cls, home: Path, *, trust_disk: bool = False, **overrides: object) -> Self:
        """Reads node.toml, if there is one; overrides that are None count as absent."""
        path = Home(home).config_file
        given = {k: v for k, v in overrides.items() if v is not None}
        said = {k: v for k, v in read_settings(path).items() if k not in given}
        with naming(path):
            checked: dict[str, Any] = check_types(said)
            found = cls(home, trust_disk=trust_disk, **checked)
        options: dict[str, Any] = check_types(given)
        return replace(found, **options)

    @property
    def folder(self) -> Path:
        """The node folder."""
        return Home(self.home).node

    @property
    def shelf(self) -> Path | None:
        """Where manifests are kept; None if none are."""
        return shelf_of(self.folder) if self.manifests else None

    @property
    def network_key_path(self) -> Path | None:
        """Where the key of a private network is; None for the open network."""
        if not self.network_key_file:
            return None
        return self.folder / Path(self.network_key_file).expanduser()

    @property
    def api_address(self) -> tuple[str, int]:
        """Host (IPv6 without brackets) and port."""
        host, _, port = self.api.rpartition(":")
        return host.strip("[]"), int(port)

    def to_toml(self) -> str:
        """The text of node.toml.  A JSON string or list of strings is TOML as well."""
        lines = ["# Settings of this node; every line may be left out."]
        names = [one.name for one in fields(self)]
        plain = [one for one in names if one not in (*NOT_IN_FILE, ADMISSION)]
        lines += [to_line(name, getattr(self, name)) for name in plain]
        if not self.admission.is_open:
            lines += ["", f"[{ADMISSION}]"]
            said = self.admission.to_settings()
            lines += [to_line(name, value) for name, value in said.items()]
        return "\n".join(lines) + "\n"

    def write(self) -> Path:
        """Writes node.toml into the node folder, which must exist."""
        path = Home(self.home).config_file
        draft = path.with_suffix(".tmp")
        draft.write_text(self.to_toml(), encoding="utf-8")
        draft.replace(path)
        return path


def to_line(name: str, value: object) -> str:
    return f"{name} = {json.dumps(value, ensure_ascii=False)}"


def check_form(name: str, value: str, form: re.Pattern[str], example: str) -> None:
    """Raises ConfigError unless the value has the form and its port is a port."""
    match = form.fullmatch(value)
    if match is None or int(match[match.lastindex or 0]) > 65535:
        raise ConfigError(f"{name}: expected an address like {example}, got {value!r}")


def check_announced(address: str) -> None:
    """Raises ConfigError unless this can be in a peer record."""
    try:
        PeerAddress.parse(address)
    except MalformedError as error:
        raise ConfigError(f"announce: {error}") from None


def parse_witness(line: str) -> tuple[str, str]:
    """Verifier key and URL of a setting `<vkey> <url>`.  Raises ConfigError."""
    vkey, blank, url = line.partition(" ")
    verifier = parse_key("witnesses", vkey)
    if verifier.type != COSIGNATURE:
        raise ConfigError(f"witnesses: {verifier.name} is not a cosigning key")
    if not blank or not url.startswith(("http://", "https://")) or " " in url:
        raise ConfigError(
            f"witnesses: expected `<vkey> <http or https URL>`, got {line[:200]!r}"
        )
    return vkey, url


def check_log_key(vkey: str) -> None:
    """Raises ConfigError unless this is the key of a log."""
    verifier = parse_key("witness_logs", vkey)
    if verifier.type != ED25519:
        raise ConfigError(f"witness_logs: {verifier.name} is not the key of a log")


def parse_key(name: str, vkey: str) -> Verifier:
    """A verifier key in a setting.  Raises ConfigError."""
    try:
        return Verifier.from_text(vkey)
    except (MalformedError, UnsupportedError) as error:
        raise ConfigError(f"{name}: {error}") from None


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """A ConfigError of what is in the file names it."""
    try:
        yield
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}", hint=error.hint) from None


def read_settings(path: Path) -> dict[str, object]:
    """The file as a dictionary; nothing if the file is not there."""
    try:
        with path.open("rb") as file:
            text = file.read(MAX_CONFIG_FILE + 1)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from None
    return parse_settings(text, path)


def parse_settings(text: bytes, path: Path) -> dict[str, object]:
    """What a settings file says; `path` is only for the text of a ConfigError."""
    if len(text) > MAX_CONFIG_FILE:
        raise ConfigError(f"{path} is larger than {MAX_CONFIG_FILE} bytes")
    try:
        return tomllib.loads(text.decode("utf-8"))
    except ValueError as error:
        raise ConfigError(f"{path} is not TOML: {error}") from None


Setting: TypeAlias = str | bool | tuple[str, ...] | AdmissionPolicy


def check_types(settings: Mapping[str, object]) -> dict[str, Setting]:
    """Names and types as NodeConfig has them; lists become tuples."""
    known = [f.name for f in fields(NodeConfig) if f.name not in NOT_IN_FILE]
    checked: dict[str, Setting] = {}
    for name, value in settings.items():
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"
            raise ConfigError(f"no setting is called {name!r}", hint=hint)
        checked[name] = check_type(name, value)
    return checked


def check_type(name: str, value: object) -> Setting:
    if name == ADMISSION:
        return check_admission(value)
    if name in SWITCHES:
        if isinstance(value, bool):
            return value
        raise ConfigError(f"{name}: expected true or false, got {value!r}")
    if name in TEXTS:
        if isinstance(value, str):
            return value
        raise ConfigError(f"{name}: expected a text like {TEXTS[name]}, got {value!r}")
    if isinstance(value, list | tuple) and all(isinstance(v, str) for v in value):
        return tuple(value)
    raise ConfigError(f"{name}: expected a list of texts, got {value!r}")


def check_admission(value: object) -> AdmissionPolicy:
    """The table [admission].  Raises ConfigError."""
    if isinstance(value, AdmissionPolicy):
        return value
    if not isinstance(value, Mapping):
        raise ConfigError(f"{ADMISSION}: expected a table, got {str(value)[:80]!r}")
    try:
        return AdmissionPolicy.from_settings(value)
    except UsageError as error:
        raise ConfigError(f"[{ADMISSION}] {error}", hint=error.hint) from None
