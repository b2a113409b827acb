"""A program that generates, and says so: every output attested with its model and the
degree of human oversight, by a key that may do nothing else and only for a while.

Start a node (`byline node run`), then:

    python docs/tutorial/generating.py http://127.0.0.1:8737 some-folder

A test runs this file as it is, against a node of its own.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from byline_ledger import (
    Model,
    SigningKey,
    UsageError,
    delegate_fields,
    did_key,
    digest_bytes,
    random_bytes,
    sign_statement,
)
from byline_node import Attester, Client


def now() -> int:
    """Unix milliseconds."""
    return time.time_ns() // 1_000_000


if len(sys.argv) != 3:
    sys.exit(f"expected two arguments: {sys.argv[0]} NODE-URL FOLDER")
url, folder = sys.argv[1], Path(sys.argv[2])

# The studio answers for what its program makes.  Its own key stays at home; the program
# gets one that may sign works, for a day, a hundred of them, and speak on no other use.
studio = SigningKey.from_seed(random_bytes(32))
program = SigningKey.from_seed(random_bytes(32))
delegation = sign_statement(
    delegate_fields(
        key=program.public,
        types=["work"],
        until=now() + 24 * 3_600_000,
        uses=["ai_generative_training"],
        count=100,
        time=now(),
        salt=random_bytes(16),
    ),
    studio,
)
print("studio  ", did_key(studio.public))
print("program ", did_key(program.public))

with Client(url) as node:
    node.publish([delegation])

    # On a command line the same is `byline key delegate KEY --until 1d --count 100`.
    with Attester(
        node,
        program,
        delegation=delegation.id,
        model=Model("painter", "example.org/models/painter-2"),
        oversight="prompt_guided",
        uses={"ai_generative_training": "notAllowed"},
        first_number=1,
    ) as attester:

        @attester.attests
        def paint(name: str, prompt: str) -> Path:
            """Stands for the model: writes a file, returns its path."""
            path = folder / f"{name}.svg"
            path.write_text(f"<svg><title>{prompt}</title></svg>\n")
            return path

        paint("dawn", "a harbour at dawn")
        paint("dusk", "a harbour at dusk")
        attester.data(b"a caption", media_type="text/plain")
        print("next run begins with number", attester.next_number)

    print("attested", len(attester.receipts))

    # Anybody who meets the picture learns what it is, and who answers for it.
    answer = node.query(digest_bytes((folder / "dawn.svg").read_bytes()))
    claim = answer.works[0].claims[0]
    print(claim.made, claim.fields["model"], claim.fields["oversight"])
    print("signed by the program:", claim.author == program.public)
    print("for the studio:", claim.fields["for"] == studio.public)

    # What the delegation does not cover is refused here, before anything is signed.
    try:
        Attester(
            node,
            program,
            delegation=delegation.id,
            model=Model("painter"),
            oversight="prompt_guided",
            uses={"data_mining": "allowed"},
            first_number=4,
        )
    except UsageError as error:
        print("refused:", error)
