"""Real files, real proofs and c2pa-python itself, for tests of Content Credentials."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import c2pa
from PIL import Image
from tests.support.signed import key, signed

from byline_ledger.bundle import build_bundle
from byline_ledger.digest import digest_bytes
from byline_ledger.log import Ledger
from byline_ledger.statement import Statement
from byline_node.c2pa_export import Exported, export, own_statement, signer_of

NOW = time.time_ns() // 1_000_000
"""The engine goes by the clock: certificates must be valid now."""
HUMAN = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"


def picture(kind: str = "JPEG", shade: int = 3) -> bytes:
    """A small picture."""
    out = BytesIO()
    Image.new("RGB", (48, 32), (shade, 90, 200)).save(out, kind)
    return out.getvalue()


def proof_about(data: bytes, **fields: Any) -> bytes:
    """A log in which key 1 claims these bytes, and the proof about them."""
    about = digest_bytes(data)
    return proof(about, [signed(about, **{"source-type": HUMAN, **fields})])


def proof(about: bytes, statements: Sequence[Statement]) -> bytes:
    """The proof about a work (34 bytes) from a log that holds these statements."""
    with TemporaryDirectory() as folder:
        ledger = Ledger.init(Path(folder) / "node")
        ledger.append(statements)
        bundle = build_bundle(ledger.view, about)
        ledger.close()
        return bundle


def exported(
    folder: Path, data: bytes, media_type: str, *, embed: bool = True, **fields: Any
) -> tuple[bytes, Exported]:
    """The bytes that were written, and what is said of them."""
    bundle = proof_about(data, **fields)
    attested = own_statement(bundle, digest_bytes(data), key().public)
    into = BytesIO() if embed else None
    signer = signer_of(key(), folder, NOW)
    made = export(BytesIO(data), media_type, attested, signer, into)
    return (into.getvalue() if into else data), made


def read_elsewhere(
    data: bytes, media_type: str, manifest: bytes | None = None, anchor: str = ""
) -> tuple[str, dict[str, Any]]:
    """State and active manifest, as c2pa-python's own reader tells them."""
    settings: dict[str, Any] = {"verify": {"remote_manifest_fetch": False}}
    if anchor:
        settings["trust"] = {"trust_anchors": anchor}
        settings["verify"]["verify_trust"] = True
    context = c2pa.Context.from_dict(settings)
    reader = c2pa.Reader(media_type, BytesIO(data), manifest, context=context)
    store = json.loads(reader.json())
    return store["validation_state"], store["manifests"][store["active_manifest"]]


def assertion(manifest: dict[str, Any], label: str) -> dict[str, Any]:
    """One assertion of a manifest as its reader shows it."""
    found = [one for one in manifest["assertions"] if one["label"] == label]
    assert len(found) == 1, label
    return dict(found[0])
