"""Questions about one work that name the keys that the reader trusts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from tests.node.test_client import Both, carry, ok
from tests.support.api import Backend, api

from byline_ledger.answer import Answer
from byline_ledger.bundle import Bundle, build_bundle
from byline_ledger.chain import WORK_PAGE
from byline_ledger.content import work_fields
from byline_ledger.crypto import SigningKey
from byline_ledger.digest import digest_bytes
from byline_ledger.errors import UsageError, VerificationError
from byline_ledger.log import Ledger
from byline_ledger.statement import Statement, sign_statement
from byline_node import calls
from byline_node.home import Home
from byline_node.local import LocalClient

WORK = digest_bytes(b"photo")
FLOODER, *HONEST = [SigningKey.from_seed(bytes([n] * 32)) for n in range(5, 13)]


def claim(key: SigningKey, number: int = 0) -> Statement:
    salt = number.to_bytes(16, "big")
    return sign_statement(work_fields(about=WORK, made="human", time=1, salt=salt), key)


FLOOD = [claim(FLOODER, n) for n in range(WORK_PAGE)] + [claim(one) for one in HONEST]


def authors(answer: Answer) -> set[bytes]:
    return {one.author for one in answer.works[0].claims}


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger.init(tmp_path / "node")
    ledger.append(FLOOD)
    yield ledger
    ledger.close()


@pytest.fixture(params=["Client", "AsyncClient"])
async def node(ledger: Ledger, request: pytest.FixtureRequest) -> AsyncIterator[Both]:
    async with api(Backend(ledger)) as plain:
        both = Both(str(plain.base_url), blocking=request.param == "Client")
        yield both
        await both("close")


@pytest.mark.trio
async def test_nobody_crowds_out_the_keys_that_are_named(node: Both) -> None:
    missing = {one.public for one in HONEST} - authors(await node("query", WORK))
    assert missing
    answer = await node("query", WORK, keys=missing)
    assert missing <= authors(answer)
    bundle = await node("query_bundle", WORK[2:].hex(), keys=missing)
    assert set(Bundle.from_bytes(bundle).keys) == missing


def test_a_store_answers_the_same(tmp_path: Path) -> None:
    with LocalClient(Home(tmp_path)) as client:
        client.publish(FLOOD)
        missing = {one.public for one in HONEST} - authors(client.query(WORK))
        assert missing
        assert missing <= authors(client.query(WORK, keys=missing))
        bundle = client.query_bundle(WORK, keys=missing)
        assert calls.read_answer(bundle, WORK, 4, keys=missing).known


def test_an_answer_that_leaves_out_the_keys_is_refused(ledger: Ledger) -> None:
    """A node cannot answer another question than the one that was put."""
    bundle = build_bundle(ledger.view, WORK)
    keys = [HONEST[0].public]
    with pytest.raises(VerificationError, match="does not hold"):
        carry(calls.query(WORK, keys=keys), lambda call: ok(bundle))


@pytest.mark.parametrize(
    "keys", [[bytes([n] * 32) for n in range(17)], [bytes(31)]], ids=["many", "short"]
)
def test_keys_that_nobody_may_name(keys: list[bytes]) -> None:
    with pytest.raises(UsageError, match="expected"):
        next(calls.query(WORK, keys=keys))
