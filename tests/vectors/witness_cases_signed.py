"""Cases of witness.json that are cosigned, with every byte of the answer."""

from __future__ import annotations

from typing import Any

from naive_bundle import Key, signature_line
from witness_cases import (
    KEYS,
    NOW,
    OTHER,
    OWN,
    RENEWAL,
    SECRET,
    TRUE,
    Case,
    NodeKeys,
    Request,
    case,
    cosigned,
    filled,
)

MAX_BODY = 65_536


def signed(
    name: str,
    request: Request,
    *known: dict[str, Any],
    time: int = NOW,
    keys: NodeKeys = KEYS,
    **further: Any,
) -> Case:
    """Cosigned at `time`, by the replay key too if `replayed`."""
    history = request.history
    text = history.text(request.size)
    lines = keys.line("witness", text, time)
    if further.get("replayed"):
        lines += keys.line("replay", text, time)
    kept = (history.note(request.size) + lines).decode()
    answer = {"body": lines.decode(), "keeps": kept}
    return case(name, 200, request, *known, **answer, **further)


def signed_cases() -> list[Case]:
    return [*grown(), *at_times(), *with_other_lines(), longest_body()]


def grown() -> list[Case]:
    """Each tree extends what was cosigned before."""
    return [
        signed("the first tree", Request(7)),
        signed("a tree of one leaf", Request(1)),
        signed("a tree of no leaves", Request(0)),
        signed("a tree of no leaves again", Request(0), cosigned(TRUE, 0)),
        signed("from no leaves to 7", Request(7), cosigned(TRUE, 0)),
        signed("from 1 to 7", Request(7, 1), cosigned(TRUE, 1)),
        signed("from 7 to 8", Request(8, 7), cosigned(TRUE, 7)),
        signed("from 7 to 12", Request(12, 7), cosigned(TRUE, 7)),
        signed("from 8 to 12", Request(12, 8), cosigned(TRUE, 8)),
        signed("from 4 to 8", Request(8, 4), cosigned(TRUE, 4)),
        signed("the same again", Request(7, 7), cosigned(TRUE, 7)),
        signed(
            "of two logs, each has its own size",
            Request(12, 7),
            cosigned(OTHER, 3),
            cosigned(TRUE, 7),
        ),
        signed(
            "another log's first",
            Request(3, history=OTHER),
            cosigned(TRUE, 7),
            OTHER.known(),
        ),
    ]


def at_times() -> list[Case]:
    """Clocks, the replay key, and keys that were renewed."""
    text, ahead = TRUE.text(7), NOW + 1000
    both = KEYS.line("witness", text, NOW) + KEYS.line("replay", text, NOW)
    renewed = NodeKeys(SECRET, OWN, RENEWAL)
    return [
        signed(
            "the clock went back",
            Request(12, 7),
            cosigned(TRUE, 7, ahead),
            time=ahead,
        ),
        signed(
            "the clock went back, the same again",
            Request(7, 7),
            cosigned(TRUE, 7, ahead),
            time=ahead,
        ),
        signed(
            "another log was cosigned later",
            Request(7),
            cosigned(OTHER, 3, ahead),
            TRUE.known(),
        ),
        signed("the clock shows 0", Request(7), now=0, time=1),
        signed("replayed", Request(7), replayed=True),
        signed(
            "replayed and grown", Request(12, 7), TRUE.known(7, both), replayed=True
        ),
        signed("replayed before and not now", Request(12, 7), TRUE.known(7, both)),
        signed(
            "the key was renewed",
            Request(12, 7),
            cosigned(TRUE, 7, ahead),
            keys=renewed,
            renewal=RENEWAL.hex(),
        ),
        signed(
            "the key was renewed, replayed",
            Request(12, 7),
            TRUE.known(7, both),
            keys=renewed,
            renewal=RENEWAL.hex(),
            replayed=True,
        ),
    ]


def with_other_lines() -> list[Case]:
    """What nobody verified is neither refused nor remembered."""
    text, note = TRUE.text(7), TRUE.note(7)
    stranger = signature_line("stranger.example", Key("stranger"), bytes(64))
    witness = KEYS.key("witness")
    forged = signature_line(f"{OWN}/witness", witness, NOW.to_bytes(8) + bytes(64), 4)
    own = KEYS.line("witness", text, NOW + 1000)
    split = note.index(b"\n\n") + 2
    notes = {
        "a stranger's line": note + stranger,
        "a stranger's line first": note[:split] + stranger + note[split:],
        "a line under the witness's own name and id": note + forged,
        "a line of the witness's own": note + own,
        "the log's key for cosignatures too": note
        + signature_line(TRUE.origin, TRUE.key, bytes(72), 4),
    }
    return [signed(name, Request(7, note=data)) for name, data in notes.items()]


def longest_body() -> Case:
    found = signed("a body of 65,536 bytes", Request(7))
    return found | {"request": filled(Request(7).body, MAX_BODY)}
