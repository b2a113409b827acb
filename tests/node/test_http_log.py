"""A log's files over HTTP: headers, conditions, and paths as they were sent."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
import trio
from tests.support.api import Backend, api
from tests.support.logs import take_down, works

from byline_ledger.digest import cid_of_statement
from byline_ledger.errors import NotFoundError, RedactedError
from byline_ledger.log import Ledger
from byline_ledger.log_files import (
    Bodies,
    StatementName,
    log_file,
    new_bundles,
    parse_ids,
)
from byline_ledger.tiles import Tile, new_tiles
from byline_ledger.tombstone import Tombstone
from byline_node import http_models
from byline_node.client import AsyncClient
from byline_node.http_log import FOR_EVER, matches

pytestmark = pytest.mark.trio

ENVELOPE = {"accept": "application/vnd.byline.statement"}


STATEMENTS = works(0, 300)


def all_tiles(size: int) -> list[Tile]:
    return [*new_bundles(0, size), *new_tiles(0, size)]


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger.init(tmp_path / "node")
    ledger.append(STATEMENTS)
    yield ledger
    ledger.close()


@pytest.fixture
async def client(
    ledger: Ledger, nursery: trio.Nursery
) -> AsyncIterator[httpx.AsyncClient]:
    async with api(Backend(ledger)) as client:
        yield client


async def raw_get(client: httpx.AsyncClient, target: str) -> httpx.Response:
    """A request for exactly these bytes: httpx would tidy the path up."""
    return await client.get("/", extensions={"target": target.encode()})


async def test_every_file_of_the_log_is_served_with_its_type(
    client: httpx.AsyncClient, ledger: Ledger
) -> None:
    tiles = [tile.to_path() for tile in all_tiles(ledger.view.size)]
    bodies = [Bodies(tile).to_path() for tile in new_bundles(0, ledger.view.size)]
    for path in ["checkpoint", "vkey", "statements/gone", *tiles, *bodies]:
        expected = log_file(ledger.view, path)
        response = await client.get(f"/log/{path}")
        assert response.status_code == 200
        assert response.content == expected.data
        assert response.headers["content-type"] == expected.media_type
        head = await client.head(f"/log/{path}")
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-length"] == str(len(expected.data))


async def test_tiles_may_be_kept_for_ever(client: httpx.AsyncClient) -> None:
    for path in ("tile/0/000", "tile/0/001.p/1", "tile/entries/000"):
        response = await client.get(f"/log/{path}")
        assert response.headers["cache-control"] == FOR_EVER
        assert "vary" not in response.headers


async def test_the_checkpoint_is_sent_again_only_if_it_changed(
    client: httpx.AsyncClient, ledger: Ledger
) -> None:
    first = await client.get("/log/checkpoint")
    assert "must-revalidate" in first.headers["cache-control"]
    known = {"if-none-match": first.headers["etag"]}
    again = await client.get("/log/checkpoint", headers=known)
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert again.headers["cache-control"] == first.headers["cache-control"]
    ledger.append(works(300, 301))
    changed = await client.get("/log/checkpoint", headers=known)
    assert changed.status_code == 200
    assert changed.headers["etag"] != first.headers["etag"]


async def test_a_condition_names_one_of_many_tags_weak_or_strong() -> None:
    assert matches('"a"', '"a"')
    assert matches('"a"', 'W/"b", W/"a"')
    assert matches('"a"', "*")
    assert not matches('"a"', "")
    assert not matches('"a"', '"b"')
    assert not matches('"a"', "a")
    assert not matches('"a"', "," * 5_000 + '"a"')


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile//000",
        "/checkpoint",
        "%63heckpoint",
        "tile%2F0%2F000",
        "tile/0/%30%30%30",
        "tile/../checkpoint",
        "tile/0/../0/000",
        "%2e%2e/v1/status",
        "tile/0/0000",
        "tile/0/x000/001",
        "tile/01/000",
        "tile/64/000",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/entries/000.p/256",
        "tile/0/%D9%A0%D9%A0%D9%A0",
        "tile/0/%FF",
        "statements/00/" + "00" * 31,
        "secret",
        "x" * 4_000,
    ],
)
async def test_a_path_in_any_other_spelling_is_malformed(
    client: httpx.AsyncClient, path: str
) -> None:
    response = await raw_get(client, f"/log/{path}")
    assert response.status_code == 400
    problem = http_models.Failure.model_validate(response.json()).error
    assert problem.kind == "malformed"
    assert "\n" not in problem.message
    assert len(problem.message) < 200
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/002",
        "tile/0/001",
        "tile/0/001.p/47",
        "tile/1/000",
        "tile/2/000.p/1",
        "tile/63/x009/x223/x372/x036/x854/x775/807",
        "tile/entries/x999/999",
        "statements/00/" + "00" * 32,
        "statements/00/" + "00" * 32 + ".gone",
    ],
)
async def test_what_the_log_does_not_have_yet_is_404_and_not_cached(
    client: httpx.AsyncClient, path: str
) -> None:
    response = await client.get(f"/log/{path}")
    assert response.status_code == 404
    assert response.json()["error"]["kind"] == "not-found"
    assert response.headers["cache-control"] == "no-store"


async def test_a_log_is_only_read(client: httpx.AsyncClient) -> None:
    for method in ("POST", "PUT", "DELETE"):
        response = await client.request(method, "/log/checkpoint")
        assert response.status_code == 405
        assert response.json()["error"]["kind"] == "usage"


async def test_a_body_that_was_taken_down_is_gone_and_its_tombstone_says_why(
    client: httpx.AsyncClient, ledger: Ledger
) -> None:
    one = STATEMENTS[7]
    name = StatementName(one.id)
    path = f"/log/{name.to_path()}"
    before = await client.get(path)
    assert before.content == one.to_envelope()
    assert "immutable" not in before.headers["cache-control"]
    take_down(ledger, one, reason="court order")
    after = await client.get(path, headers={"if-none-match": before.headers["etag"]})
    assert after.status_code == 410
    tombstone = (await client.get(f"{path}.gone")).content
    assert Tombstone.from_bytes(tombstone).reason == "court order"
    listed = (await client.get("/log/statements/gone")).content
    assert parse_ids(listed) == [one.id]


async def test_a_statement_by_its_id_is_410_with_the_tombstone(
    client: httpx.AsyncClient, ledger: Ledger
) -> None:
    one = STATEMENTS[7]
    take_down(ledger, one, reason="court order")
    for headers in ({}, ENVELOPE):
        response = await client.get(
            f"/v1/statements/{cid_of_statement(one.id)}", headers=headers
        )
        assert response.status_code == 410
        answer = http_models.Redacted.model_validate(response.json())
        assert answer.error.kind == "redacted"
        assert answer.tombstone is not None
        assert answer.tombstone.reason == "court order"
        assert answer.tombstone.time == 1_790_000_000_000


async def test_our_client_tells_a_takedown_from_a_statement_nobody_knows(
    client: httpx.AsyncClient, ledger: Ledger
) -> None:
    one = STATEMENTS[7]
    take_down(ledger, one, reason="court order")
    async with AsyncClient(str(client.base_url)) as node:
        with pytest.raises(RedactedError, match="court order"):
            await node.statement(one.id)
        with pytest.raises(NotFoundError) as caught:
            await node.statement(bytes(32))
        assert not isinstance(caught.value, RedactedError)


async def test_one_connection_fetches_many_tiles(client: httpx.AsyncClient) -> None:
    connections = set()
    for _ in range(20):
        async with client.stream("GET", "/log/tile/0/000") as response:
            await response.aread()
            stream = response.extensions["network_stream"]
            connections.add(stream.get_extra_info("client_addr"))
    assert len(connections) == 1
