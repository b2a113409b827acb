"""Write bundle.json: proof bundles that hold, and bundles with one failure each.

    python tests/vectors/generate_bundle.py             write the file
    python tests/vectors/generate_bundle.py --check     is it what would be written?

All comes from docs/spec/{statement,log,bundle}.md, read by naive_{bundle,prover}.py.
Nothing of the program is imported.  Fixed seeds: the same file each time.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from bundle_cases import ALONE, FEW, SMALL, Case, case
from bundle_cases_gone import (
    bad_dated_cases,
    bad_gone_cases,
    dated_cases,
    gone_cases,
)
from bundle_cases_levels import (
    asked_cases,
    depth_cases,
    inclusion_cases,
    log_cases,
    signature_cases,
    trust_cases,
    witness_cases,
)
from bundle_cases_malformed import malformed_cases, malformed_opening_cases
from bundle_cases_set import commitment_cases, dropped_cases, lying_cases, opening_cases
from bundle_kinds import SIEGE, bad_kind_cases, good_case, kind_cases
from bundle_logs import (
    WITNESS_TIME,
    WITNESSES,
    Fields,
    cosigned,
    crowd_log,
    flood_log,
    main_log,
    new_log,
    policy,
    sources_log,
    work_of,
)
from naive_bundle import Key, cosignature, digest_of, trie_hash
from naive_prover import View, encode

TARGET = Path(__file__).with_name("bundle.json")


def valid_cases() -> Iterator[Case]:
    main, flood = main_log(), flood_log()
    for depth, why in (
        (4, "two levels of sources, and the chain ends by itself"),
        (1, "sources deeper than the reader asked for are a gap"),
    ):
        yield good(f"chain to depth {depth}", why, main, work_of("page"), depth)
    for name, why in MAIN_WORKS.items():
        yield good(name, why, main, work_of(name))
    page = next(s for s in main.log.said.values() if s.fields.get("title") == "Harbour")
    yield good("a statement", "what is said about a statement", main, page.name)
    key = digest_of(Key("torn").public)
    yield good("a key", "what is said about a key", main, key)
    for name, why in FLOOD_WORKS.items():
        yield good(name, why, flood, work_of(name))
    why = "288 statements: a page of them and the proven count"
    yield good("crowded", why, crowd_log(), work_of("crowded"))
    why = "300 sources, 255 of which are followed"
    yield good("collage", why, sources_log(), work_of("collage"))
    yield good("alone", "the lookup set is one leaf", FEW, ALONE)
    why = "nothing is known: the one leaf shows it"
    yield good("absent in one leaf", why, FEW, work_of("never attested"))
    why = 'the bundle for "work" that the invalid ones below spoil'
    yield good("small", why, SMALL.view, SMALL.asked)
    why = "the same, exactly as deep as its chain"
    yield good("small to depth 1", why, SMALL.view, SMALL.asked, 1)
    why = "no source is followed, and the reader did not ask for any"
    yield good("small to depth 0", why, SMALL.view, SMALL.asked, 0)
    empty = new_log("empty").publish([])
    why = "a fresh log, size 1, whose lookup set is empty"
    yield good("absent in an empty log", why, empty, work_of("never attested"))
    yield from witnessed_cases(FEW)
    for name, why, view, asked in gone_cases():
        yield good(name, why, view, asked)
    yield from dated_cases(headline)
    for name, why, view, digests, keys in kind_cases():
        fields, answer = view.shared(digests, 4, keys)
        yield good_case(name, why, fields, headline(view, fields, answer), digests)
    view, asked = SIEGE.view, [work_of("claimed first")]
    fields, answer = view.shared(asked, 4, first=[])
    why = "nothing shows that a prover left out who came first"
    name = "kinds: claimed first, and not told"
    yield good_case(name, why, fields, headline(view, fields, answer), asked)


MAIN_WORKS = {
    "never attested": "nothing is known: provably",
    "photo": "one claim, nothing else",
    "handed on": "withdrawn by the author's successor",
    "forged rotation": "a stranger's rotate and withdraw change nothing",
    "contested": "two successors: neither acts, the claim stands",
    "circular": "two keys name each other; both act",
    "unnamed": "a successor of 31 bytes is none",
    "nine successors": "the ninth successor is beyond the cap: unknown",
    "eight successors": "the eighth successor may act",
    "own source": "a work that is its own source",
    "hen": "two works made from each other",
    "made from a statement": "a statement can be a source too",
}

FLOOD_WORKS = {
    "withdrawn": "the author's withdrawal is found behind a flood of remarks",
    "standing": "a flood of remarks, and provably no withdrawal",
    "drowned by its author": "more statements by the author than are shown: unknown",
    "by a key with a long history": "rotations may lie beyond the page: unknown",
}


def good(
    name: str,
    why: str,
    view: View,
    asked: bytes,
    depth: int = 4,
    *,
    checkpoint: bytes | None = None,
    **ask: Any,
) -> Case:
    """A case that holds; `depth` is what the prover and the reader go to."""
    fields, answer = view.bundle(asked, depth)
    if checkpoint is not None:
        fields["checkpoint"] = checkpoint
    answer = headline(view, fields, answer)
    ask = {"digest": asked.hex(), "depth": depth, **ask}
    return case(name, why, encode(fields), {"level": "ok", "answer": answer}, ask)


def headline(view: View, fields: Fields, answer: Fields) -> Fields:
    """The answer with what is said of the log."""
    log = {
        "origin": view.log.origin,
        "root": view.text.split(b"\n")[2].decode(),
        "set_root": trie_hash(view.top).hex(),
        "size": len(view.entries),
        "strings": view.count,
    }
    return {**answer, "log": log, "statements": len(fields["statements"])}


def witnessed_cases(view: View) -> Iterator[Case]:
    asked = ALONE
    both = cosigned(view, "one two")
    ask: Fields = {"policy": policy(view), "now": (WITNESS_TIME + 60) * 1000}
    why = "both trusted witnesses cosigned"
    yield good("cosigned", why, view, asked, checkpoint=both, **ask)
    why = "a line by a witness that the policy does not name is ignored"
    more = both + cosignature(view.text, "elsewhere", WITNESSES["unknown"], 7)
    yield good(
        "cosigned by an unknown witness too", why, view, asked, checkpoint=more, **ask
    )
    ask["policy"] = policy(view, quorum="2", names="one two three")
    why = "two of three trusted witnesses are the quorum"
    yield good("two of three", why, view, asked, checkpoint=both, **ask)
    ask = {"policy": f"log {view.vkey}\nquorum none\n"}
    yield good("no witness asked for", "quorum none", view, asked, **ask)
    ask = {"work": asked.hex()}
    yield good(
        "with the file at hand", "the file's digest is compared", view, asked, **ask
    )


def invalid_cases() -> Iterator[Case]:
    yield from asked_cases()
    yield from signature_cases()
    yield from log_cases()
    yield from dropped_cases()
    yield from opening_cases()
    yield from lying_cases()
    yield from commitment_cases()
    yield from depth_cases()
    yield from inclusion_cases()
    yield from trust_cases()
    yield from witness_cases()
    yield from bad_gone_cases()
    yield from bad_dated_cases()
    yield from bad_kind_cases()
    yield from malformed_cases()
    yield from malformed_opening_cases()


DESCRIPTION = (
    "Proof bundles (docs/spec/bundle.md). `ask` is what the reader knows: digest,"
    " digests and work as multihashes in hex, keys in hex, policy as text, now in"
    " Unix milliseconds, depth the least wanted, max_age in seconds. `expect.level`"
    " is ok, malformed, unsupported, or the first level that fails; `answer` is the"
    " headline of what is proven: lists in log order; left out is what is zero,"
    " empty or null, and works of which nothing is known; a bare number is the index"
    " of an effective claim without remarks; `redacted` are the indexes of what was"
    " taken down; `existed` gives, by index, the Unix second by which the quorum had"
    " cosigned a tree that holds the statement; `words` are what keys say about keys"
    " and commitments, each statement by its index, or where it may have been"
    " withdrawn as [index, indexes of its own word, whether that is all]; `derived`"
    " are indexes of what names the work as a source. Of several works the answer"
    " has all in one chain."
)


def build() -> str:
    """The file's text: one case on a line."""
    cases = [*valid_cases(), *invalid_cases()]
    names = [one["name"] for one in cases]
    assert len(names) == len(set(names)), [n for n in names if names.count(n) > 1]
    head = {
        "description": DESCRIPTION,
        "format": "byline-bundle/3",
    }
    lines = ",\n".join(
        json.dumps(one, sort_keys=True, separators=(",", ":")) for one in cases
    )
    return json.dumps(head, indent=1)[:-2] + ',\n "cases": [\n' + lines + "\n]\n}\n"


def main() -> None:
    text = build()
    if "--check" in sys.argv[1:]:
        if TARGET.read_text() != text:
            sys.exit(f"{TARGET.name} is not what {Path(__file__).name} writes")
        return
    TARGET.write_text(text)
    print(f"{TARGET.name}: {text.count(chr(10)) - 7} cases, {len(text)} bytes")


if __name__ == "__main__":
    main()
