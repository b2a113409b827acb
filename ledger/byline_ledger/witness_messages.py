"""What nodes say to each other as witnesses, byte for byte.

Rule: each message is one canonical MessagePack map with exactly the keys of its kind;
any other bytes are a MalformedError.  Specification: docs/spec/witness.md, "Between
nodes".

    {"add": bin, "vkey": str}    {"body": bin, "status": uint}
    {"latest": str}              {"note": bin}                    empty if none
    {"vkeys": true}              {"replay": str, "witness": str}
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from byline_ledger import codec
from byline_ledger.errors import MalformedError
from byline_ledger.witness import MAX_BODY

PROTOCOL = "/byline/witness/1"
MAX_REQUEST = 70_000
MAX_RESPONSE = 70_000
MAX_NAME = 1_024
"""Characters of an origin or a verifier key."""
MAX_STATUS = 599


@dataclass(frozen=True, slots=True)
class AskAdd:
    """Cosign this checkpoint (a body of add-checkpoint) of the log `vkey`."""

    body: bytes
    vkey: str

    def to_bytes(self) -> bytes:
        """The request."""
        return codec.pack({"add": self.body, "vkey": self.vkey})


@dataclass(frozen=True, slots=True)
class AskLatest:
    """The largest checkpoint of the log `vkey` that you cosigned."""

    vkey: str

    def to_bytes(self) -> bytes:
        """The request."""
        return codec.pack({"latest": self.vkey})


@dataclass(frozen=True, slots=True)
class AskVkeys:
    """Your cosigning keys."""

    def to_bytes(self) -> bytes:
        """The request."""
        return codec.pack({"vkeys": True})


WitnessRequest: TypeAlias = AskAdd | AskLatest | AskVkeys


def parse_witness_request(data: bytes) -> WitnessRequest:
    """Strict, else MalformedError."""
    fields = _map(data, MAX_REQUEST)
    match tuple(fields):
        case ("add", "vkey"):
            return AskAdd(_bytes(fields["add"]), _text(fields["vkey"]))
        case ("latest",):
            return AskLatest(_text(fields["latest"]))
        case ("vkeys",) if fields["vkeys"] is True:
            return AskVkeys()
    raise MalformedError("expected a request to a witness of a known kind")


def added(status: int, body: bytes) -> bytes:
    """The response to AskAdd."""
    return codec.pack({"body": body, "status": status})


def parse_added(data: bytes) -> tuple[int, bytes]:
    """Status and body of a response to AskAdd, else MalformedError."""
    fields = _map(data, MAX_RESPONSE)
    if tuple(fields) != ("body", "status"):
        raise MalformedError("expected a body and a status from a witness")
    status = fields["status"]
    if type(status) is not int or not 100 <= status <= MAX_STATUS:
        raise MalformedError("expected a status of 100 to 599 from a witness")
    return status, _bytes(fields["body"])


def latest(note: bytes | None) -> bytes:
    """The response to AskLatest."""
    return codec.pack({"note": note or b""})


def parse_latest(data: bytes) -> bytes | None:
    """The note in a response to AskLatest, None if there is none, else
    MalformedError."""
    fields = _map(data, MAX_RESPONSE)
    if tuple(fields) != ("note",):
        raise MalformedError("expected a note from a witness")
    return _bytes(fields["note"]) or None


def vkeys(witness: str, replay: str) -> bytes:
    """The response to AskVkeys."""
    return codec.pack({"replay": replay, "witness": witness})


def parse_vkeys(data: bytes) -> tuple[str, str]:
    """Witness and replay key of a response to AskVkeys, else MalformedError."""
    fields = _map(data, MAX_RESPONSE)
    if tuple(fields) != ("replay", "witness"):
        raise MalformedError("expected two verifier keys from a witness")
    return _text(fields["witness"]), _text(fields["replay"])


def _map(data: bytes, most: int) -> dict[str, Any]:
    value: Any = codec.unpack(data, max_size=most, max_depth=1, what="witness message")
    if not isinstance(value, dict):
        raise MalformedError("witness message: expected a map")
    return value


def _bytes(value: object) -> bytes:
    if type(value) is not bytes or len(value) > MAX_BODY:
        raise MalformedError(f"witness message: expected up to {MAX_BODY} bytes")
    return value


def _text(value: object) -> str:
    if type(value) is not str or len(value) > MAX_NAME:
        raise MalformedError(f"witness message: expected a text of up to {MAX_NAME}")
    return value
