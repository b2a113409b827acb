"""Manifests of others, made with c2pa-python and keys of their own: each word is
credited to whoever said it, nonsense is named, proofs of ours are recovered."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any

import c2pa
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from tests.fuzz.mutate import mutants
from tests.support.credentials import HUMAN, NOW, exported, picture
from tests.support.signed import key, signed

from byline_ledger.codec import pack
from byline_ledger.content import read_relay
from byline_ledger.digest import digest_bytes, multihash
from byline_ledger.errors import MalformedError
from byline_ledger.statement import MAX_BODY, Statement, sign_statement
from byline_ledger.verify import verify_bundle
from byline_ledger.vocabulary import USES
from byline_node.c2pa_certificates import anchor_certificate
from byline_node.c2pa_import import read_foreign
from byline_node.c2pa_relay import Seen, look, relay
from byline_node.c2pa_store import leaf_certificate

GENERATED = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
CREATED = {"action": "c2pa.created", "digitalSourceType": GENERATED}


class Camera:
    """Somebody who signs with a P-256 key and a certificate of their own."""

    def __init__(self, name: str = "Camera Works") -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = self._certificate(name)
        self.pem = self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    def _certificate(self, name: str) -> x509.Certificate:
        subject = x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, name),
                x509.NameAttribute(NameOID.COMMON_NAME, name),
            ]
        )
        now = dt.datetime.now(dt.UTC)
        public = self.key.public_key()
        usage = [True, *[False] * 8]
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=30))
            .add_extension(x509.BasicConstraints(False, None), critical=True)
            .add_extension(x509.KeyUsage(*usage), critical=True)
            .add_extension(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), False
            )
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(public), False
            )
            .sign(self.key, hashes.SHA256())
        )

    def sign(self, message: bytes) -> bytes:
        signature = self.key.sign(message, ec.ECDSA(hashes.SHA256()))
        r, s = decode_dss_signature(signature)
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    def shoot(
        self,
        *assertions: dict[str, Any],
        actions: tuple[dict[str, Any], ...] = (CREATED,),
        data: bytes | None = None,
        parent: bytes | None = None,
        **more: Any,
    ) -> bytes:
        """A JPEG with a manifest of these assertions, created where they say so."""
        first = {"label": "c2pa.actions.v2", "data": {"actions": list(actions)}}
        definition = {
            "claim_generator_info": [{"name": "camera"}],
            "format": "image/jpeg",
            "assertions": [{**first, "created": True}, *assertions],
            **more,
        }
        settings = {"builder": {"thumbnail": {"enabled": False}}}
        builder = c2pa.Builder(json.dumps(definition), c2pa.Context.from_dict(settings))
        if parent is not None:
            told = {"title": "p", "relationship": "parentOf", "label": "parent"}
            builder.add_ingredient(json.dumps(told), "image/jpeg", BytesIO(parent))
        signer = c2pa.Signer.from_callback(
            self.sign, c2pa.C2paSigningAlg.ES256, self.pem
        )
        out = BytesIO()
        builder.sign(signer, "image/jpeg", BytesIO(data or picture()), out)
        return out.getvalue()


@pytest.fixture(scope="module")
def camera() -> Camera:
    return Camera()


def seen_in(data: bytes, anchors: str | None = None) -> Seen:
    pem = anchors.encode() if anchors else None
    found = look(BytesIO(data), "image/jpeg", digest_bytes(data), anchors=pem)
    assert found is not None
    return found


def relayed(seen: Seen, trust: bytes | None = None) -> Statement:
    fields = relay(seen, trust_list=trust, now=NOW, salt=bytes(16))
    return sign_statement(fields, key(9))


def test_a_relay_names_who_signed_and_what_the_validator_said(camera: Camera) -> None:
    data = camera.shoot(title="Street")
    trust = camera.pem.encode()
    seen = seen_in(data)
    statement = relayed(seen)
    content = read_relay(statement)
    assert content.problems == ()
    assert statement.about == digest_bytes(data)
    assert (content.format, content.validation) == ("c2pa", "valid")
    assert content.validator == f"c2pa-python {c2pa.__version__}"
    assert content.issuer == "CN=Camera Works,O=Camera Works"
    info = camera.key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    assert content.issuer_key == digest_bytes(info)
    assert content.manifest == multihash(hashlib.sha256(seen.report.manifest).digest())
    assert seen.report.manifest[4:8] == b"jumb"
    assert content.checked == NOW
    assert content.trust_list is None
    assert content.created is not None
    assert content.created.source_type == GENERATED
    assert content.created.actions == ("c2pa.created",)
    assert content.created.title == "Street"
    assert content.gathered is None
    named = read_relay(relayed(seen_in(data, camera.pem), trust))
    assert (named.validation, named.trust_list) == ("trusted", digest_bytes(trust))


def test_what_the_signer_gathered_stands_apart(camera: Camera) -> None:
    consent = {
        "entries": {
            "cawg.ai_training": {"use": "notAllowed"},
            "cawg.data_mining": {"use": "constrained", "constraint_info": "ask me"},
        }
    }
    metadata = {
        "@context": {"dc": "http://purl.org/dc/elements/1.1/"},
        "dc:title": {"x-default": "Street"},
        "dc:creator": ["Ann", "Bob"],
        "dc:rights": "CC-BY-4.0",
    }
    disclosure = {
        "modelType": "c2pa.types.model",
        "modelName": "painter",
        "contentProfile": {"humanOversightLevel": "prompt_guided"},
    }
    data = camera.shoot(
        {"label": "cawg.training-mining", "data": consent, "created": True},
        {"label": "cawg.metadata", "data": metadata, "kind": "Json"},
        {"label": "c2pa.ai-disclosure", "data": disclosure},
    )
    content = read_relay(relayed(seen_in(data)))
    created, gathered = content.created, content.gathered
    assert created is not None
    assert gathered is not None
    assert created.uses == {
        "cawg.ai_training": "notAllowed",
        "cawg.data_mining": "constrained",
    }
    assert created.constraints == {"cawg.data_mining": "ask me"}
    assert created.creators == ()
    assert gathered.uses == {}
    assert (gathered.title, gathered.license) == ("Street", "CC-BY-4.0")
    assert gathered.creators == ("Ann", "Bob")
    assert gathered.model is not None
    assert (gathered.model.name, gathered.model.type) == ("painter", "c2pa.types.model")
    assert gathered.oversight == "prompt_guided"


def test_words_of_no_vocabulary_are_named_and_never_ours(camera: Camera) -> None:
    odd = {"action": "c2pa.created", "digitalSourceType": "http://example.org/human"}
    consent = {"entries": {"cawg.ai_training": {"use": "maybe"}, "x.y": {"use": "no"}}}
    metadata = {
        "@context": {"dc": "http://purl.org/dc/elements/1.1/"},
        "dc:title": "x" * 600,
        "dc:rights": "all mine",
    }
    data = camera.shoot(
        {"label": "cawg.training-mining", "data": consent},
        {"label": "cawg.metadata", "data": metadata, "kind": "Json"},
        actions=(odd,),
        ingredients=[
            {"title": "a", "relationship": "componentOf", "instance_id": "xmp:1"},
            {"title": "b", "relationship": "inputTo", "instance_id": "sha256:zz"},
        ],
    )
    seen = seen_in(data)
    assert seen.report.state == "Valid"  # the engine minds none of it
    statement = relayed(seen)
    content = read_relay(statement)
    assert content.problems == ()
    assert content.created is not None
    assert content.created.source_type is None
    assert content.gathered is not None
    assert content.gathered.uses == {}
    assert content.gathered.license is None
    assert content.sources == ()
    assert statement.fields["unnamed-ingredients"] == 2
    problems = "\n".join(seen.foreign.problems)
    for word in ("created source-type", "gathered title", "gathered license", "uses"):
        assert word in problems


def test_names_of_c2pa_1_are_read(camera: Camera) -> None:
    consent = {
        "entries": {
            "c2pa.ai_generative_training": {
                "use": "constrained",
                "constraints_info": "pay",
            }
        }
    }
    work = {
        "@context": "https://schema.org",
        "@type": "CreativeWork",
        "author": [{"@type": "Person", "name": "Ann"}],
    }
    data = camera.shoot(
        {"label": "c2pa.training-mining", "data": consent},
        {"label": "stds.schema-org.CreativeWork", "data": work, "kind": "Json"},
    )
    content = read_relay(relayed(seen_in(data)))
    assert content.gathered is not None
    assert content.gathered.uses == {"cawg.ai_generative_training": "constrained"}
    assert content.gathered.constraints == {"cawg.ai_generative_training": "pay"}
    assert content.gathered.creators == ("Ann",)


def test_how_the_parent_was_made_is_not_the_signers_word(camera: Camera) -> None:
    parent = Camera("Painter").shoot()
    opened = {"action": "c2pa.opened", "parameters": {"ingredientIds": ["parent"]}}
    data = camera.shoot(actions=(opened,), parent=parent, data=parent)
    seen = seen_in(data)
    content = read_relay(relayed(seen))
    assert content.created is not None
    assert content.created.source_type is None
    assert content.created.actions == ("c2pa.opened",)
    assert content.gathered is not None
    assert content.gathered.source_type == GENERATED
    assert content.issuer is not None
    assert "Camera Works" in content.issuer
    (source,) = content.sources
    assert source.relationship == "parentOf"
    assert source.fields["names"] == "manifest"


def test_sources_that_name_a_digest_are_named_by_it(camera: Camera) -> None:
    data = camera.shoot(
        ingredients=[
            {
                "title": "a",
                "relationship": "inputTo",
                "instance_id": f"sha256:{digest_bytes(b'a')[2:].hex()}",
            }
        ]
    )
    (source,) = read_relay(relayed(seen_in(data))).sources
    assert (source.digest, source.relationship) == (digest_bytes(b"a"), "inputTo")
    assert "names" not in source.fields


def test_a_changed_file_is_relayed_as_invalid_with_the_reason(camera: Camera) -> None:
    data = camera.shoot()
    changed = data[:-8] + bytes([data[-8] ^ 1]) + data[-7:]
    statement = relayed(seen_in(changed))
    assert read_relay(statement).validation == "invalid"
    assert statement.fields["failures"] == ["assertion.dataHash.mismatch"]
    assert statement.about == digest_bytes(changed)


def test_nothing_is_relayed_where_there_is_nothing(camera: Camera) -> None:
    from PIL import Image

    out = BytesIO()
    Image.open(BytesIO(camera.shoot())).save(out, "JPEG")
    assert look(BytesIO(out.getvalue()), "image/jpeg", bytes(34)) is None
    assert look(BytesIO(b"a poem"), "text/plain", bytes(34)) is None
    with pytest.raises(MalformedError, match="C2PA"):
        look(BytesIO(b"a poem"), "text/plain", bytes(34), sidecar=b"no manifest")


def test_a_manifest_that_says_too_much_is_cut_by_whole_fields(camera: Camera) -> None:
    long = [{"action": f"org.example.{'x' * 100}{n}"} for n in range(64)]
    consent = {
        "entries": {
            use: {"use": "constrained", "constraint_info": "ü" * 1000} for use in USES
        }
    }
    data = camera.shoot(
        {"label": "cawg.training-mining", "data": consent},
        actions=(CREATED, *long),
        title="é" * 500,
    )
    seen = seen_in(data)
    statement = relayed(seen)
    assert len(statement.body) <= MAX_BODY
    content = read_relay(statement)
    assert content.created is not None
    assert content.gathered is not None
    assert len(content.gathered.constraints) == 4
    assert content.created.actions == ()
    assert "created actions: no room for it in a statement" in seen.foreign.problems


# Proofs of ours that come along


def ours(folder: Path, **fields: Any) -> bytes:
    return exported(folder, picture(), "image/jpeg", **fields)[0]


def test_our_proof_is_recovered_and_verifies_offline(tmp_path: Path) -> None:
    data = ours(tmp_path, title="Dawn")
    seen = seen_in(data, anchor_certificate(tmp_path, NOW))
    assert seen.report.state == "Trusted"
    assert seen.carried is not None
    assert seen.carried.fault is None
    verdict = verify_bundle(
        seen.carried.attested.bundle, digest=digest_bytes(picture())
    )
    assert verdict.ok
    content = read_relay(relayed(seen))
    assert content.validation == "trusted"
    assert content.created is not None
    assert content.created.source_type == HUMAN


def test_what_we_say_of_a_model_comes_back(tmp_path: Path) -> None:
    model = {"name": "painter", "identifier": "v7"}
    for fields in ({"model": model, "oversight": "human_validated"}, {"model": model}):
        gathered = read_relay(relayed(seen_in(ours(tmp_path, **fields)))).gathered
        assert gathered is not None
        assert gathered.model is not None
        assert (gathered.model.name, gathered.model.identifier) == ("painter", "v7")
        assert gathered.oversight == fields.get("oversight")


def test_so_is_the_place_in_the_log_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("byline_node.c2pa_export.MAX_EMBEDDED", 100)
    seen = seen_in(ours(tmp_path))
    assert seen.carried is not None
    assert seen.carried.fault is None
    assert not seen.carried.attested.bundle


def test_somebody_elses_proof_does_not_count(tmp_path: Path, camera: Camera) -> None:
    seen = seen_in(ours(tmp_path))
    stolen = {"label": "org.byline.attestation", "data": seen.foreign.attestation}
    thief = seen_in(camera.shoot(stolen))
    assert thief.report.state == "Valid"
    assert thief.carried is not None
    assert thief.carried.fault == "another key than its author's signed the manifest"


def test_proofs_that_do_not_hold_do_not_count(tmp_path: Path) -> None:
    from byline_node.c2pa_relay import carried

    seen = seen_in(ours(tmp_path))
    assert isinstance(seen.foreign.attestation, dict)
    data = ours(tmp_path)
    changed = seen_in(data[:-8] + bytes([data[-8] ^ 1]) + data[-7:])
    assert changed.carried is not None
    assert changed.carried.fault == "the manifest around it is not valid"
    moved = dataclasses.replace(
        seen.foreign, attestation=seen.foreign.attestation | {"index": 5}
    )
    found = carried(seen.report, moved, seen.subject, seen.about)
    assert found is not None
    assert found.fault == "the proof is of another statement"
    beside = dataclasses.replace(seen.report, embedded=False)
    found = carried(beside, seen.foreign, seen.subject, seen.about)
    assert found is not None
    assert found.fault == "it is about other bytes than these"
    broken = dataclasses.replace(seen.foreign, attestation={"format": "x"})
    assert carried(seen.report, broken, seen.subject, seen.about) is None
    assert "org.byline.attestation" in broken.problems[-1]


def test_a_sidecar_is_held_against_the_bytes(tmp_path: Path) -> None:
    text = b"a poem\n"
    _, made = exported(tmp_path, text, "text/plain", embed=False)
    for bytes_, fault in ((text, None), (b"a poet\n", "the manifest around it")):
        about = digest_bytes(bytes_)
        seen = look(BytesIO(bytes_), "text/plain", about, sidecar=made.manifest)
        assert seen is not None
        assert seen.carried is not None
        if fault is None:
            assert seen.carried.fault is None
        else:
            assert fault in str(seen.carried.fault)


# Bytes of strangers


def test_certificates_are_found_or_the_bytes_are_malformed(camera: Camera) -> None:
    seen = seen_in(camera.shoot())
    store, label = seen.report.manifest, seen.report.active
    der = camera.certificate.public_bytes(serialization.Encoding.DER)
    assert leaf_certificate(store, label) == der
    with pytest.raises(MalformedError, match="expected a box"):
        leaf_certificate(store, "urn:c2pa:other")
    random = Random(5)
    for mutant in mutants([store], 300, random):
        try:
            assert isinstance(leaf_certificate(mutant, label), bytes)
        except MalformedError:
            continue


NONSENSE: tuple[Any, ...] = (
    None,
    7,
    "text",
    [],
    {},
    [None, 3, [], {}],
    {"a": []},
    True,
)


def test_no_report_of_the_engine_can_break_the_reader(camera: Camera) -> None:
    """Whatever stands where: the engine checks no types of what it passes on."""
    seen = seen_in(
        camera.shoot(
            {"label": "cawg.training-mining", "data": {"entries": {"a": {"use": "b"}}}},
            ingredients=[{"title": "a", "relationship": "inputTo"}],
        )
    )
    text = json.dumps(seen.report.detail)
    random = Random(7)
    for _ in range(400):
        detail = json.loads(text)
        scramble(detail, random)
        found = read_foreign(detail, seen.report.active, seen.about)
        strange = dataclasses.replace(seen, foreign=found)
        fields = relay(strange, trust_list=None, now=NOW, salt=bytes(16))
        pack(fields)


def scramble(value: Any, random: Random) -> None:
    """Puts nonsense into some places of a JSON value."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        places = list(one) if isinstance(one, dict) else range(len(one))
        for place in places:
            if random.random() < 0.04:
                one[place] = random.choice(NONSENSE)
            if isinstance(one[place], (dict, list)):
                waiting.append(one[place])


def test_a_relay_says_nothing_of_the_importers_own(camera: Camera) -> None:
    fields = relayed(seen_in(camera.shoot())).fields
    assert set(fields) <= {
        *("about", "author", "checked", "created", "format", "gathered", "issuer"),
        *("issuer-key", "manifest", "salt", "sources", "time", "type", "validation"),
        *("validator", "trust-list", "failures", "unnamed-ingredients"),
    }
    assert signed(digest_bytes(b""), type="relay").type == fields["type"]
