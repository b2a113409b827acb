"""The Soft Binding Resolution API: manifests that are left with a node, and found."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Iterator
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest
import trio
from PIL import Image
from tests.fuzz.mutate import mutants
from tests.support.api import Backend, api
from tests.support.credentials import (
    HUMAN,
    NOW,
    assertion,
    picture,
    proof,
    read_elsewhere,
)
from tests.support.signed import key, signed, withdraw, work

from byline_ledger.content_parts import fingerprint_fields
from byline_ledger.digest import digest_bytes
from byline_ledger.errors import (
    BadSignatureError,
    BylineError,
    MalformedError,
    NotFoundError,
    VerificationError,
)
from byline_ledger.log import Ledger
from byline_ledger.statement import Statement, sign_statement
from byline_node import c2pa_lookup, c2pa_shelf
from byline_node import fingerprint as fingerprint_module
from byline_node.c2pa_deposit import active_label, alone, read_deposit, unit_codes
from byline_node.c2pa_export import export, own_statement, signer_of
from byline_node.c2pa_relay import look, relay
from byline_node.c2pa_shelf import Kept, Shelf
from byline_node.errors import RefusedError
from byline_node.fingerprint import fingerprint

PHOTO = picture()
ABOUT = digest_bytes(PHOTO)
IMAGE_BODY = bytes(range(7, 7 + 32))
C2PA = {"content-type": "application/c2pa"}


def unit(head: bytes, body: bytes) -> str:
    return "ISCC:" + base64.b32encode(head + body).decode().rstrip("=")


def flipped(body: bytes, count: int, start: int = 64) -> bytes:
    """The body with so many bits changed, from a place on."""
    number = int.from_bytes(body, "big")
    for at in range(count):
        number ^= 1 << (255 - start - at)
    return number.to_bytes(32, "big")


CLAIM = signed(
    ABOUT,
    fingerprints={"iscc": [unit(b"\x21\x07", IMAGE_BODY)]},
    **{"source-type": HUMAN},
)


def manifest_for(folder: Path, by: int = 1) -> bytes:
    """The manifest of the claim by key 1, signed by that key or another."""
    attested = own_statement(proof(ABOUT, [CLAIM]), ABOUT, key().public)
    signer = signer_of(key(by), folder, NOW)
    return export(BytesIO(PHOTO), "image/jpeg", attested, signer, BytesIO()).manifest


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return manifest_for(tmp_path_factory.mktemp("home"))


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger.init(tmp_path / "node")
    ledger.append([CLAIM])
    yield ledger
    ledger.close()


@pytest.fixture
async def node(
    ledger: Ledger, tmp_path: Path, nursery: trio.Nursery
) -> AsyncIterator[httpx.AsyncClient]:
    """A node that keeps manifests."""
    backend = Backend(ledger)
    nursery.start_soon(backend.writer.run)
    async with api(backend, tmp_path / "shelf") as client:
        yield client


async def left(node: httpx.AsyncClient, manifest: bytes, query: str = "") -> str:
    reply = await node.post(f"/v1/manifests{query}", content=manifest, headers=C2PA)
    assert reply.status_code == 200, reply.text
    return str(reply.json()["manifestId"])


def value_of(*units: bytes) -> str:
    return base64.b64encode(b"".join(units)).decode()


def asking(body: bytes = IMAGE_BODY, **more: Any) -> dict[str, Any]:
    value = value_of(b"\x21\x07" + body)
    return {"params": {"alg": "io.iscc.v0", "value": value, **more}}


async def matches(node: httpx.AsyncClient, body: bytes = IMAGE_BODY) -> list[Any]:
    reply = await node.get("/v1/matches/byBinding", **asking(body))
    assert reply.status_code == 200, reply.text
    return list(reply.json()["matches"])


@pytest.mark.trio
async def test_a_manifest_that_was_left_is_found_by_its_binding(
    node: httpx.AsyncClient, manifest: bytes
) -> None:
    assert await matches(node) == []
    label = await left(node, manifest)
    (match,) = await matches(node)
    assert match == {
        "manifestId": label,
        "similarityScore": 100,
        "statement": CLAIM.cid,
    }
    reply = await node.get(f"/v1/manifests/{label}")
    assert reply.headers["content-type"] == "application/c2pa"
    assert reply.content == manifest
    alone = await node.get(f"/v1/manifests/{label}?returnActiveManifest=true")
    assert alone.content == manifest  # it is the only one
    (near,) = await matches(node, flipped(IMAGE_BODY, 40))
    assert near["similarityScore"] == 84
    assert await matches(node, flipped(IMAGE_BODY, 81)) == []
    assert await matches(node, flipped(IMAGE_BODY, 13, start=0)) == []


@pytest.mark.trio
async def test_large_questions_are_asked_in_a_body(
    node: httpx.AsyncClient, manifest: bytes
) -> None:
    label = await left(node, manifest)
    asked = asking()["params"]
    reply = await node.post("/v1/matches/byBinding", json=asked)
    assert [one["manifestId"] for one in reply.json()["matches"]] == [label]
    for body in (b"", b"[]", b"{}", b"[" * 5000, b'{"alg":1,"value":2}'):
        reply = await node.post(
            "/v1/matches/byBinding",
            content=body,
            headers={"content-type": "application/json"},
        )
        assert reply.status_code == 400
    reply = await node.post("/v1/matches/byBinding", content=b"{}")
    assert reply.status_code == 415


@pytest.mark.trio
async def test_wrong_questions_are_answered_in_one_line(
    node: httpx.AsyncClient,
) -> None:
    for params, word in (
        ({"alg": "com.example.1", "value": "AAAA"}, "io.iscc.v0"),
        ({"value": "AAAA"}, "io.iscc.v0"),
        ({"alg": "io.iscc.v0"}, "value"),
        ({"alg": "io.iscc.v0", "value": "AAAA"}, "ISCC"),
        ({"alg": "io.iscc.v0", "value": "=!"}, "base64"),
        ({**asking()["params"], "maxResults": "0"}, "maxResults"),
        ({**asking()["params"], "maxResults": "many"}, "maxResults"),
    ):
        reply = await node.get("/v1/matches/byBinding", params=params)
        assert reply.status_code == 400
        assert word in reply.json()["error"]["message"]
    reply = await node.get("/v1/manifests/urn:c2pa:none")
    assert reply.status_code == 404
    reply = await node.get("/v1/manifests/x?returnActiveManifest=perhaps")
    assert reply.status_code == 400
    reply = await node.get("/v1/services/supportedAlgorithms")
    assert reply.json() == {"fingerprints": [{"alg": "io.iscc.v0"}], "watermarks": []}


@pytest.mark.trio
async def test_too_many_questions_wait(node: httpx.AsyncClient) -> None:
    statuses = []
    for _ in range(60):
        reply = await node.get("/v1/matches/byBinding", **asking())
        statuses.append(reply.status_code)
    assert statuses[:40] == [200] * 40
    assert 503 in statuses


@pytest.mark.trio
async def test_what_was_withdrawn_is_not_given_out(
    node: httpx.AsyncClient, manifest: bytes, ledger: Ledger
) -> None:
    label = await left(node, manifest)
    ledger.append([withdraw(CLAIM)])
    assert await matches(node) == []
    reply = await node.get(f"/v1/manifests/{label}")
    assert reply.status_code == 410


@pytest.mark.trio
async def test_what_else_an_author_says_hides_no_withdrawal(
    node: httpx.AsyncClient, manifest: bytes, ledger: Ledger
) -> None:
    await left(node, manifest)
    ledger.append([*(signed(ABOUT) for _ in range(400)), withdraw(CLAIM)])
    assert await matches(node) == []


@pytest.mark.trio
async def test_a_node_keeps_none_unless_its_operator_says_so(
    ledger: Ledger, manifest: bytes
) -> None:
    async with api(Backend(ledger)) as client:
        reply = await client.post("/v1/manifests", content=manifest, headers=C2PA)
        assert reply.status_code == 403
        assert "manifests = true" in reply.json()["error"]["hint"]
        assert await matches(client) == []
        reply = await client.get("/v1/manifests/urn:c2pa:x")
        assert reply.status_code == 404


@pytest.mark.trio
async def test_only_manifests_are_taken(
    node: httpx.AsyncClient, manifest: bytes
) -> None:
    reply = await node.post("/v1/manifests", content=manifest)
    assert reply.status_code == 415
    for body in (b"", b"no manifest", manifest + b"x", manifest[:-1], bytes(3 << 20)):
        reply = await node.post("/v1/manifests", content=body, headers=C2PA)
        assert reply.status_code in (400, 413)


# By content


def scene() -> Image.Image:
    """A picture with enough in it to be recognised."""
    random = Random(11)
    small = Image.new("L", (24, 16))
    small.putdata([random.randrange(256) for _ in range(24 * 16)])
    return small.resize((480, 320), Image.Resampling.BICUBIC).convert("RGB")


def saved(picture: Image.Image, **how: Any) -> bytes:
    out = BytesIO()
    picture.save(out, "JPEG", **how)
    return out.getvalue()


def post_file(data: bytes, media_type: str = "image/jpeg") -> dict[str, Any]:
    return {"content": data, "headers": {"content-type": media_type}}


@pytest.mark.trio
async def test_a_copy_without_its_manifest_finds_it_again(
    node: httpx.AsyncClient, ledger: Ledger, tmp_path: Path
) -> None:
    data = saved(scene(), quality=90)
    found = fingerprint([data], data).fingerprints
    assert found is not None
    prints = fingerprint_fields(found)
    claim = signed(digest_bytes(data), fingerprints=prints, **{"source-type": HUMAN})
    ledger.append([claim])
    attested = own_statement(proof(claim.about, [claim]), claim.about, key().public)
    signer, out = signer_of(key(), tmp_path, NOW), BytesIO()
    made = export(BytesIO(data), "image/jpeg", attested, signer, out)
    label = await left(node, made.manifest)
    copies = (
        (saved(scene().resize((240, 160)), quality=40), 75),
        (saved(scene().transpose(Image.Transpose.FLIP_LEFT_RIGHT)), 75),
        (saved(scene().crop((0, 0, 420, 320))), 75),
    )
    for copy, least in copies:
        reply = await node.post("/v1/matches/byContent", **post_file(copy))
        (match,) = reply.json()["matches"]
        assert match["manifestId"] == label
        assert match["similarityScore"] >= least
    reply = await node.post("/v1/matches/byContent", **post_file(picture()))
    assert reply.json() == {"matches": []}
    # What it is about, as its soft binding says to programs that know nothing of ours.
    _, read = read_elsewhere(out.getvalue(), "image/jpeg")
    (block,) = assertion(read, "c2pa.soft-binding")["data"]["blocks"]
    params = {"alg": "io.iscc.v0", "value": block["value"]}
    reply = await node.get("/v1/matches/byBinding", params=params)
    assert [one["manifestId"] for one in reply.json()["matches"]] == [label]


@pytest.mark.trio
async def test_files_are_bounded_and_of_types_that_can_be_read(
    node: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = "/v1/matches/byContent"
    assert (await node.post(path, **post_file(b"x", "video/mp4"))).status_code == 415
    assert (await node.post(path, content=b"x")).status_code == 415
    assert (await node.post(path, **post_file(b""))).status_code == 400
    reply = await node.post(f"{path}?alg=com.example.1", **post_file(b"x"))
    assert reply.status_code == 400
    reply = await node.post(path, **post_file(bytes((16 << 20) + 1)))
    assert reply.status_code == 413
    reply = await node.post(path, **post_file(b"no picture", "image/png"))
    assert reply.json() == {"matches": []}

    def lacks() -> None:
        raise fingerprint_module.missing_extra()

    monkeypatch.setattr(fingerprint_module, "require_extra", lacks)
    reply = await node.post(path, **post_file(b"x"))
    assert reply.status_code == 501
    assert "byline-ledger[similar]" in reply.text or "extra" in reply.text
    statuses = [(await node.post(path, **post_file(b"x"))).status_code for _ in "12345"]
    assert statuses[-1] == 503


def test_large_texts_of_strangers_are_not_looked_into(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("byline_node.iscc_codes.collapse", None)  # fails if called
    text = bytes(c2pa_lookup.MAX_TEXT + 1).replace(b"\0", b"a")
    shelf = Shelf(None, lambda: ledger.view)
    assert c2pa_lookup.by_content(shelf, text, 1) == ([], 0)


# What a node keeps


def find_in(*statements: Statement) -> Any:
    known = {one.id: one for one in statements}

    def find(id_: bytes) -> Statement:
        if id_ not in known:
            raise NotFoundError("not here")
        return known[id_]

    return find


def test_a_manifest_is_kept_for_a_statement_of_the_log_alone(
    tmp_path: Path, manifest: bytes
) -> None:
    found = read_deposit(manifest, find_in(CLAIM), None)
    assert found.statement == CLAIM
    assert found.label.startswith("urn:c2pa:")
    with pytest.raises(NotFoundError):
        read_deposit(manifest, find_in(), None)
    stolen = manifest_for(tmp_path, by=2)
    with pytest.raises(VerificationError, match="another key"):
        read_deposit(stolen, find_in(CLAIM), None)


def test_no_changed_byte_of_the_claim_or_the_proof_passes(manifest: bytes) -> None:
    """What is not vouched for by the signature may change; the engine judges that."""
    start = manifest.index(b"org.byline.attestation\0")
    for at in range(start + 60, start + 2000, 97):
        changed = bytearray(manifest)
        changed[at] ^= 1
        with pytest.raises(BylineError):
            read_deposit(bytes(changed), find_in(CLAIM), None)
    forged = manifest[:-1] + bytes([manifest[-1] ^ 1])
    with pytest.raises(BadSignatureError, match="manifest's signature"):
        read_deposit(forged, find_in(CLAIM), None)
    claim = manifest.index(b"c2pa.claim.v2\0")
    for at in range(claim + 30, claim + 600, 41):
        changed = bytearray(manifest)
        changed[at] ^= 1
        with pytest.raises(BylineError):
            read_deposit(bytes(changed), find_in(CLAIM), None)


def test_mutants_are_refused_or_carry_the_statement(manifest: bytes) -> None:
    for mutant in mutants([manifest], 500, Random(3)):
        try:
            found = read_deposit(mutant, find_in(CLAIM), None)
        except BylineError:
            continue
        assert found.statement == CLAIM


def test_a_manifest_of_others_is_kept_if_a_relay_names_it(
    tmp_path: Path, manifest: bytes
) -> None:
    data = PHOTO
    seen = look(BytesIO(data), "image/jpeg", ABOUT, sidecar=manifest)
    assert seen is not None
    fields = relay(seen, trust_list=None, now=NOW, salt=bytes(16))
    told = sign_statement(fields, key(5))
    found = read_deposit(manifest, find_in(told), told.id)
    assert found.statement == told
    other = work("x")
    with pytest.raises(VerificationError, match="no relay"):
        read_deposit(manifest, find_in(other), other.id)
    bigger = manifest_for(tmp_path)
    with pytest.raises(VerificationError, match="no relay"):
        read_deposit(bigger, find_in(told), told.id)


def test_the_active_manifest_can_be_had_alone(manifest: bytes) -> None:
    label = active_label(manifest)
    assert alone(manifest, label) == manifest
    with pytest.raises(MalformedError):
        alone(manifest, "urn:c2pa:other")


def test_the_shelf_is_there_again_after_a_restart(
    tmp_path: Path, ledger: Ledger, manifest: bytes
) -> None:
    folder = tmp_path / "shelf"
    label = Shelf(folder, lambda: ledger.view).put(manifest).label
    (folder / "somebody's.c2pa").write_bytes(b"x")
    (folder / "notes").write_bytes(b"x")
    again = Shelf(folder, lambda: ledger.view)
    assert [one.label for one in again.all()] == [label]
    assert again.get(label) == manifest
    assert again.about(again.all()[0]).units == (b"\x21\x07" + IMAGE_BODY,)
    (kept,) = again.all()
    (folder / kept.name).unlink()
    with pytest.raises(NotFoundError):
        again.get(label)


def test_the_shelf_is_bounded(
    tmp_path: Path, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = Shelf(tmp_path / "shelf", lambda: ledger.view)
    made = [manifest_for(tmp_path) for _ in range(c2pa_shelf.MAX_OF_ONE + 1)]
    for one in made[:-1]:
        shelf.put(one)
    shelf.put(made[0])  # again: replaced
    with pytest.raises(RefusedError, match="enough"):
        shelf.put(made[-1])
    monkeypatch.setattr(c2pa_shelf, "MAX_OF_ONE", 100)
    monkeypatch.setattr(c2pa_shelf, "MAX_KEPT", 4)
    with pytest.raises(RefusedError, match="no room"):
        shelf.put(made[-1])


def test_names_of_files_are_read_strictly() -> None:
    kept = Kept("urn:c2pa:1", bytes(32), 7)
    assert Kept.from_name(kept.name, 7) == kept
    for name in ("", "x.c2pa", kept.name + "x", kept.name[1:], "00" * 32 + ".!.c2pa"):
        assert Kept.from_name(name, 7) is None


# io.iscc.v0: vectors of IEP-0020 and more


def test_units_are_read_in_any_dress_of_base64() -> None:
    units = b"\x21\x07" + bytes([0xFB, 0xFF] * 16) + b"\x30\x07" + bytes(32)
    text = base64.b64encode(units).decode()
    for dress in (
        text,
        text.rstrip("="),
        text.replace("+", "-").replace("/", "_"),
        text.replace("+", " "),
        f" {text}\n",
    ):
        assert set(unit_codes(dress)) == {b"\x21\x07", b"\x30\x07"}


@pytest.mark.parametrize(
    "data",
    [
        "",
        "28000100000000",
        "200800" + "00" * 36,
        "3000000000",
        "30000000000000",
        "270000000000",
        "5005578c7c8fbfbdb58fa88248c53a852c8d05b41f3472493225a522af4a2c9cbf6a",
        "60100000000000000000",
    ],
)
def test_what_is_no_sequence_of_units_is_malformed(data: str) -> None:
    with pytest.raises(MalformedError):
        unit_codes(base64.b64encode(bytes.fromhex(data)).decode())


def test_short_units_are_passed_over() -> None:
    data = bytes.fromhex(
        "21018c3585376ee22d5a22039f07f3ff9e0061ff3ef7cbffffef37ff300705b41f3472493225d2"
        "7edcbdb63236846a53ee28deca5e3561acc0c9bbdf81b5"
    )
    assert list(unit_codes(base64.b64encode(data).decode())) == [b"\x30\x07"]
    with pytest.raises(MalformedError, match="at most"):
        unit_codes("A" * 5000)
