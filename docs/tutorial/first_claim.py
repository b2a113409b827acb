"""Your first claim: sign it, publish it, ask for it, keep the proof, check it offline.

Start a node (`byline node run`), then:

    python docs/tutorial/first_claim.py http://127.0.0.1:8737 some-folder

A test runs this file as it is, against a node of its own.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from byline_ledger import (
    SigningKey,
    Source,
    did_key,
    digest_bytes,
    random_bytes,
    sign_statement,
    verify_bundle,
    withdraw_fields,
    work_fields,
)
from byline_node import Client


def now() -> int:
    """Times are Unix milliseconds, and a claim like everything else."""
    return time.time_ns() // 1_000_000


if len(sys.argv) != 3:
    sys.exit(f"expected two arguments: {sys.argv[0]} NODE-URL FOLDER")
url, folder = sys.argv[1], Path(sys.argv[2])

# A key is 32 random bytes.  `byline key new` keeps one for you, encrypted; a script
# that only needs a key for a moment can make one.
key = SigningKey.from_seed(random_bytes(32))
print("I am", did_key(key.public))

# Two works: a photo, and a crop of it.
photo, crop = b"all the pixels of a photo", b"some pixels of a photo"
(folder / "crop.jpg").write_bytes(crop)

# A statement is about the SHA-256 of the bytes.  The bytes themselves go nowhere.
# `made` is human, assisted or generated; the salt makes every statement unique.
photo_fields = work_fields(
    about=digest_bytes(photo),
    made="human",
    source_type="digitalCapture",
    license="CC-BY-4.0",
    uses={"ai_generative_training": "notAllowed"},
    time=now(),
    salt=random_bytes(16),
)
crop_fields = work_fields(
    about=digest_bytes(crop),
    made="human",
    source_type="humanEdits",
    sources=[Source(digest_bytes(photo), "parentOf", {})],
    time=now(),
    salt=random_bytes(16),
)
about_photo = sign_statement(photo_fields, key)
about_crop = sign_statement(crop_fields, key)

with Client(url) as node:
    # Publish both.  Each receipt proves that the log holds the statement; the client
    # has checked it already.
    for receipt in node.publish([about_photo, about_crop]):
        print("entry", receipt.index, "of", receipt.vkey.split("+")[0])

    # Ask where the crop came from.  The answer was verified before we see it: it is
    # all that this log holds about the crop and, through its sources, the photo.
    answer = node.query(digest_bytes(crop))
    for work in answer.works:
        for claim in work.claims:
            print("level", work.level, claim.made, claim.license, dict(claim.uses))

    # We change our mind about the photo.  Nothing is erased: it is marked as withdrawn.
    sorry = withdraw_fields(
        statement_id=about_photo.id,
        reason="mistaken",
        time=now(),
        salt=random_bytes(16),
    )
    node.publish([sign_statement(sorry, key)])

    # Keep the whole answer, with its proofs, as one file.
    bundle = node.query_bundle(digest_bytes(crop))
    (folder / "crop.jpg.byline").write_bytes(bundle)

# Years later, without any node: does the proof hold for the bytes at hand?
digest = digest_bytes((folder / "crop.jpg").read_bytes())
verdict = verify_bundle(
    (folder / "crop.jpg.byline").read_bytes(), digest=digest, work=digest, now=now()
)
for level in verdict.levels:
    print(f"{level.status:8}{level.name}: {level.detail}")
assert verdict.ok
assert verdict.answer is not None
for work in verdict.answer.works:
    print("level", work.level, "is", work.claims[0].status)

# Another file is not what the proof is about.
assert not verify_bundle(bundle, digest=digest, work=digest_bytes(photo)).ok
print("another file: rejected")
