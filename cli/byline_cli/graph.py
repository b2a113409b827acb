"""`byline graph`: draw from what a work was made, and what was made of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from byline_cli import output
from byline_cli.alarms import require_no_alarm
from byline_cli.files import require_new, write_new_file
from byline_cli.graph_text import to_dot, to_json, to_svg
from byline_cli.naming import parse_keys
from byline_cli.options import (
    Depth,
    Json,
    NoPolicy,
    PolicyFile,
    TrustKeys,
    examples,
    make_app,
)
from byline_cli.policy import chosen_policy
from byline_cli.query import ask_node, check
from byline_cli.render import Reader
from byline_cli.signing import key_names
from byline_cli.targets import parse_target
from byline_ledger.bundle import Bundle
from byline_ledger.chain import MAX_DEPTH
from byline_ledger.errors import NotFoundError, UsageError, VerificationError
from byline_ledger.lineage import Lineage, lineage_of
from byline_ledger.vocabulary import check_word

app = make_app()

FORMATS = ("svg", "dot", "json")
OTHERS = (".png", ".jpg", ".jpeg", ".webp", ".pdf")
"""Pictures that are not drawn here."""
DRAWN = 120
"""Works in a picture: more is no picture."""
DRAWN_EDGES = 600


@app.command(epilog=examples("byline graph poster.png --out poster.svg"))
def graph(
    what: Annotated[str, typer.Argument(metavar="PATH|HASH", hidden=True)],
    form: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="FORM",
            help=f"{', '.join(FORMATS)}; usually what FILE ends with, else svg.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Write into FILE.", dir_okay=False),
    ] = None,
    depth: Depth = MAX_DEPTH,
    policy: PolicyFile = None,
    no_policy: NoPolicy = False,
    trusted: TrustKeys = None,
    as_json: Json = False,
) -> None:
    """Draw from what a work was made, back to the origins, and what was made of it.

    Of the checked answer: what is drawn is what people claim. A picture holds the 120
    nearest works; json has all that the answer has. Ends with code 3, and writes
    nothing, if nobody said anything about the work.
    """
    form = check_word("--format", form or form_of(out), FORMATS)
    if out is not None:
        require_ending(out, form)
        require_new(out)
    rules, _where = chosen_policy(policy, no_policy)
    target = parse_target(what)
    keys = parse_keys(trusted)
    bundle = ask_node(target, depth, keys)
    require_no_alarm(Bundle.from_bytes(bundle).log, unsaved=False)
    verdict = check(bundle, target, rules, depth, None, keys=keys)
    if not verdict.ok or verdict.answer is None:
        raise VerificationError(
            "the answer does not hold, so nothing is drawn",
            hint="see what is wrong with: byline query",
        )
    reader = Reader(target.path.name if target.path else None, key_names())
    bounds = {} if form == "json" else {"most": DRAWN, "most_edges": DRAWN_EDGES}
    lineage = lineage_of(verdict.answer, **bounds)
    if not verdict.answer.known and not lineage.edges:
        raise NotFoundError(
            f"nobody said anything about {target.name} here: there is no chain to draw",
            hint="say from what it was made with: byline attest FILE --from SOURCE",
        )
    text = drawn(lineage, reader, form)
    if out is not None:
        write_new_file(out, text.encode())
    value = to_json(lineage) | {"format": form, "out": str(out) if out else None}
    rows = [f"Wrote {output.safe(str(out))}."] if out else text.splitlines()
    output.result(as_json, value, rows)


def form_of(out: Path | None) -> str:
    """What the name of the file asks for; otherwise a picture."""
    ending = out.suffix.lower()[1:] if out is not None else ""
    return ending if ending in FORMATS else FORMATS[0]


def require_ending(out: Path, form: str) -> None:
    """Nobody gets a file that does not hold what its name says."""
    ending = out.suffix.lower()
    if ending in {*OTHERS, *(f".{one}" for one in FORMATS)} - {f".{form}"}:
        known = ending[1:] in FORMATS
        raise UsageError(
            f"{out}: what is written is {form}, not {ending[1:]}",
            hint=f"say --format {ending[1:]}" if known else f"name it .{form}",
        )


def drawn(lineage: Lineage, reader: Reader, form: str) -> str:
    """The chain in the form asked for."""
    if form == "json":
        return json.dumps(to_json(lineage), indent=2, ensure_ascii=True) + "\n"
    if form == "dot":
        return to_dot(lineage, reader)
    from byline_cli.graph_layout import layered

    return to_svg(lineage, reader, layered)
