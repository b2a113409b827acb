"""How nodes tell each other of alarms and checkpoints, byte for byte.

Rule: as in follow, each message is one canonical MessagePack map with exactly the keys
of its kind; any other bytes are a MalformedError.  Specification: docs/spec/network.md,
"Alarms" and "Checkpoints".

    {"ask": "alarms"}                  {"ids": bin}       SHA-256 of each, joined
    {"ask": "alarm", "id": bin}        {"alarm": bin}     empty if it is not there
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from byline_ledger import codec
from byline_ledger.errors import MalformedError

PROTOCOL = "/byline/alarms/1"
ALARM_TOPIC = "byline/alarms/1"
CHECKPOINT_TOPIC = "byline/checkpoints/1"
MAX_REQUEST = 128
MAX_SHARED = 4 << 20
"""Bytes of the largest alarm that nodes pass on."""
MAX_RESPONSE = MAX_SHARED + 64
MAX_IDS = 1_024
ID_BYTES = 32


@dataclass(frozen=True, slots=True)
class AskAlarms:
    """Which alarms are there?"""

    def to_bytes(self) -> bytes:
        """The request."""
        return codec.pack({"ask": "alarms"})


@dataclass(frozen=True, slots=True)
class AskAlarm:
    """The alarm whose bytes have this SHA-256."""

    id: bytes

    def to_bytes(self) -> bytes:
        """The request."""
        return codec.pack({"ask": "alarm", "id": self.id})


AlarmRequest: TypeAlias = AskAlarms | AskAlarm


def parse_alarm_request(data: bytes) -> AlarmRequest:
    """Strict, else MalformedError."""
    fields = _map(data, MAX_REQUEST)
    if tuple(fields) == ("ask",) and fields["ask"] == "alarms":
        return AskAlarms()
    if tuple(fields) == ("ask", "id") and fields["ask"] == "alarm":
        id_ = fields["id"]
        if type(id_) is bytes and len(id_) == ID_BYTES:
            return AskAlarm(id_)
    raise MalformedError("expected a request for alarms, or for one by its id")


def alarm_ids_answer(ids: list[bytes]) -> bytes:
    """The answer to AskAlarms: the first MAX_IDS of them."""
    return codec.pack({"ids": b"".join(ids[:MAX_IDS])})


def parse_alarm_ids(data: bytes) -> list[bytes]:
    """The ids in an answer to AskAlarms, else MalformedError."""
    fields = _map(data, MAX_IDS * ID_BYTES + 64)
    joined = fields.get("ids")
    if tuple(fields) != ("ids",) or type(joined) is not bytes:
        raise MalformedError("expected the ids of alarms")
    if len(joined) % ID_BYTES:
        raise MalformedError(f"expected ids of 32 bytes each, got {len(joined)} bytes")
    return [joined[at : at + ID_BYTES] for at in range(0, len(joined), ID_BYTES)]


def alarm_answer(alarm: bytes | None) -> bytes:
    """The answer to AskAlarm."""
    return codec.pack({"alarm": alarm or b""})


def parse_alarm_answer(data: bytes) -> bytes:
    """The alarm in an answer to AskAlarm, empty if there is none; else
    MalformedError.  What it proves is not looked at."""
    fields = _map(data, MAX_RESPONSE)
    alarm = fields.get("alarm")
    if tuple(fields) != ("alarm",) or type(alarm) is not bytes:
        raise MalformedError("expected an alarm")
    return alarm


def _map(data: bytes, most: int) -> dict[str, Any]:
    value: Any = codec.unpack(data, max_size=most, max_depth=1, what="alarm message")
    if not isinstance(value, dict):
        raise MalformedError("alarm message: expected a map")
    return value
