"""What strangers try on the shelf: others' labels, junk in others' names, floods."""

from __future__ import annotations

import itertools
import threading
from collections.abc import AsyncIterator, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio
from tests.node.test_c2pa_bindings import C2PA, asking
from tests.node.test_fingerprint import essay
from tests.support.acting import rotation
from tests.support.api import Backend, api
from tests.support.credentials import HUMAN, NOW, picture, proof
from tests.support.signed import TIME, key, signed, withdraw

from byline_ledger.content_keys import profile_fields, rotate_fields
from byline_ledger.content_parts import fingerprint_fields
from byline_ledger.digest import digest_bytes
from byline_ledger.errors import (
    BylineError,
    NotFoundError,
    RedactedError,
    VerificationError,
)
from byline_ledger.log import Ledger
from byline_ledger.statement import Statement, sign_statement
from byline_node import c2pa_lookup, c2pa_shelf, http_bindings
from byline_node.c2pa_deposit import active_label, byte_string, read_deposit
from byline_node.c2pa_export import export, own_statement, signer_of
from byline_node.c2pa_shelf import Shelf
from byline_node.c2pa_store import (
    SIGNATURE,
    box,
    boxes,
    described,
    inner,
    read_cbor,
    superbox,
)
from byline_node.c2pa_vouched import ASSERTIONS, STORE, cbor_in, claim_of
from byline_node.errors import RefusedError
from byline_node.fingerprint import fingerprint

PHOTO = picture()
ABOUT = digest_bytes(PHOTO)
PRINTS = {"iscc": ["ISCC:EEDQOCAJBIFQYDIOB4IBCEQTCQKRMFYYDENBWHA5DYPSAIJCEMSCKJQ"]}


def claim_by(number: int) -> Statement:
    says: dict[str, Any] = {"fingerprints": PRINTS, "source-type": HUMAN}
    return signed(ABOUT, key(number), **says)


CLAIM, RIVAL = claim_by(1), claim_by(2)


def exported(claim: Statement, number: int, folder: Path, data: bytes = PHOTO) -> bytes:
    """A store with the manifest of a claim by a key, signed with that."""
    attested = own_statement(proof(claim.about, [claim]), claim.about, claim.author)
    signer, out = signer_of(key(number), folder, NOW), BytesIO()
    return export(BytesIO(data), "image/jpeg", attested, signer, out).manifest


def renamed(store: bytes, label: str, number: int) -> bytes:
    """The same manifest under another label, signed again with its key."""
    before = active_label(store)
    found = store.replace(before.encode(), label.encode())
    manifest = inner(inner(found, STORE), label)
    signed = read_cbor(cbor_in(inner(manifest, SIGNATURE)))
    assert isinstance(signed, list)
    protected, signature = signed[0], signed[3]
    assert isinstance(protected, bytes)
    assert isinstance(signature, bytes)
    message = b"\x84\x6aSignature1" + byte_string(protected) + b"\x40"
    message += byte_string(claim_of(manifest))
    return found.replace(signature, key(number).sign(message))


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return exported(CLAIM, 1, tmp_path_factory.mktemp("home"))


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger.init(tmp_path / "node")
    ledger.append([CLAIM])
    ledger.append([RIVAL])
    yield ledger
    ledger.close()


@pytest.fixture
async def node(
    ledger: Ledger, tmp_path: Path, nursery: trio.Nursery
) -> AsyncIterator[httpx.AsyncClient]:
    backend = Backend(ledger)
    nursery.start_soon(backend.writer.run)
    async with api(backend, tmp_path / "shelf") as client:
        yield client


def find(id_: bytes) -> Statement:
    return {CLAIM.id: CLAIM, RIVAL.id: RIVAL}[id_]


# In somebody else's name


@pytest.mark.trio
async def test_nobody_takes_the_label_of_somebody_else(
    node: httpx.AsyncClient, manifest: bytes, tmp_path: Path
) -> None:
    """Whoever comes first: both are kept, and found by names of their own."""
    label = active_label(manifest)
    rival = renamed(exported(RIVAL, 2, tmp_path), label, 2)
    for one in (rival, manifest):
        reply = await node.post("/v1/manifests", content=one, headers=C2PA)
        assert reply.status_code == 200, reply.text
    body = await node.get("/v1/matches/byBinding", **asking())
    found = {one["statement"]: one["manifestId"] for one in body.json()["matches"]}
    assert found == {one.cid: f"{label}@{one.cid}" for one in (CLAIM, RIVAL)}
    for cid, store in ((CLAIM.cid, manifest), (RIVAL.cid, rival)):
        reply = await node.get(f"/v1/manifests/{found[cid]}")
        assert reply.content == store
        reply = await node.get(f"/v1/manifests/{found[cid]}?returnActiveManifest=true")
        assert reply.content == store
    # The bare label is that of the earlier statement.
    assert (await node.get(f"/v1/manifests/{label}")).content == manifest
    reply = await node.get(f"/v1/manifests/{label}@nobody")
    assert reply.status_code == 404


@pytest.mark.trio
async def test_whoever_copies_the_codes_of_a_work_comes_after_it(
    node: httpx.AsyncClient, manifest: bytes, ledger: Ledger, tmp_path: Path
) -> None:
    """However many they are, and whatever their labels are."""
    rivals = [claim_by(number) for number in range(20, 24)]
    ledger.append(rivals)
    made = [exported(one, 20 + at, tmp_path) for at, one in enumerate(rivals)]
    labels = [f"urn:c2pa:00000000-0000-0000-0000-00000000000{at}" for at in range(4)]
    stores = [renamed(one, labels[at], 20 + at) for at, one in enumerate(made)]
    for one in (*stores, manifest):
        reply = await node.post("/v1/manifests", content=one, headers=C2PA)
        assert reply.status_code == 200, reply.text
    body = await node.get("/v1/matches/byBinding", **asking(maxResults=2))
    found = [one["statement"] for one in body.json()["matches"]]
    assert found == [CLAIM.cid, rivals[0].cid]


def test_a_manifest_keeps_the_label_that_it_was_signed_under(manifest: bytes) -> None:
    label = active_label(manifest)
    relabelled = manifest.replace(label.encode(), (label[:-4] + "zzzz").encode(), 1)
    with pytest.raises(VerificationError, match="under another label"):
        read_deposit(relabelled, find, None)


def rebuilt(store: bytes, *more: bytes, inside: bytes = b"") -> bytes:
    """The store with further boxes before its manifest, or inside that."""
    label, body = active_label(store), superbox(store, STORE)
    active = superbox(inner(store, STORE), label)
    kept = b"".join(more) + box(b"jumb", active + inside)
    return box(b"jumb", box(b"jumd", described(body)) + kept)


def labelled(label: bytes, body: bytes) -> bytes:
    return box(b"jumb", box(b"jumd", bytes(16) + b"\x03" + label + b"\0") + body)


JUNK = labelled(b"urn:c2pa:junk", box(b"cbor", b"\xa0" + b"junk" * 1000))


def test_nothing_is_kept_that_nobody_answers_for(manifest: bytes) -> None:
    """Else a stranger could put what they like on the shelf in an author's name."""
    assert rebuilt(manifest) == manifest
    for changed in (
        rebuilt(manifest, JUNK),
        rebuilt(manifest, box(b"free", b"junk")),
        rebuilt(manifest, inside=JUNK),
        rebuilt(manifest, inside=box(b"free", b"junk")),
        rebuilt(
            manifest,
            box(b"jumb", superbox(inner(manifest, STORE), active_label(manifest))),
        ),
    ):
        with pytest.raises(BylineError):
            read_deposit(changed, find, None)


def test_every_byte_of_the_assertions_counts(manifest: bytes) -> None:
    body = inner(inner(manifest, STORE), active_label(manifest))
    start = manifest.index(superbox(body, ASSERTIONS))
    for at in range(start + 60, start + len(superbox(body, ASSERTIONS)), 53):
        changed = bytearray(manifest)
        changed[at] ^= 1
        with pytest.raises(BylineError):
            read_deposit(bytes(changed), find, None)


def test_manifests_of_ingredients_are_kept_as_they_were_named(tmp_path: Path) -> None:
    """A file that was exported, and exported again, twice over."""
    data, known, store = PHOTO, {}, b""
    for _ in range(3):
        claim = signed(digest_bytes(data), key(1), **{"source-type": HUMAN})
        known[claim.id] = claim
        bundle = proof(claim.about, [claim])
        attested, out = own_statement(bundle, claim.about, claim.author), BytesIO()
        signer = signer_of(key(1), tmp_path, NOW)
        store = export(BytesIO(data), "image/jpeg", attested, signer, out).manifest
        data = out.getvalue()
    manifests = [body for kind, body in boxes(inner(store, STORE)) if kind == b"jumb"]
    assert len(manifests) == 3
    assert read_deposit(store, known.__getitem__, None).statement in known.values()
    at = store.index(manifests[0]) + len(manifests[0]) - 10
    changed = store[:at] + bytes([store[at] ^ 1]) + store[at + 1 :]
    with pytest.raises(VerificationError, match="beside it"):
        read_deposit(changed, known.__getitem__, None)


def test_a_kept_manifest_is_not_replaced(
    ledger: Ledger, manifest: bytes, tmp_path: Path
) -> None:
    """What is in a signature's unsigned headers nobody answers for."""
    shelf = Shelf(tmp_path / "shelf", lambda: ledger.view)
    label = shelf.put(manifest).label
    at = manifest.rindex(b"\0" * 64) + 32
    changed = manifest[:at] + b"\1" + manifest[at + 1 :]
    with pytest.raises(RefusedError, match="another manifest"):
        shelf.put(changed)
    assert shelf.get(label) == manifest


# By the rules of answers


def test_a_successor_withdraws_for_the_author(
    ledger: Ledger, manifest: bytes, tmp_path: Path
) -> None:
    shelf = Shelf(tmp_path / "shelf", lambda: ledger.view)
    label = shelf.put(manifest).label
    ledger.append([withdraw(CLAIM, key(2))])
    assert shelf.get(label) == manifest
    ledger.append([rotation(key(1), key(2))])
    with pytest.raises(RedactedError):
        shelf.get(label)
    with pytest.raises(RedactedError):
        shelf.put(manifest)
    assert shelf.all() == []


def test_no_error_is_raised_twice(ledger: Ledger, tmp_path: Path) -> None:
    """It would keep all that was at hand each time, for as long as the node runs."""
    shelf = Shelf(tmp_path / "shelf", lambda: ledger.view)
    errors = []
    for _ in range(2):
        with pytest.raises(NotFoundError) as caught:
            shelf.get("urn:c2pa:none")
        errors.append(caught.value)
    assert errors[0] is not errors[1]


# Floods


@pytest.mark.trio
async def test_one_address_leaves_no_more_than_its_share(
    node: httpx.AsyncClient, manifest: bytes
) -> None:
    async def post(body: bytes) -> int:
        reply = await node.post("/v1/manifests", content=body, headers=C2PA)
        return reply.status_code

    junk = bytes(c2pa_shelf.MAX_DEPOSIT)
    statuses = [await post(junk) for _ in range(34)]
    assert statuses[:32] == [400] * 32
    assert statuses[-1] == 503
    assert await post(manifest) == 503


@pytest.mark.trio
async def test_deposits_are_counted_too(
    ledger: Ledger, manifest: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_bindings, "DEPOSIT_BURST", 2.0)
    async with api(Backend(ledger), tmp_path / "shelf") as client:
        statuses = [
            (await client.post("/v1/manifests", content=manifest, headers=C2PA))
            for _ in range(3)
        ]
    assert [one.status_code for one in statuses] == [200, 200, 503]


def test_no_author_takes_the_second_half(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(c2pa_shelf, "MAX_KEPT", 4)
    monkeypatch.setattr(c2pa_shelf, "SHARES", 2)
    shelf = Shelf(tmp_path / "shelf", lambda: ledger.view)
    first = shelf.put(exported(CLAIM, 1, tmp_path))
    shelf.put(exported(CLAIM, 1, tmp_path))
    with pytest.raises(RefusedError, match="one author"):
        shelf.put(exported(CLAIM, 1, tmp_path))
    shelf.put(exported(RIVAL, 2, tmp_path))
    shelf.put(exported(RIVAL, 2, tmp_path / "other"))
    with pytest.raises(RefusedError, match="no room"):
        shelf.put(exported(RIVAL, 2, tmp_path))
    # What is found to be withdrawn makes room.
    ledger.append([withdraw(CLAIM)])
    with pytest.raises(RedactedError):
        shelf.get(first.label)
    third = claim_by(3)
    ledger.append([third])
    shelf.put(exported(third, 3, tmp_path))
    assert len(list((tmp_path / "shelf").iterdir())) == 3


def remembered(shelf: Shelf) -> int:
    found = [one for one in vars(shelf).values() if isinstance(one, dict | set)]
    return sum(map(len, found))


def test_of_manifests_that_are_only_offered_nothing_is_remembered(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else whoever withdraws statements and offers their manifests fills the memory."""
    shelf = Shelf(tmp_path / "shelf", lambda: ledger.view)
    ledger.append([withdraw(CLAIM)])
    with pytest.raises(RedactedError):
        shelf.put(exported(CLAIM, 1, tmp_path))
    assert remembered(shelf) == 0
    monkeypatch.setattr(c2pa_shelf, "MAX_KEPT", 0)
    with pytest.raises(RefusedError):
        shelf.put(exported(RIVAL, 2, tmp_path))
    assert remembered(shelf) == 0


def test_what_made_room_is_forgotten(
    ledger: Ledger, manifest: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And may be left again where a recovery key has undone the withdrawal."""
    monkeypatch.setattr(c2pa_shelf, "MAX_KEPT", 1)
    monkeypatch.setattr(c2pa_shelf, "SHARES", 1)
    shelf = Shelf(tmp_path / "shelf", lambda: ledger.view)
    label = shelf.put(manifest).label
    recovery = profile_fields(
        key=key(1).public, name="a", recovery=key(9).public, time=1, salt=bytes(16)
    )
    ledger.append([sign_statement(recovery, key(1))])
    ledger.append([rotation(key(1), key(3)), withdraw(CLAIM, key(3))])
    with pytest.raises(RedactedError):
        shelf.get(label)
    rival = shelf.put(exported(RIVAL, 2, tmp_path))
    assert shelf.get(rival.label) is not None
    assert [one.statement for one in shelf.all()] == [RIVAL.id]
    assert remembered(shelf) == 2
    back = rotate_fields(
        key=key(1).public, successor=key(4).public, time=TIME, salt=bytes(16)
    )
    ledger.append([sign_statement(back, key(9)), withdraw(RIVAL, key(2))])
    with pytest.raises(RedactedError):
        shelf.get(rival.label)
    assert shelf.put(manifest).label == label


# Questions that take long


@pytest.mark.trio
async def test_a_file_is_paid_for_in_seconds_one_by_one(
    node: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_bindings, "LEAST_SECONDS", 100.0)
    statuses: list[int] = []

    async def ask() -> None:
        headers = {"content-type": "text/plain"}
        path = "/v1/matches/byContent"
        reply = await node.post(path, content=b"x", headers=headers)
        statuses.append(reply.status_code)
        assert reply.status_code == 200 or int(reply.headers["retry-after"]) > 100

    async with trio.open_nursery() as nursery:
        for _ in range(3):
            nursery.start_soon(ask)
    assert sorted(statuses) == [200, 503, 503]


@pytest.mark.trio
async def test_nobody_who_asks_by_a_code_waits_for_a_picture(
    node: httpx.AsyncClient, manifest: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, end = threading.Event(), threading.Event()

    def slow(_shelf: Shelf, _data: bytes, _most: int) -> tuple[list[Any], int]:
        begun.set()
        end.wait(10)
        return [], 0

    monkeypatch.setattr(http_bindings, "by_content", slow)
    headers = {"content-type": "text/plain"}
    async with trio.open_nursery() as nursery:
        nursery.start_soon(
            lambda: node.post("/v1/matches/byContent", content=b"x", headers=headers)
        )
        await trio.to_thread.run_sync(begun.wait)
        with trio.fail_after(5):
            assert (await node.get("/v1/matches/byBinding", **asking())).is_success
            reply = await node.post("/v1/manifests", content=manifest, headers=C2PA)
            assert reply.is_success
        end.set()


@pytest.mark.trio
async def test_an_answer_says_what_there_was_no_time_for(
    node: httpx.AsyncClient, manifest: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = {"content-type": "text/plain"}
    assert (await node.post("/v1/manifests", content=manifest, headers=C2PA)).is_success
    monkeypatch.setattr(c2pa_lookup, "COMPARE_SECONDS", -1.0)
    monkeypatch.setattr(http_bindings, "LEAST_SECONDS", 0.0)
    path = "/v1/matches/byContent"
    reply = await node.post(path, content=b"x", headers=headers)
    assert reply.json() == {"matches": [], "notCompared": 1}
    monkeypatch.setattr(c2pa_lookup, "COMPARE_SECONDS", 60.0)
    reply = await node.post(path, content=b"x", headers=headers)
    assert reply.json() == {"matches": []}


def test_what_is_near_is_compared_first_and_not_for_ever(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = essay().encode()
    near = fingerprint([text], text).fingerprints
    assert near is not None
    prints = fingerprint_fields(near)
    claims = [claim_by(number) for number in range(10, 14)]
    claims.append(signed(ABOUT, key(9), fingerprints=prints, **{"source-type": HUMAN}))
    ledger.append(claims)
    shelf = Shelf(tmp_path / "shelf", lambda: ledger.view)
    for number, one in zip((*range(10, 14), 9), claims, strict=True):
        shelf.put(exported(one, number, tmp_path))
    clock = itertools.count()
    monkeypatch.setattr(c2pa_lookup.time, "monotonic", lambda: next(clock) * 3.0)
    (found,), left = c2pa_lookup.by_content(shelf, text, 10)
    assert left == 4
    assert found.kept.statement == claims[-1].id
    # Begun at 0; looked at after 3 seconds and after 6.
    assert next(clock) == 3
