"""Statistics over HTTP, of a store, and of a set."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import trio
from tests.support.api import Backend, api
from tests.support.signed import withdraw, work

from byline_ledger.digest import digest_bytes
from byline_ledger.errors import MalformedError
from byline_ledger.log import Ledger
from byline_ledger.manifest import ManifestRow
from byline_ledger.verify import verify_bundle
from byline_node import AsyncClient, Client, http_stats
from byline_node.calls import Reply
from byline_node.home import Home
from byline_node.local import LocalClient
from byline_node.manifests import write_manifest
from byline_node.stats_client import ask_stats, count_all, count_on, count_set

HUMAN = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCreation"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger.init(tmp_path / "node")
    said = [work(f"w{number}", **{"source-type": HUMAN}) for number in range(3)]
    ledger.append([*said, withdraw(said[0])])
    yield ledger
    ledger.close()


@pytest.fixture
async def url(ledger: Ledger, nursery: trio.Nursery) -> AsyncIterator[str]:
    backend = Backend(ledger)
    nursery.start_soon(backend.writer.run)
    async with api(backend) as plain:
        yield str(plain.base_url)


@pytest.mark.trio
async def test_a_node_counts_a_step_for_each_question(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_stats, "STEP", 3)
    async with AsyncClient(url) as node:
        first = await node.stats()
        assert (first["counted"], first["complete"]) == (3, False)
        await node.stats()
        found = await node.stats()
        assert found["complete"]
        assert (found["claims"]["human"], found["withdrawn"]["human"]) == (2, 1)
        again = await node.stats()
        assert again == found


@pytest.mark.trio
async def test_both_clients_ask_alike_and_there_is_a_page(
    url: str, ledger: Ledger
) -> None:
    def blocking() -> object:
        with Client(url) as node:
            return node.stats()

    found = await trio.to_thread.run_sync(blocking)
    assert found == count_all(ledger.view, lambda _done, _total: None)
    backend = Backend(ledger)
    async with api(backend) as plain:
        page = await plain.get("/stats")
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "2 claims that stand, 1" in page.text


@pytest.mark.trio
async def test_bundles_of_many_works_come_over_http(url: str) -> None:
    works = [digest_bytes(f"w{number}".encode()) for number in range(4)]
    async with AsyncClient(url) as node:
        bundles = [one async for one in node.prove_many(works, depth=1)]
    ((data, answers),) = bundles
    assert set(answers) == set(works)
    assert verify_bundle(data, digests=works).ok


COUNTS = b'{"human":1,"assisted":0,"generated":0,"other":0,"unknown":0}'


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"{}",
        b'{"entries": 1, "counted": "2"}',
        b'{"entries": 1, "counted": 1, "claims": {"human": 1}}',
        b'{"entries": 1, "counted": 1, "claims": %s, "withdrawn": %s, "by_year": []}'
        % (COUNTS, COUNTS),
        b'{"entries":1,"counted":1,"claims":%s,"withdrawn":%s,"by_year":{"2020":-1}}'
        % (COUNTS, COUNTS),
    ],
)
def test_what_is_no_answer_is_malformed(body: bytes) -> None:
    asking = ask_stats()
    assert next(asking).path == "/v1/stats"
    with pytest.raises(MalformedError):
        asking.send(Reply(200, body))


class Stuck:
    """A node that never gets on."""

    def __init__(self, *counted: int) -> None:
        self._counted = list(counted)

    def stats(self) -> dict[str, int]:
        return {"counted": self._counted.pop(0), "entries": 9}


def test_a_node_that_does_not_count_on_is_not_asked_for_ever() -> None:
    told: list[tuple[int, int]] = []

    def report(done: int, total: int) -> None:
        told.append((done, total))

    whole: Any = Stuck(3, 6, 9)
    assert count_on(whole, report)["counted"] == 9
    assert told == [(3, 9), (6, 9)]
    stuck: Any = Stuck(3, 3)
    with pytest.raises(MalformedError, match="does not go on"):
        count_on(stuck, report)


def test_a_store_is_counted_in_steps(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("byline_node.stats_client.STEP", 2)
    told: list[tuple[int, int]] = []
    count_all(ledger.view, lambda done, total: told.append((done, total)))
    size = ledger.view.size
    assert told == [(done, size) for done in range(2, size, 2)]


def test_a_set_has_its_unattested_works(tmp_path: Path) -> None:
    manifest = tmp_path / "set.csv"
    digests = [digest_bytes(f"w{number}".encode()) for number in range(3)]
    write_manifest(manifest, [ManifestRow(2, one, None, 5) for one in digests])
    with manifest.open("a") as file:
        file.write("nonsense,,,,,\n")
    with LocalClient(Home(tmp_path / "home")) as client:
        client.publish([work("w1", **{"source-type": HUMAN})])
        told: list[int] = []
        found = count_set(manifest, client, told.append)
    assert found.works == {"human": 1, "unattested": 2}
    assert found.bytes == {"human": 5, "unattested": 10}
    assert [one.number for one in found.bad] == [5]
    assert sum(told) == 3
