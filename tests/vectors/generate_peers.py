"""Writes peers.json, the vectors of docs/spec/network.md, "Discovery", from that alone.

    python tests/vectors/generate_peers.py            write the file
    python tests/vectors/generate_peers.py --check    compare it with what is there

Every case has a `name` and `expect`: "ok", or the kind of error that a reader owes it;
an invalid case differs from a valid one in one thing.  Bytes are in hex, long ones as
pieces of hex and how often each is repeated.
Imports nothing of the program: naive_bundle.py packs and signs by itself.
"""

from __future__ import annotations

import json
import sys
from itertools import groupby
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from naive_bundle import Key, pack

Case = dict[str, Any]

TYPE = b"application/vnd.byline.peer.v1+msgpack"
NOW = 1_790_000_000_000
HOUR = 3_600_000
KEY = Key("peer")
PUBLIC = ["/ip4/93.184.216.34/tcp/4737", "/ip6/2606:2800::1/tcp/443/ws"]
BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

REACHES = {
    "loopback": ("127.0.0.0", "127.255.255.255", "::1"),
    "private": (
        *("10.0.0.0", "10.255.255.255", "100.64.0.0", "100.127.255.255"),
        *("172.16.0.0", "172.31.255.255", "192.168.0.0", "192.168.255.255"),
        *("fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ),
    "public": (
        *("1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0"),
        *("126.255.255.255", "128.0.0.0", "169.253.255.255", "169.255.0.0"),
        *("172.15.255.255", "172.32.0.0", "192.0.1.0", "192.0.3.0", "192.167.255.255"),
        *("192.169.0.0", "198.17.255.255", "198.20.0.0", "203.0.112.255"),
        *("223.255.255.255", "2000::", "2001:200::", "2001:db7:ffff::", "2001:db9::"),
        *("2003::", "3fff:ffff::"),
    ),
    "nowhere": (
        *("0.0.0.0", "0.255.255.255", "169.254.0.0", "169.254.169.254", "192.0.0.0"),
        *("192.0.2.255", "192.88.99.1", "198.18.0.0", "198.19.255.255"),
        *("198.51.100.7", "203.0.113.9", "224.0.0.0", "239.1.2.3", "240.0.0.1"),
        *("255.255.255.255", "::", "::2", "64:ff9b::a00:1", "2001::", "2001:1ff::"),
        *("2001:db8::1", "2002:a00:1::", "4000::", "fe80::1", "fec0::1", "ff02::1"),
    ),
}


def ok(name: str, **fields: Any) -> Case:
    return {"name": name, "expect": "ok", **fields}


def bad(name: str, kind: str = "malformed", **fields: Any) -> Case:
    return {"name": name, "expect": kind, **fields}


def peer_id(public: bytes) -> str:
    number = int.from_bytes(bytes.fromhex("2408011220") + public, "big")
    text = ""
    while number:
        number, symbol = divmod(number, 58)
        text = BASE58[symbol] + text
    return "1" + text


def fields(**changes: Any) -> dict[str, Any]:
    return {
        "addresses": PUBLIC,
        "expires": NOW + 24 * HOUR,
        "key": KEY.public,
        "time": NOW,
    } | changes


def record(body: bytes | dict[str, Any], key: Key = KEY, kind: bytes = TYPE) -> bytes:
    body = body if isinstance(body, bytes) else pack(body)
    signed = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(body), body)
    return pack([body, key.sign(signed)])


def address_cases() -> list[Case]:
    cases = []
    for reach, addresses in REACHES.items():
        for ip in addresses:
            text = f"/ip{6 if ':' in ip else 4}/{ip}/tcp/4737"
            if reach == "nowhere":
                cases.append(bad(f"{ip} is nowhere", address=text))
            else:
                cases.append(ok(f"{ip} is {reach}", address=text, reach=reach))
    good = {
        "port 1": "/ip4/93.184.216.34/tcp/1",
        "port 65535": "/ip4/93.184.216.34/tcp/65535",
        "a WebSocket": "/ip4/93.184.216.34/tcp/80/ws",
    }
    wrong = {
        "nothing": "",
        "a name": "/dns4/localhost/tcp/4737",
        "a name as an address": "/ip4/localhost/tcp/4737",
        "a peer id": "/ip4/93.184.216.34/tcp/4737/p2p/" + "1" * 20,
        "no port": "/ip4/93.184.216.34/tcp",
        "port 0": "/ip4/93.184.216.34/tcp/0",
        "port 65536": "/ip4/93.184.216.34/tcp/65536",
        "port 100000": "/ip4/93.184.216.34/tcp/100000",
        "a leading zero": "/ip4/93.184.216.34/tcp/04737",
        "a port of Arabic digits": "/ip4/93.184.216.34/tcp/\u0664",
        "a superscript port": "/ip4/93.184.216.34/tcp/\u00b2",
        "a signed port": "/ip4/93.184.216.34/tcp/+1",
        "QUIC": "/ip4/93.184.216.34/udp/4737",
        "secure WebSockets": "/ip4/93.184.216.34/tcp/4737/wss",
        "a slash at the end": "/ip4/93.184.216.34/tcp/4737/",
        "no slash at the start": "ip4/93.184.216.34/tcp/4737",
        "something before": "x/ip4/93.184.216.34/tcp/4737",
        "an IPv6 address as IPv4": "/ip4/2606:2800::1/tcp/4737",
        "an IPv4 address as IPv6": "/ip6/93.184.216.34/tcp/4737",
        "another kind": "/ip5/93.184.216.34/tcp/4737",
        "an IPv4 address with a zero": "/ip4/93.184.216.034/tcp/4737",
        "a long spelling": "/ip6/2606:2800:0:0:0:0:0:1/tcp/4737",
        "capitals": "/ip6/2606:2800::A/tcp/4737",
        "a zone": "/ip6/fc00::1%eth0/tcp/4737",
        "IPv4 within IPv6": "/ip6/::ffff:93.184.216.34/tcp/4737",
        "65 characters": "/ip4/93.184.216.34/tcp/4737/" + "w" * 37,
    }
    cases += [ok(name, address=one, reach="public") for name, one in good.items()]
    return cases + [bad(name, address=one) for name, one in wrong.items()]


def record_cases() -> list[Case]:
    """`peer_id`, `addresses`, `time`, `expires` are what a reader finds."""

    def good(name: str, **changes: Any) -> Case:
        said = fields(**changes)
        found = {name: said[name] for name in ("addresses", "expires", "time")}
        who = peer_id(KEY.public)
        return ok(name, bytes=record(said).hex(), peer_id=who, **found)

    def wrong(name: str, **changes: Any) -> Case:
        return bad(name, bytes=record(fields(**changes)).hex())

    eight = [f"/ip4/93.184.216.34/tcp/{port}" for port in range(1, 9)]
    whole = record(fields())
    body, signature = pack(fields()), whole[-64:]
    lacking = {key: value for key, value in fields().items() if key != "time"}
    return [
        good("two addresses"),
        good("eight addresses", addresses=eight),
        good("a private address", addresses=["/ip4/10.1.2.3/tcp/4737"]),
        good("a millisecond", expires=NOW + 1),
        good("the first time", time=0, expires=1),
        good("the last time", time=2**63 - 2, expires=2**63 - 1),
        wrong("no address", addresses=[]),
        wrong("nine addresses", addresses=[*eight, PUBLIC[0]]),
        wrong("an address twice", addresses=[PUBLIC[0]] * 2),
        wrong("a private one among them", addresses=[*PUBLIC, "/ip4/10.1.2.3/tcp/1"]),
        wrong("an address of nowhere", addresses=["/ip4/169.254.169.254/tcp/80"]),
        wrong("an address as bytes", addresses=[PUBLIC[0].encode()]),
        wrong("addresses as text", addresses=PUBLIC[0]),
        wrong("expired when it was signed", expires=NOW),
        wrong("a life of more than a day", expires=NOW + 24 * HOUR + 1),
        wrong("a time of 2^63", time=2**63, expires=2**63 + 1),
        wrong("an end of 2^63", time=2**63 - 1, expires=2**63),
        wrong("a time as text", time="now"),
        wrong("a key of 31 bytes", key=KEY.public[:31]),
        wrong("a key of 33 bytes", key=KEY.public + b"\x00"),
        wrong("a key as text", key="key"),
        wrong("a key too many", peer="me"),
        bad("a key missing", bytes=record(lacking).hex()),
        bad("a body that is no map", bytes=record(pack([1])).hex()),
        bad("an empty body", bytes=record(b"").hex()),
        bad("a body with a byte too many", bytes=record(body + b"\x00").hex()),
        bad("a signature of 63 bytes", bytes=pack([body, signature[:63]]).hex()),
        bad("no signature", bytes=pack([body]).hex()),
        bad("a version before it", bytes=pack([1, body, signature]).hex()),
        bad("a body as text", bytes=pack(["body", signature]).hex()),
        bad("a map", bytes=pack({"body": body}).hex()),
        bad("empty", bytes=""),
        bad("a byte too many", bytes=whole.hex() + "00"),
        bad("1,101 bytes", bytes=pack([b"x" * 1032, signature]).hex()),
        bad(
            "signed with another key",
            "bad-signature",
            bytes=record(fields(), Key("stranger")).hex(),
        ),
        bad(
            "signed as a statement",
            "bad-signature",
            bytes=record(
                fields(), kind=b"application/vnd.byline.statement.v1+msgpack"
            ).hex(),
        ),
        bad(
            "changed after it was signed",
            "bad-signature",
            bytes=pack([pack(fields(expires=NOW + HOUR)), signature]).hex(),
        ),
    ]


def shown(data: bytes) -> str | list[tuple[str, int]]:
    """Hex; of more than 1,000 bytes, with runs of one byte as such."""
    if len(data) <= 1_000:
        return data.hex()
    pieces: list[tuple[str, int]] = []
    for value, run in groupby(data):
        count = len(list(run))
        if count < 64 and pieces and pieces[-1][1] == 1:
            pieces[-1] = pieces[-1][0] + f"{value:02x}" * count, 1
        else:
            pieces.append((f"{value:02x}" * min(count, 63), 1))
            if count >= 64:
                pieces[-1] = f"{value:02x}", count
    return pieces


def message_cases(
    good: dict[str, Any], wrong: dict[str, Any], raw: dict[str, bytes]
) -> list[Case]:
    return [
        *(ok(name, bytes=shown(pack(fields))) for name, fields in good.items()),
        *(bad(name, bytes=shown(pack(fields))) for name, fields in wrong.items()),
        *(bad(name, bytes=data.hex()) for name, data in raw.items()),
    ]


def request_cases() -> list[Case]:
    ask = {"ask": "peers", "own": [record(fields())]}
    good = {
        "who says where it is": ask,
        "who does not": ask | {"own": []},
        "three records": ask | {"own": [b"1", b"2", b"3"]},
        "a record of 1,100 bytes": ask | {"own": [b"x" * 1100]},
    }
    wrong = {
        "something else": ask | {"ask": "everything"},
        "a kind that is no text": ask | {"ask": 1},
        "four records": ask | {"own": [b""] * 4},
        "a record of 1,101 bytes": ask | {"own": [b"x" * 1101]},
        "a record as text": ask | {"own": ["record"]},
        "records as bytes": ask | {"own": b""},
        "a key too many": ask | {"count": 3},
        "nothing of oneself": {"ask": "peers"},
        "4,097 bytes": {"ask": "p" * 4097, "own": []},
    }
    return message_cases(good, wrong, {"no map": pack([1]), "empty": b""})


def answer_cases() -> list[Case]:
    own = record(fields())
    answer = {"own": [own], "peers": [record(fields(key=Key("a").public), Key("a"))]}
    good = {
        "one peer": answer,
        "nobody": {"own": [], "peers": []},
        "32 peers": answer | {"peers": [bytes([n]) for n in range(32)]},
        "all that fits": {"own": [b"x" * 1100] * 3, "peers": [b"x" * 1100] * 32},
    }
    wrong = {
        "33 peers": answer | {"peers": [b""] * 33},
        "four of its own": answer | {"own": [b""] * 4},
        "a peer of 1,101 bytes": answer | {"peers": [b"x" * 1101]},
        "a peer as text": answer | {"peers": ["peer"]},
        "peers as bytes": answer | {"peers": b""},
        "a key too many": answer | {"ask": "peers"},
        "a key missing": {"peers": []},
        "40,001 bytes": {"own": [], "peers": [], "x": b"x" * 40_000},
    }
    whole = pack(answer)
    raw = {"empty": b"", "a byte too many": whole + b"\x00", "cut": whole[:-1]}
    return message_cases(good, wrong, raw)


def judgement_cases() -> list[Case]:
    """A record that came at `now` over a connection of `reach`, from `owner` if any."""
    who = peer_id(KEY.public)
    plain = {"bytes": record(fields()).hex(), "now": NOW, "reach": 2, "owner": None}
    local = record(fields(addresses=["/ip4/127.0.0.1/tcp/1"])).hex()
    lan = record(fields(addresses=["/ip4/10.0.0.1/tcp/1"])).hex()
    forged = record(fields(), Key("stranger")).hex()
    return [
        ok("a public record from the world", **plain),
        ok("its own", **plain | {"owner": who}),
        ok("10 minutes ahead", **plain | {"now": NOW - 600_000}),
        ok("in its last millisecond", **plain | {"now": NOW + 24 * HOUR - 1}),
        ok("a public record on the LAN", **plain | {"reach": 1}),
        ok("a public record on this machine", **plain | {"reach": 0}),
        ok("a private record on the LAN", **plain | {"bytes": lan, "reach": 1}),
        ok("a private record here", **plain | {"bytes": lan, "reach": 0}),
        ok("a loopback record here", **plain | {"bytes": local, "reach": 0}),
        bad("a loopback record on the LAN", **plain | {"bytes": local, "reach": 1}),
        bad("a loopback record from the world", **plain | {"bytes": local}),
        bad("a private record from the world", **plain | {"bytes": lan}),
        bad("another's as its own", **plain | {"owner": peer_id(Key("a").public)}),
        bad("too far ahead", **plain | {"now": NOW - 600_001}),
        bad("expired", **plain | {"now": NOW + 24 * HOUR}),
        bad("forged", "bad-signature", **plain | {"bytes": forged}),
    ]


def vectors() -> dict[str, Any]:
    return {
        "addresses": address_cases(),
        "answers": answer_cases(),
        "judgements": judgement_cases(),
        "records": record_cases(),
        "requests": request_cases(),
    }


def main() -> None:
    path = Path(__file__).with_name("peers.json")
    text = json.dumps(vectors(), indent=1, sort_keys=True) + "\n"
    if "--check" not in sys.argv[1:]:
        path.write_text(text, "ascii")
        print(f"{path.name}: {len(text)} bytes")
    elif path.read_text("ascii") != text:
        sys.exit(f"{path.name} is not what {Path(__file__).name} writes")


if __name__ == "__main__":
    main()
