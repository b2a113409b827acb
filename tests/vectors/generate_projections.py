"""Writes projections.json, from docs/spec/projections.md alone.

    python tests/vectors/generate_projections.py

Imports nothing of the program.  Every combination of what may be said of the three uses
that projections look at, some with terms, and paths with all kinds of names.
"""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import quote

HERE = Path(__file__).parent
URL, OTHER = "https://terms.example/7", "https://terms.example/8"
WAYS: list[dict[str, str] | None] = [
    None,
    {"use": "allowed"},
    {"use": "notAllowed"},
    {"use": "constrained"},
    {"use": "constrained", "address": URL},
    {"use": "constrained", "text": "ask first", "address": OTHER},
]
RARE: list[dict[str, str] | None] = [
    {"use": "constrained", "text": "ask first"},
    {"use": "constrained", "address": "terms.txt"},
]
NAMES = [["dawn.jpg"], ["a", "b c"], ["é*$?#%", "ü"], ["~x_-.", "Z"]]
VERSIONS = "draft-ietf-aipref-vocab-07 draft-ietf-aipref-attach-05"


def word(said: dict[str, str]) -> str:
    bare = said["use"] == "constrained" and len(said) == 1
    return "notAllowed" if bare else said["use"]


def train_ai(said: dict[str, str] | None) -> str | None:
    if said is None:
        return None
    return "train-ai=y" if word(said) == "allowed" else "train-ai=n"


def tdm(three: list[dict[str, str] | None]) -> dict[str, Any] | None:
    against = [one for one in three if one and word(one) != "allowed"]
    if against:
        result: dict[str, Any] = {"tdm-reservation": 1}
        named = {one.get("address") for one in against}
        all_on_terms = all(word(one) == "constrained" for one in against)
        (one, *more) = named
        if all_on_terms and not more and one and one.startswith("http"):
            result["tdm-policy"] = one
        return result
    return None if None in three else {"tdm-reservation": 0}


def entry(said: dict[str, str]) -> dict[str, str]:
    if word(said) != "constrained":
        return {"use": word(said)}
    parts = [said[name] for name in ("text", "address") if name in said]
    return {"use": "constrained", "constraint_info": " ".join(parts)}


def main() -> None:
    cases = []
    rare = [(one, one, other) for one in RARE for other in [*WAYS, *RARE]]
    for number, three in enumerate([*product(WAYS, repeat=3), *rare]):
        uses = dict(
            zip(
                ("data_mining", "ai_training", "ai_generative_training"),
                three,
                strict=True,
            )
        )
        if number % 5 == 0:
            uses["ai_inference"] = WAYS[number % len(WAYS)]
        said = {f"cawg.{use}": one for use, one in uses.items() if one}
        names = NAMES[number % len(NAMES)]
        path = "".join("/" + quote(name, safe="") for name in names)
        value = train_ai(uses["ai_generative_training"])
        found = tdm(list(three))
        group = f"# byline-projection/1 {VERSIONS}\nUser-Agent: *\n"
        rule = f"Content-Usage: {path}$ {value}\n"
        cases.append(
            {
                "names": names,
                "said": said,
                "path": path,
                "aipref": value,
                "robots": group + rule if value else "",
                "tdmrep": [{"location": path + "$"} | found] if found else [],
                "cawg": {
                    "label": "cawg.training-mining",
                    "data": {
                        "entries": {use: entry(said[use]) for use in sorted(said)}
                    },
                },
            }
        )
    path_ = HERE / "projections.json"
    path_.write_text(
        json.dumps({"version": 1, "cases": cases}, indent=1) + "\n", "ascii"
    )
    print(f"wrote {path_.name}: {len(cases)} cases")


if __name__ == "__main__":
    main()
