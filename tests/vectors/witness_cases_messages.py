"""Cases of witness.json: what nodes say to each other as witnesses, and the lines and
sizes that a log reads."""

from __future__ import annotations

from typing import Any

from log_cases import bad, ok, pieces
from naive_bundle import Key, pack, signature_line
from witness_cases import KEYS, TRUE, Case, Request, cosigned

MAX_BODY = 65_536
MAX_NAME = 1_024
NIL, TRUTH = b"\xc0", b"\xc3"


def message_requests() -> list[Case]:
    """`bytes` is a request; a valid one says what it asks."""
    add = {"add": Request(12, 7).body, "vkey": TRUE.vkey}
    latest, vkeys = {"latest": TRUE.vkey}, {"vkeys": True}

    def good(name: str, asked: dict[str, Any]) -> Case:
        shown = {k: v.hex() if isinstance(v, bytes) else v for k, v in asked.items()}
        return ok(name, bytes=pack(asked).hex(), asks=shown)

    longest = {"add": bytes(MAX_BODY), "vkey": TRUE.vkey}
    return [
        good("add", add),
        good("add nothing: that is for the answer to say", {"add": b"", "vkey": ""}),
        good("a key of 1,024 characters", {"add": b"", "vkey": "x" * MAX_NAME}),
        long("a body of 65,536 bytes", longest, "add"),
        good("latest", latest),
        good("a key of 1,024 characters", {"latest": "x" * MAX_NAME}),
        good("a key of four-byte characters", {"latest": "\U0001f4f7" * MAX_NAME}),
        good("vkeys", vkeys),
        *malformed(add, "add"),
        *malformed(latest, "latest"),
        *malformed(vkeys, "vkeys"),
        *(wrong(name, value) for name, value in wrong_requests(add).items()),
        long("a body of 65,537 bytes", {**add, "add": bytes(MAX_BODY + 1)}, "add"),
        bad("keys in another order", bytes=swapped(add).hex()),
        bad("vkeys: nil", bytes=(b"\x81" + pack("vkeys") + NIL).hex()),
    ]


def wrong_requests(add: dict[str, Any]) -> dict[str, Any]:
    return {
        "add without a key": {"add": add["add"]},
        "a key without add": {"vkey": add["vkey"]},
        "add: a text": {**add, "add": add["add"].decode()},
        "add: its key in bytes": {**add, "vkey": add["vkey"].encode()},
        "a key of 1,025 characters": {**add, "vkey": "x" * (MAX_NAME + 1)},
        "latest: a key in bytes": {"latest": TRUE.vkey.encode()},
        "latest: a key of 1,025 characters": {"latest": "x" * (MAX_NAME + 1)},
        "latest: true": {"latest": True},
        "latest: an array": {"latest": [TRUE.vkey]},
        "vkeys: false": {"vkeys": False},
        "vkeys: 1": {"vkeys": 1},
        "two requests in one": {"latest": TRUE.vkey, "vkeys": True},
        "an unknown request": {"oldest": TRUE.origin},
        "nothing asked": {},
        "a text": "vkeys",
        "an array": ["vkeys", True],
        "an array of one": ["vkeys"],
    }


def message_responses() -> list[Case]:
    """`bytes` is a response to the request `to`; a valid one says what."""
    line = KEYS.line("witness", TRUE.text(12), 1)
    added = {"body": line, "status": 200}
    note = cosigned(TRUE, 7)["note"].encode()
    vkeys = {role: KEYS.vkey(role) for role in ("replay", "witness")}

    def good(name: str, to: str, said: dict[str, Any]) -> Case:
        shown = {k: v.hex() if isinstance(v, bytes) else v for k, v in said.items()}
        return ok(name, bytes=pack(said).hex(), to=to, says=shown)

    def all_wrong(to: str, values: dict[str, Any]) -> list[Case]:
        return [wrong(f"{to}: {name}", v) | {"to": to} for name, v in values.items()]

    def also(to: str, cases: list[Case]) -> list[Case]:
        return [one | {"to": to} for one in cases]

    longest = {"body": bytes(MAX_BODY + 1), "status": 200}
    return [
        good("cosigned", "add", added),
        good("a conflict", "add", {"body": b"7\n", "status": 409}),
        good("the least status", "add", {"body": b"", "status": 100}),
        good("the greatest status", "add", {"body": b"", "status": 599}),
        good("a note", "latest", {"note": note}),
        good("no note", "latest", {"note": b""}),
        good("two keys", "vkeys", vkeys),
        *also("add", malformed(added, "add")),
        *also("latest", malformed({"note": note}, "latest")),
        *also("vkeys", malformed(vkeys, "vkeys")),
        *all_wrong("add", wrong_added(added)),
        long("add: a body of 65,537 bytes", longest, "body") | {"to": "add"},
        bad("add: a negative status", bytes=negative().hex(), to="add"),
        *all_wrong("latest", {"a text": {"note": note.decode()}, "a status": added}),
        long("latest: a note of 65,537 bytes", {"note": bytes(MAX_BODY + 1)}, "note")
        | {"to": "latest"},
        *all_wrong("vkeys", wrong_vkeys(vkeys)),
    ]


def wrong_added(added: dict[str, Any]) -> dict[str, Any]:
    return {
        "no status": {"body": b""},
        "no body": {"status": 200},
        "a status of 99": {**added, "status": 99},
        "a status of 600": {**added, "status": 600},
        "a status in text": {**added, "status": "200"},
        "a truth for a status": {**added, "status": True},
        "a body in text": {**added, "body": "line"},
        "an array": [b"", 200],
    }


def wrong_vkeys(vkeys: dict[str, Any]) -> dict[str, Any]:
    return {
        "the witness's alone": {"witness": vkeys["witness"]},
        "the replay witness's alone": {"replay": vkeys["replay"]},
        "one in bytes": {**vkeys, "witness": vkeys["witness"].encode()},
        "one of 1,025 characters": {**vkeys, "replay": "x" * (MAX_NAME + 1)},
        "an array": [vkeys["replay"], vkeys["witness"]],
    }


def negative() -> bytes:
    return b"\x82" + pack("body") + pack(b"") + pack("status") + b"\xff"


def wrong(name: str, value: Any) -> Case:
    return bad(name, bytes=pack(value).hex())


def malformed(value: dict[str, Any], kind: str) -> list[Case]:
    """Ways to spoil the bytes of any map."""
    data = pack(value)
    head, rest = data[:1], data[1:]
    first = sorted(value)[0]
    texts = {
        "nothing": b"",
        "a byte more": data + b"\0",
        "a byte less": data[:-1],
        "a long form of the header": b"\xde\0" + bytes([head[0] & 15]) + rest,
        "a key in its long form": head + b"\xd9" + bytes([len(first)]) + rest[1:],
        "a key in bytes": head + pack(first.encode()) + rest[1 + len(first) :],
        "a further key": bytes([head[0] + 1]) + rest + pack("z") + TRUTH,
        "a key twice": bytes([head[0] + 1]) + pack(first) + pack(value[first]) + rest,
        "the map in an array": b"\x91" + data,
    }
    return [bad(f"{kind}: {name}", bytes=text.hex()) for name, text in texts.items()]


def swapped(value: dict[str, Any]) -> bytes:
    names = sorted(value, reverse=True)
    pairs = b"".join(pack(name) + pack(value[name]) for name in names)
    return bytes([0x80 | len(names)]) + pairs


def long(name: str, value: dict[str, Any], zeros: str) -> Case:
    """Zero bytes are told by their number."""
    data, count = pack(value), len(value[zeros])
    before, after = data.split(bytes(count))
    shown = pieces((before, 1), (b"\0", count), (after, 1))
    if count > MAX_BODY:
        return bad(name, bytes=shown)
    shown_value = {**value, zeros: pieces((b"\0", count))}
    return ok(name, bytes=shown, asks=shown_value)


def line_cases() -> list[Case]:
    """`body` of an answer of 200; a valid one has so many lines.  None is verified."""
    text = TRUE.text(12)
    line = KEYS.line("witness", text, 1)
    key = Key("stranger")
    lines = [signature_line(f"w{n}", key, bytes(72), 4) for n in range(17)]
    texts = {
        "nothing": b"",
        "an empty line": b"\n",
        "an empty line behind": line + b"\n",
        "no last newline": line[:-1],
        "no signature": b"cosigned\n",
        "CR LF": line.replace(b"\n", b"\r\n"),
        "17 lines": b"".join(lines),
        "a note": text + b"\n" + line,
    }
    return [
        ok("one line", body=line.hex(), lines=1),
        ok("two lines", body=(line + KEYS.line("replay", text, 1)).hex(), lines=2),
        ok("16 lines", body=b"".join(lines[:16]).hex(), lines=16),
        *(bad(name, body=data.hex()) for name, data in texts.items()),
    ]


def followed_cases() -> list[Case]:
    """`body` of what a node says of its copy; a valid one with what it says."""
    lines = ["byline-followed/1", "0f" * 16, TRUE.origin, "12", "15", "1790000000"]

    def text(**changed: str) -> bytes:
        names = ("head", "nonce", "origin", "size", "seen", "time")
        shown = dict(zip(names, lines, strict=True)) | changed
        return "".join(f"{line}\n" for line in shown.values()).encode()

    def good(name: str, size: int, seen: int, time: int) -> Case:
        says = {"nonce": lines[1], "origin": TRUE.origin}
        numbers = {"size": size, "seen": seen, "time": time}
        body = text(**{key: str(value) for key, value in numbers.items()})
        return ok(name, body=body.hex(), says=says | numbers)

    texts = {
        "nothing": b"",
        "another version": text(head="byline-followed/2"),
        "no last newline": text()[:-1],
        "a line more": text() + b"x\n",
        "an empty line more": text() + b"\n",
        "a byte behind": text() + b"x",
        "a line less": text().replace(b"15\n", b""),
        "CR LF": text().replace(b"\n", b"\r\n"),
        "a number of 15 bytes": text(nonce="0f" * 15),
        "a number in upper case": text(nonce="0F" * 16),
        "an origin with a blank": text(origin="a b"),
        "an origin in Latin-1": text(origin="\u00e9").replace(b"\xc3\xa9", b"\xe9"),
        "a zero in front": text(size="012"),
        "a sign": text(seen="+15"),
        "a time of 2^63": text(time=str(2**63)),
        "1,025 bytes": text(origin="o" * (1_025 - len(text(origin="")))),
    }
    return [
        good("a copy that is behind what its node saw", 12, 15, 1_790_000_000),
        good("nothing yet", 0, 0, 0),
        good("the largest numbers", 2**63 - 1, 2**63 - 1, 2**63 - 1),
        *(bad(name, body=data.hex()) for name, data in texts.items()),
    ]


def size_cases() -> list[Case]:
    """`body` of an answer of 409."""
    texts = {
        "nothing": b"",
        "no newline": b"17",
        "two newlines": b"7\n\n",
        "a zero in front": b"07\n",
        "a blank": b" 7\n",
        "CR LF": b"7\r\n",
        "2^63": b"%d\n" % 2**63,
        "two sizes": b"7\n8\n",
    }
    return [
        *(ok(f"size {n}", body=(b"%d\n" % n).hex(), size=n) for n in (0, 7, 2**63 - 1)),
        *(bad(name, body=data.hex()) for name, data in texts.items()),
    ]
