"""Cases of log_tombstone.json and log_restored.json: what stands beside a log."""

from __future__ import annotations

from typing import Any

from log_cases import ORIGIN, Case, bad, ok
from naive_bundle import pack

LATEST = 2**63 - 1
TIME = 1_790_000_000_123


def tombstone_vectors() -> dict[str, list[Case]]:
    """`data` is a tombstone; where it is one, with its reason and time."""

    def good(name: str, reason: str, time: int) -> Case:
        data = pack({"reason": reason, "time": time})
        return ok(name, data=data.hex(), reason=reason, time=time)

    def wrong(name: str, value: Any) -> Case:
        return bad(name, data=pack(value).hex())

    court = "court order of 2026-03-01"
    data = pack({"reason": court, "time": TIME})
    by_hand = b"\x82" + pack("time") + pack(1) + pack("reason") + pack("x")
    return {
        "tombstones": [
            good("an operator's", court, TIME),
            good("a lost body's", "not recovered", TIME),
            good("the shortest reason, the first time", "x", 0),
            good("the longest reason, the last time", "x" * 200, LATEST),
            good("200 characters of four bytes", "\U0001f4f7" * 200, 1),
            good("characters that are newer than some readers", "\U0001fae8", 1),
            good("a character made of three", "\U0001f468\u200d\U0001f3a8", 1),
            bad("nothing", data=""),
            bad("a byte more", data=(data + b"\x00").hex()),
            bad("a byte less", data=data[:-1].hex()),
            bad("keys in another order", data=by_hand.hex()),
            wrong("no reason", {"time": TIME}),
            wrong("no time", {"reason": court}),
            wrong("a third field", {"reason": court, "time": TIME, "who": "me"}),
            wrong("an empty reason", {"reason": "", "time": TIME}),
            wrong("a reason of 201 characters", {"reason": "x" * 201, "time": TIME}),
            wrong("two lines", {"reason": "two\nlines", "time": TIME}),
            wrong("a control character", {"reason": "bell\x07", "time": TIME}),
            wrong("a turn of direction", {"reason": "a\u202eb", "time": TIME}),
            wrong("the end of a line in Unicode", {"reason": "a\u2028b", "time": TIME}),
            wrong("a control of the second row", {"reason": "a\x9bb", "time": TIME}),
            wrong("a reason in bytes", {"reason": b"x", "time": TIME}),
            wrong("a time in text", {"reason": court, "time": "1"}),
            wrong("a time beyond 2^63 - 1", {"reason": court, "time": LATEST + 1}),
            wrong("a truth for a time", {"reason": court, "time": True}),
            wrong("an array", [court, TIME]),
        ]
    }


def restored_vectors() -> dict[str, list[Case]]:
    """`text` is the file `restored`; where it is one, with what it says."""

    def file(*lines: str) -> str:
        return "".join(f"{line}\n" for line in lines)

    magic, size, time = "byline-restored/1", "302", "1790000000"
    whole = file(magic, ORIGIN, size, time)

    def good(name: str, size: int, time: int) -> Case:
        text = file(magic, ORIGIN, str(size), str(time))
        return ok(name, text=text, origin=ORIGIN, size=size, time=time)

    def wrong(name: str, text: str) -> Case:
        return bad(name, "corrupt-store", text=text)

    mark = "byline-unconfirmed/1"

    def unconfirmed(name: str, why: str) -> Case:
        text = file(mark, ORIGIN, size, time, why)
        fields = {"size": 302, "time": 1_790_000_000, "reason": why}
        return ok(name, text=text, origin=ORIGIN, **fields)

    return {
        "restored": [
            good("a backup", 302, 1_790_000_000),
            good("of an empty log, long ago", 0, 0),
            good("the last second of the year 9999", 10**18, 253_402_300_799),
            wrong("nothing", ""),
            wrong("cut off", whole[:-1]),
            wrong("a line more", whole + "x\n"),
            wrong("a line less", file(magic, ORIGIN, size)),
            wrong("another version", file("byline-restored/2", ORIGIN, size, time)),
            wrong("a leading zero", file(magic, ORIGIN, "0302", time)),
            wrong("a sign", file(magic, ORIGIN, "+302", time)),
            wrong("an underscore", file(magic, ORIGIN, "3_02", time)),
            wrong("digits of another script", file(magic, ORIGIN, "\u0663", time)),
            wrong("a carriage return", whole.replace("\n", "\r\n")),
            wrong("no origin", file(magic, "", size, time)),
            wrong("a time beyond the year 9999", file(magic, ORIGIN, size, "9" * 12)),
            unconfirmed("a guard that was of no use", "its guard file was missing"),
            unconfirmed("the shortest reason", "x"),
            unconfirmed("the longest reason", "~" * 200),
            wrong("a reason in a backup", file(magic, ORIGIN, size, time, "x")),
            wrong("no line of a reason", file(mark, ORIGIN, size, time)),
            wrong("an empty reason", file(mark, ORIGIN, size, time, "")),
            wrong(
                "a reason of 201 characters", file(mark, ORIGIN, size, time, 201 * "x")
            ),
            wrong("a reason with a bell", file(mark, ORIGIN, size, time, "x\x07")),
            wrong(
                "a reason of another script", file(mark, ORIGIN, size, time, "\u0663")
            ),
            wrong("two reasons", file(mark, ORIGIN, size, time, "x", "y")),
            wrong("a mark of no time", file(mark, ORIGIN, size, "x")),
        ]
    }
