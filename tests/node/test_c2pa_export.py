"""Files with Content Credentials, read with c2pa-python itself, with no network."""

from __future__ import annotations

import base64
import dataclasses
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import pytest
from tests.support.credentials import (
    HUMAN,
    NOW,
    assertion,
    exported,
    picture,
    proof,
    proof_about,
    read_elsewhere,
)
from tests.support.signed import key, signed, withdraw

from byline_ledger.checkpoint import open_checkpoint
from byline_ledger.content import read_work
from byline_ledger.did import did_key
from byline_ledger.digest import digest_bytes
from byline_ledger.entry import statement_entry
from byline_ledger.errors import (
    CorruptStoreError,
    MalformedError,
    NotFoundError,
    UsageError,
    VerificationError,
)
from byline_ledger.merkle import leaf_hash, verify_inclusion
from byline_ledger.statement import sign_statement
from byline_ledger.verify import verify_bundle
from byline_node import c2pa_engine
from byline_node.c2pa_certificates import anchor_certificate, chain_for, subject_of
from byline_node.c2pa_export import own_statement, repackaged
from byline_node.c2pa_manifest import ATTESTATION, read_attestation

YEAR = 365 * 24 * 3600 * 1000
CODE = "ISCC:EAD2RASIYU5IKLENP2OFI4CHZGRWYQCSW2WKX3Y6FJGOCXSYNYGLGBI"
DATA_CODE = "ISCC:GADQLNA7GRZESMRF2J7NZPNWGI3II2ST5YUN5SS6GVQ2ZQGJXPPYDNI"


@pytest.mark.parametrize(
    ("kind", "media_type"),
    [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/webp")],
)
def test_a_file_that_we_wrote_is_valid_and_trusted_with_our_anchor(
    tmp_path: Path, kind: str, media_type: str
) -> None:
    data, made = exported(tmp_path, picture(kind), media_type)
    anchor = anchor_certificate(tmp_path, NOW)
    assert read_elsewhere(data, media_type)[0] == "Valid"
    state, manifest = read_elsewhere(data, media_type, anchor=anchor)
    assert state == "Trusted"
    assert manifest["signature_info"]["common_name"] == did_key(key().public)
    assert made.digest == digest_bytes(data)
    assert made.size == len(data)


def test_the_manifest_says_what_the_statement_says(tmp_path: Path) -> None:
    data, _ = exported(
        tmp_path,
        picture(),
        "image/jpeg",
        title="Dawn",
        license="CC-BY-4.0",
        uses={
            "cawg.ai_training": {"use": "constrained", "constraint-info": "ask"},
            "cawg.data_mining": {"use": "allowed"},
        },
        fingerprints={"iscc": [CODE]},
    )
    _, manifest = read_elsewhere(data, "image/jpeg")
    actions = assertion(manifest, "c2pa.actions.v2")
    assert actions["data"]["actions"] == [
        {"action": "c2pa.created", "digitalSourceType": HUMAN}
    ]
    created = [one["label"] for one in manifest["assertions"] if one.get("created")]
    assert created == ["c2pa.actions.v2"]
    assert assertion(manifest, "cawg.training-mining")["data"]["entries"] == {
        "cawg.ai_training": {"use": "constrained", "constraint_info": "ask"},
        "cawg.data_mining": {"use": "allowed"},
    }
    metadata = assertion(manifest, "cawg.metadata")["data"]
    assert metadata["dc:title"] == manifest["title"] == "Dawn"
    assert metadata["dc:rights"] == "CC-BY-4.0"
    page = "https://spdx.org/licenses/CC-BY-4.0.html"
    assert metadata["xmpRights:WebStatement"] == page
    assert metadata["dc:creator"] == [did_key(key().public)]
    binding = assertion(manifest, "c2pa.soft-binding")["data"]
    assert binding["alg"] == "io.iscc.v0"
    value = base64.b64decode(binding["blocks"][0]["value"])
    assert "ISCC:" + base64.b32encode(value).decode().rstrip("=") == CODE
    assert "thumbnail" not in manifest


def test_the_proof_comes_back_out_and_verifies_offline(tmp_path: Path) -> None:
    original = picture()
    data, _ = exported(tmp_path, original, "image/jpeg")
    _, manifest = read_elsewhere(data, "image/jpeg")
    found = read_attestation(assertion(manifest, ATTESTATION)["data"])
    found.statement.verify()
    verdict = verify_bundle(found.bundle, digest=digest_bytes(original))
    assert verdict.ok
    assert verdict.answer is not None
    claim = verdict.answer.works[0].claims[0]
    assert (claim.id, claim.index) == (found.statement.id, found.index)


def test_a_proof_that_is_too_large_leaves_the_place_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("byline_node.c2pa_export.MAX_EMBEDDED", 100)
    data, _ = exported(tmp_path, picture(), "image/jpeg")
    _, manifest = read_elsewhere(data, "image/jpeg")
    found = read_attestation(assertion(manifest, ATTESTATION)["data"])
    assert not found.bundle
    assert found.inclusion
    tree = open_checkpoint(found.checkpoint, found.log)
    leaf = leaf_hash(statement_entry(found.statement))
    verify_inclusion(leaf, found.index, tree.size, found.inclusion, tree.root)


def test_one_changed_byte_is_found(tmp_path: Path) -> None:
    data, _ = exported(tmp_path, picture(), "image/jpeg")
    changed = data[:-8] + bytes([data[-8] ^ 1]) + data[-7:]
    assert read_elsewhere(changed, "image/jpeg")[0] == "Invalid"
    report = c2pa_engine.read(BytesIO(changed), "image/jpeg")
    assert report is not None
    assert "assertion.dataHash.mismatch" in report.failures


def test_a_sidecar_for_any_bytes(tmp_path: Path) -> None:
    text = b"a poem\n"
    data, made = exported(tmp_path, text, "text/plain", embed=False)
    assert data == text
    assert made.digest == digest_bytes(text)
    state, _ = read_elsewhere(text, "text/plain", made.manifest)
    assert state == "Valid"
    state, _ = read_elsewhere(b"a poet\n", "text/plain", made.manifest)
    assert state == "Invalid"


@pytest.mark.parametrize(
    "media_type", ["application/pdf", "image/svg+xml", "image/jpeg", "audio/mpeg"]
)
def test_a_sidecar_speaks_of_the_bytes_as_they_are(
    tmp_path: Path, media_type: str
) -> None:
    """Also where the engine would put a manifest into a file of that type."""
    works = {"application/pdf": PDF, "image/svg+xml": SVG, "image/jpeg": picture()}
    data = works.get(media_type, b"no sound")
    _, made = exported(tmp_path, data, media_type, embed=False)
    for read_as in (media_type, "application/octet-stream"):
        assert read_elsewhere(data, read_as, made.manifest)[0] == "Valid"


PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    b"2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\nxref\n0 3\n"
    b"0000000000 65535 f \n0000000009 00000 n \n0000000053 00000 n \n"
    b"trailer<</Size 3/Root 1 0 R>>\nstartxref\n96\n%%EOF\n"
)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"></svg>'


@pytest.mark.parametrize(
    ("kind", "media_type"), [("GIF", "image/gif"), ("TIFF", "image/tiff"), ("", "svg")]
)
def test_the_store_that_was_written_is_read_back_byte_for_byte(
    tmp_path: Path, kind: str, media_type: str
) -> None:
    data = picture(kind) if kind else SVG
    media_type = media_type if kind else "image/svg+xml"
    written, made = exported(tmp_path, data, media_type)
    report = c2pa_engine.read(BytesIO(written), media_type)
    assert report is not None
    assert (report.state, report.manifest) == ("Valid", made.manifest)


def test_a_manifest_that_was_there_becomes_the_parent(tmp_path: Path) -> None:
    once, _ = exported(tmp_path, picture(), "image/jpeg")
    twice, _ = exported(
        tmp_path,
        once,
        "image/jpeg",
        sources=[{"digest": digest_bytes(b"x"), "relationship": "parentOf"}],
    )
    state, manifest = read_elsewhere(twice, "image/jpeg")
    assert state == "Valid"
    (action,) = assertion(manifest, "c2pa.actions.v2")["data"]["actions"]
    assert action["action"] == "c2pa.opened"
    related = {one["relationship"]: one for one in manifest["ingredients"]}
    assert related["parentOf"]["active_manifest"].startswith("urn:c2pa:")
    assert related["componentOf"]["instance_id"] == f"sha256:{sha256_hex(b'x')}"


def sha256_hex(data: bytes) -> str:
    return digest_bytes(data)[2:].hex()


def test_sources_become_ingredients_with_one_parent(tmp_path: Path) -> None:
    sources = [
        {"digest": digest_bytes(b"a"), "relationship": "parentOf"},
        {"digest": digest_bytes(b"b"), "relationship": "parentOf"},
        {"digest": digest_bytes(b"c"), "relationship": "inputTo"},
    ]
    data, _ = exported(tmp_path, picture(), "image/jpeg", sources=sources)
    state, manifest = read_elsewhere(data, "image/jpeg")
    assert state == "Valid"
    assert [one["relationship"] for one in manifest["ingredients"]] == [
        "parentOf",
        "componentOf",
        "inputTo",
    ]


def test_pillow_loses_a_manifest_without_a_word(tmp_path: Path) -> None:
    from PIL import Image

    data, _ = exported(tmp_path, picture(), "image/jpeg")
    out = BytesIO()
    Image.open(BytesIO(data)).save(out, "JPEG")
    assert c2pa_engine.read(BytesIO(out.getvalue()), "image/jpeg") is None
    assert not c2pa_engine.has_manifest(BytesIO(out.getvalue()), "image/jpeg")


def test_what_cannot_be_written_is_refused_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="text/plain") as caught:
        exported(tmp_path, b"a poem", "text/plain")
    assert "--sidecar" in str(caught.value.hint)
    with pytest.raises(UsageError, match="image/jpeg"):
        exported(tmp_path, b"no picture at all", "image/jpeg")
    with pytest.raises(UsageError, match="how the work was made"):
        exported(tmp_path, picture(), "image/jpeg", **{"source-type": "odd"})


def test_only_a_claim_of_the_key_that_stands_is_exported() -> None:
    data = picture()
    work = digest_bytes(data)
    claim = signed(work, **{"source-type": HUMAN})
    with pytest.raises(NotFoundError, match="says nothing"):
        own_statement(proof(work, [claim]), work, key(2).public)
    with pytest.raises(VerificationError, match="does not hold"):
        own_statement(proof(work, [claim]), digest_bytes(b"other"), key().public)
    gone = [claim, withdraw(claim)]
    with pytest.raises(NotFoundError, match="says nothing"):
        own_statement(proof(work, gone), work, key().public)
    again = signed(work, title="again", **{"source-type": HUMAN})
    found = own_statement(proof(work, [*gone, again]), work, key().public)
    assert found.statement == again


def test_the_new_bytes_are_the_same_work_repackaged(tmp_path: Path) -> None:
    original = picture()
    data, made = exported(tmp_path, original, "image/jpeg")
    before = signed(
        digest_bytes(original),
        title="Dawn",
        size=len(original),
        also=[b"\x16\x20" + bytes(32)],
        fingerprints={"iscc": [CODE, DATA_CODE], "windows": bytes(8)},
        **{"source-type": HUMAN, "media-type": "image/jpeg"},
    )
    fields = repackaged(before, made, time=NOW, salt=bytes(16))
    after = sign_statement(fields, key())
    content = read_work(after)
    assert content.problems == ()
    assert (content.title, content.source_type) == ("Dawn", HUMAN)
    assert after.about == digest_bytes(data)
    assert content.size == len(data)
    (source,) = after.sources
    assert (source.digest, source.relationship) == (before.about, "parentOf")
    assert source.fields["action"] == "c2pa.repackaged"
    assert after.also == ()
    assert after.fields["fingerprints"] == {"iscc": [CODE], "windows": bytes(8)}


# Certificates


def test_one_anchor_for_all_keys_of_a_home(tmp_path: Path) -> None:
    anchor = anchor_certificate(tmp_path, NOW)
    chains = [chain_for(tmp_path, key(n).public, NOW) for n in (1, 2, 1)]
    assert chains[0] == chains[2] != chains[1]
    assert all(one.endswith(anchor) for one in chains)
    assert (tmp_path / "anchor.key").stat().st_mode & 0o777 == 0o600
    leaf = subject_of(der_of(chains[0]))
    assert leaf.author == key().public
    assert did_key(key().public) in leaf.name
    assert subject_of(der_of(anchor)).author not in (None, key().public)


def der_of(pem: str) -> bytes:
    body = pem.split("-----")[2]
    return base64.b64decode(body)


def test_certificates_are_renewed_in_their_last_year(tmp_path: Path) -> None:
    first = chain_for(tmp_path, key().public, NOW)
    assert chain_for(tmp_path, key().public, NOW + 8 * YEAR) == first
    later = chain_for(tmp_path, key().public, NOW + 10 * YEAR)
    anchor = anchor_certificate(tmp_path, NOW)
    assert later != first
    assert later.endswith(anchor)
    end = chain_for(tmp_path, key().public, NOW + 20 * YEAR)
    assert not end.endswith(anchor)


def test_an_anchor_half_written_is_made_again(tmp_path: Path) -> None:
    first = anchor_certificate(tmp_path, NOW)
    other = tmp_path / "other"
    anchor_certificate(other, NOW)
    (tmp_path / "anchor.key").write_bytes((other / "anchor.key").read_bytes())
    assert anchor_certificate(tmp_path, NOW) != first


@pytest.mark.parametrize("name", ["anchor.pem", "anchor.key"])
def test_files_that_somebody_changed_are_named(tmp_path: Path, name: str) -> None:
    anchor_certificate(tmp_path, NOW)
    (tmp_path / name).write_bytes(b"not this")
    with pytest.raises(CorruptStoreError, match=r"anchor\.pem"):
        anchor_certificate(tmp_path, NOW)


@pytest.mark.parametrize("data", [b"", b"0", bytes(70_000)])
def test_what_is_no_certificate_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedError):
        subject_of(data)


# org.byline.attestation of strangers


def test_an_attestation_parses_or_is_malformed() -> None:
    from byline_node.c2pa_manifest import attestation

    data = picture()
    whole = own_statement(proof_about(data), digest_bytes(data), key().public)
    place = dataclasses.replace(
        whole, bundle=b"", inclusion=(bytes(32),), checkpoint=b"note"
    )
    for good in (attestation(whole), attestation(place)):
        assert attestation(read_attestation(good)) == good
        for name in good:
            for bad in (None, 7, -1, 2**64, "x", "AA", "AB==", [], ["AAAA"], [1]):
                if name == "index" and bad == 7:
                    continue
                if name == "log" and isinstance(bad, str):
                    continue
                try:
                    tried = read_attestation({**good, name: bad})
                except MalformedError:
                    continue
                assert attestation(tried) == {**good, name: bad}
    with pytest.raises(MalformedError):
        read_attestation("text")


def test_nothing_needs_a_network(tmp_path: Path) -> None:
    """The same, where the machine has no network at all."""
    code = (
        "from io import BytesIO\n"
        "from pathlib import Path\n"
        "from tests.support.credentials import *\n"
        "from byline_node.c2pa_certificates import anchor_certificate\n"
        "from byline_node.c2pa_relay import look\n"
        f"home = Path({str(tmp_path)!r})\n"
        "data, made = exported(home, picture(), 'image/jpeg')\n"
        "anchor = anchor_certificate(home, NOW)\n"
        "print(read_elsewhere(data, 'image/jpeg')[0])\n"
        "print(read_elsewhere(data, 'image/jpeg', anchor=anchor)[0])\n"
        "seen = look(BytesIO(data), 'image/jpeg', made.digest)\n"
        "print(seen.carried.fault, len(seen.carried.attested.bundle) > 1000)\n"
    )
    probe = subprocess.run(["unshare", "-rn", "true"], capture_output=True, check=False)
    if probe.returncode:
        pytest.skip("this machine gives no network namespaces")
    done = subprocess.run(
        ["unshare", "-rn", sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout == "Valid\nTrusted\nNone True\n"


def test_without_the_extra_people_are_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    c2pa_engine.engine.cache_clear()
    monkeypatch.setitem(sys.modules, "c2pa", None)
    with pytest.raises(UsageError, match="an extra that is not installed") as caught:
        c2pa_engine.engine()
    assert "byline-ledger[c2pa]" in str(caught.value.hint)
