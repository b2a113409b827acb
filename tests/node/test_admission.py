"""Admission around its core: facts of the log, memory of refusals, words of the API."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import trio
from structlog.testing import capture_logs
from tests.support.api import Backend, api
from tests.support.node_process import node_process
from tests.support.signed import TIME, key, signed, withdraw, work

from byline_ledger.admission import Arrival, Reason, Refused, Source
from byline_ledger.admission_policy import DAY, OPEN, AdmissionPolicy
from byline_ledger.buckets import Rate
from byline_ledger.codec import join_array
from byline_ledger.crypto import SigningKey
from byline_ledger.did import did_key
from byline_ledger.digest import digest_bytes, multihash
from byline_ledger.errors import StoreError
from byline_ledger.log import Ledger
from byline_ledger.proof_of_work import WorkSearch
from byline_ledger.refusals import MAX_DEFERRED_OF_PEER, MAX_IN_PLACE
from byline_ledger.statement import Source as WorkSource
from byline_ledger.statement import Statement, sign_statement
from byline_ledger.tombstone import Tombstone
from byline_node import Client, LocalClient, http_models
from byline_node.admission import Admission
from byline_node.admission_jobs import admission_jobs
from byline_node.config import NodeConfig
from byline_node.entrance import Entrance
from byline_node.errors import BusyError, RefusedError, RefusedForNowError
from byline_node.home import Home
from byline_node.log_facts import LogFacts
from byline_node.refusing import refused_error

ANN, BEN, VOUCHER = key(1), key(2), key(9)
LISTED = AdmissionPolicy(authors="listed", listed=frozenset({ANN.public}))
VOUCHED = AdmissionPolicy(authors="vouched", vouchers=frozenset({VOUCHER.public}))


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger.init(tmp_path / "node")
    yield ledger
    ledger.close()


class Clock:
    def __init__(self, now: int = TIME) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


def admission(
    ledger: Ledger, policy: AdmissionPolicy, clock: Clock | None = None
) -> Admission:
    made = Admission(ledger, policy, clock or Clock())
    made.load()
    return made


def follow(made: Admission, *statements: Statement, peer: str = "peer") -> list[bytes]:
    """Ids of those that were taken."""
    arrivals = [Arrival(Source.FOLLOW, peer, one) for one in statements]
    admitted, _ = made.take(arrivals)
    return [one.id for one in admitted]


def gossip(made: Admission, *statements: Statement) -> list[bytes]:
    arrivals = [Arrival(Source.GOSSIP, "publisher", one) for one in statements]
    return [one.id for one in made.take(arrivals)[0]]


# What the log says


def test_a_doubtful_policy_is_told(ledger: Ledger) -> None:
    policy = AdmissionPolicy.from_settings({"authors": "vouched"})
    with capture_logs() as lines:
        admission_jobs(Admission(ledger, policy), dict)
    assert ["nobody is admitted" in one["reason"] for one in lines] == [True]


def test_the_log_is_the_record_of_what_it_holds(ledger: Ledger) -> None:
    """Counted anew by a naive walk, with bodies that were taken down left out."""
    sources = (WorkSource(digest_bytes(b"s"), "parentOf", {}),)
    listed = [{"digest": one.digest, "relationship": "parentOf"} for one in sources]
    mine = [work(f"{i}", ANN, title="x" * i) for i in (0, 100, 200)]
    mine.append(work("with a source", ANN, sources=listed))
    ledger.append([*mine, work("of ben", BEN)])
    facts = LogFacts(lambda: ledger.view)
    policy = AdmissionPolicy(quota_strings=100, quota_bytes=10**6)
    held = facts.held(ANN.public, policy)
    assert (held.strings, held.bytes) == (9, sum(len(one.body) for one in mine))
    facts.add(ANN.public, held)
    assert facts.held(ANN.public, policy).strings == 18
    ledger.redact(mine[2].id, Tombstone("legal", 1))
    facts.forget()
    assert facts.held(ANN.public, policy).bytes == held.bytes - len(mine[2].body)
    assert facts.author_of(mine[2].id) is None
    assert facts.author_of(mine[0].id) == ANN.public
    assert list(facts.said_by(ANN.public)).count(mine[0]) == 1
    assert len(list(facts.said_by(ANN.public))) == 3


def test_counting_ends_where_a_quota_is_passed(ledger: Ledger) -> None:
    ledger.append([work(f"{i}", ANN) for i in range(50)])
    few = LogFacts(lambda: ledger.view).held(
        ANN.public, AdmissionPolicy(quota_strings=5)
    )
    assert (few.strings, few.bytes) == (6, 0)
    small = LogFacts(lambda: ledger.view).held(
        ANN.public, AdmissionPolicy(quota_bytes=1)
    )
    assert small.strings == 0
    assert 1 < small.bytes < 300


def test_a_quota_holds_over_several_requests(ledger: Ledger) -> None:
    made = admission(ledger, AdmissionPolicy(quota_strings=6))
    first = [work(f"{i}", ANN) for i in range(2)]
    assert len(gossip(made, *first)) == 2
    ledger.append(first)
    assert gossip(made, *first) == [one.id for one in first]
    more = [work("third", ANN), work("fourth", ANN)]
    assert gossip(made, *more) == [more[0].id]
    assert gossip(made, work("of ben", BEN))


# Vouching


def endorse(what: Statement) -> Statement:
    return signed(multihash(what.id), VOUCHER, type="endorse", role="publisher")


def test_vouched_keys_are_learned_from_the_log_and_from_what_comes(
    ledger: Ledger,
) -> None:
    photo, late = work("photo", ANN), work("photo", BEN)
    ledger.append([photo, endorse(photo)])
    made = admission(ledger, VOUCHED)
    assert follow(made, work("another", ANN), late) != []
    assert made.is_refused(late.id)
    assert made.due("peer", ["peer"]) == []
    endorsed = endorse(late)
    assert follow(made, endorsed) == [endorsed.id]
    ledger.append([endorsed])
    made.heed([endorsed], "follow")
    assert made.due("peer", ["peer"]) == [late.id]
    assert not made.is_refused(late.id)
    assert made.due("other", ["other", "peer"]) == []
    assert made.due("other", ["other"]) == [late.id]
    assert follow(made, late) == [late.id]
    assert made.due("peer", ["peer"]) == []


def test_who_left_is_not_asked_for_without_end(ledger: Ledger) -> None:
    about = multihash(sha256(ANN.public).digest())
    admitted = signed(about, VOUCHER, type="admit", time=TIME)
    left = signed(
        multihash(sha256(VOUCHER.public).digest()), ANN, type="leave", time=TIME + 1
    )
    ledger.append([admitted])
    made = admission(ledger, VOUCHED)
    assert follow(made, work("a", ANN))
    assert made.describe(ANN.public)["trusted"] is True
    ledger.append([left])
    late = work("late", ANN)
    assert follow(made, late) == []
    assert made.due("peer", ["peer"]) == []
    assert made.describe(ANN.public)["trusted"] is False


def test_a_full_memory_has_logs_read_again_for_a_newly_vouched_key(
    ledger: Ledger,
) -> None:
    """Once in ten minutes, and at the next start."""
    clock = Clock()
    made = admission(ledger, VOUCHED, clock)
    flood: list[Statement] = []
    while len(flood) <= MAX_IN_PLACE:
        one = work(f"{len(flood)}", BEN)
        flood += [one] if one.id[-1] == 7 else []
    follow(made, *flood)
    assert made.due("peer", []) == []
    assert made.rereads == 0
    for expected, pause in ((1, 0), (1, 599_999), (2, 1)):
        clock.now += pause
        made.heed([endorse(work("x", ANN))], "gossip")
        made.due("peer", [])
        assert made.rereads == expected
    made.save()
    assert admission(ledger, VOUCHED).rereads == 1
    assert admission(ledger, LISTED).rereads == 0


# The memory of refusals


def test_what_is_remembered_outlives_a_restart_and_not_another_policy(
    ledger: Ledger,
) -> None:
    made, one = admission(ledger, LISTED), work("x", BEN)
    assert follow(made, one) == []
    assert made.is_refused(one.id)
    made.save()
    made.save()
    assert admission(ledger, LISTED).is_refused(one.id)
    assert not admission(ledger, VOUCHED).is_refused(one.id)
    assert not made.change(LISTED)
    assert made.change(OPEN)
    assert not made.is_refused(one.id)
    assert made.digest == OPEN.digest


def test_a_memory_that_cannot_be_read_or_written(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read: fetched again.  Written: tried again."""
    made, one = admission(ledger, LISTED), work("x", BEN)
    follow(made, one)

    def fail(_: object) -> None:
        raise StoreError("no space")

    with monkeypatch.context() as patch:
        patch.setattr(ledger, "put_records", fail)
        with pytest.raises(StoreError):
            made.save()
    made.save()
    assert admission(ledger, LISTED).is_refused(one.id)
    name = b"admission/refused/%d" % one.id[-1]
    ledger.put_record(name, b"\x02")
    assert not admission(ledger, LISTED).is_refused(one.id)


def test_of_gossip_only_what_holds_everywhere_and_for_good_is_remembered(
    ledger: Ledger,
) -> None:
    policy = AdmissionPolicy(
        denied_authors=frozenset({BEN.public}),
        clock_ahead_minutes=1,
        clock_behind_days=1,
        peer=Rate(1, 66),
    )
    made = admission(ledger, policy, Clock(TIME))
    denied = work("denied", BEN)
    early, old = work("e", ANN, time=TIME + DAY), work("o", ANN, time=TIME - 2 * DAY)
    assert gossip(made, denied, early, old) == []
    assert [made.is_refused(one.id) for one in (denied, early, old)] == [
        True,
        False,
        False,
    ]
    assert made.due("peer", []) == []
    assert made.status()["remembered"] == {"denied-author": 1}
    assert {one["reason"] for one in made.status()["refused"]} == {
        "denied-author",
        "too-early",
        "too-old",
    }
    # A followed log has it as well, under a policy that denies nothing for long.
    assert follow(made, old) == [old.id]


def test_those_deferred_come_one_after_the_other(ledger: Ledger) -> None:
    """So that none is fetched in vain."""
    clock = Clock()
    made = admission(ledger, AdmissionPolicy(author=Rate(60, 66)), clock)
    flood = [work(f"{i}", ANN) for i in range(36)]
    assert len(follow(made, *flood)) == 33
    assert made.status()["deferred"] == 3
    for number in range(33, 36):
        assert made.due("peer", ["peer"]) == []
        clock.now += 120_000
        assert made.due("peer", ["peer"]) == [flood[number].id]
        assert follow(made, flood[number]) == [flood[number].id]
    assert made.status()["deferred"] == 0


def test_a_peer_has_only_so_much_room_to_wait(ledger: Ledger) -> None:
    made = admission(ledger, AdmissionPolicy(author=Rate(60, 66)))
    flood = [work(f"{i}", ANN) for i in range(33 + MAX_DEFERRED_OF_PEER + 1)]
    arrivals = [Arrival(Source.FOLLOW, "peer", one) for one in flood]
    assert made.take(arrivals[:-1])[1] is False
    assert made.is_full("peer")
    assert not made.is_full("another")
    assert made.take(arrivals[-1:]) == ([], True)
    assert not made.is_refused(flood[-1].id)


def test_what_is_dated_years_ahead_fills_no_room(ledger: Ledger) -> None:
    clock = Clock()
    made = admission(ledger, AdmissionPolicy(clock_ahead_minutes=0), clock)
    soon, never = work("a", time=TIME + DAY - 1), work("b", time=2**63 - 1)
    assert follow(made, soon, never) == []
    assert made.status()["deferred"] == 1
    assert made.is_refused(never.id, "peer")
    clock.now += DAY
    assert made.due("peer", ["peer"]) == [soon.id]


@pytest.mark.trio
async def test_submitting_says_when_no_more_can_wait(ledger: Ledger) -> None:
    """What is admitted is appended all the same; a failed append counts nothing."""
    made = admission(ledger, AdmissionPolicy(author=Rate(60, 66), quota_strings=10**6))
    taken: list[Statement] = []

    async def submit(statements: Sequence[Statement], source: str) -> Any:
        taken.extend(statements)
        ledger.append(statements)

    async def fail(statements: Sequence[Statement], source: str) -> Any:
        raise StoreError("no space")

    flood = [work(f"{i}", ANN) for i in range(33 + MAX_DEFERRED_OF_PEER + 1)]
    peers = ["peer"] * len(flood)
    with pytest.raises(BusyError):
        await Entrance(made, submit).submit(flood, "follow", peers)
    assert taken == flood[:33]
    with pytest.raises(StoreError):
        await Entrance(made, fail).submit([work("x", BEN)], "gossip", ["p"])


@pytest.mark.trio
async def test_what_two_bring_at_once_is_decided_once(ledger: Ledger) -> None:
    """The second finds the bucket empty for the sake of the very same statements."""
    made = admission(ledger, AdmissionPolicy(author=Rate(60, 66)))
    appended, both = trio.Event(), [work(f"{i}", ANN) for i in range(33)]
    seen: list[int] = []

    async def submit(statements: Sequence[Statement], source: str) -> Any:
        seen.append(len(statements))
        await appended.wait()

    async with trio.open_nursery() as nursery:
        for source in ("gossip", "follow"):
            entrance = Entrance(made, submit)
            nursery.start_soon(entrance.submit, both, source, ["p"] * 33)
        with trio.fail_after(10):
            while len(seen) < 2:  # noqa: ASYNC110  # filled by the tasks above
                await trio.sleep(0.001)
        appended.set()
    assert seen == [33, 33]
    assert made.status()["remembered"] == {}
    # They were not appended after all.
    assert follow(made, *both) == []


# The API


def batch(*statements: Statement) -> bytes:
    return join_array([one.to_envelope() for one in statements])


HEADERS = {"content-type": "application/vnd.msgpack"}


@pytest.fixture
async def listed(ledger: Ledger) -> AsyncIterator[Any]:
    backend = Backend(ledger, LISTED)
    async with trio.open_nursery() as nursery, api(backend) as client:
        nursery.start_soon(backend.writer.run)
        yield client
        await backend.writer.close()


@pytest.mark.trio
async def test_a_refused_request_is_refused_whole_and_with_its_reason(
    listed: Any, ledger: Ledger
) -> None:
    mine, other = work("a", ANN), work("b", BEN)
    response = await listed.post(
        "/v1/statements", content=batch(mine, other), headers=HEADERS
    )
    assert response.status_code == 403
    assert "retry-after" not in response.headers
    problem = http_models.Refusal.model_validate(response.json()).error
    assert (problem.kind, problem.reason, problem.until) == (
        "refused",
        "not-listed",
        None,
    )
    assert problem.message.startswith("statement 2 of 2: this node takes")
    assert ledger.view.statement_count == 0
    response = await listed.post("/v1/statements", content=batch(mine), headers=HEADERS)
    assert response.status_code == 200


@pytest.mark.trio
async def test_the_policy_is_told_to_whoever_asks(listed: Any) -> None:
    value = (await listed.get("/v1/admission")).json()
    http_models.Admission.model_validate(value)
    assert value["settings"] == {"authors": "listed", "listed": 1}
    for author, trusted in ((ANN, True), (BEN, False)):
        asked = f"/v1/admission?author={did_key(author.public)}"
        value = (await listed.get(asked)).json()
        http_models.Admission.model_validate(value)
        assert (value["trusted"], value["work_bits"]) == (trusted, 0)
    assert (await listed.get("/v1/admission?author=x")).status_code == 400
    status = http_models.Status.model_validate((await listed.get("/v1/status")).json())
    assert status.admission.authors == "listed"


@pytest.mark.trio
async def test_a_rate_is_answered_with_when_to_come_again(ledger: Ledger) -> None:
    backend = Backend(ledger, AdmissionPolicy(author=Rate(3600, 66)))
    async with trio.open_nursery() as nursery, api(backend) as http:
        nursery.start_soon(backend.writer.run)
        many = batch(*(work(f"{i}", ANN) for i in range(33)))
        first = await http.post("/v1/statements", content=many, headers=HEADERS)
        assert first.status_code == 200
        again = await http.post("/v1/statements", content=many, headers=HEADERS)
        assert again.status_code == 200, "it is there already, and costs nothing"
        more = batch(work("more", ANN))
        late = await http.post("/v1/statements", content=more, headers=HEADERS)
        assert late.status_code == 429
        assert 1 <= int(late.headers["retry-after"]) <= 2
        problem = http_models.Refusal.model_validate(late.json()).error
        assert (problem.kind, problem.reason) == ("refused-for-now", "author-rate")
        assert problem.hint is not None
        assert problem.hint.startswith("try again in ")
        other = await http.post(
            "/v1/statements", content=batch(work("x", BEN)), headers=HEADERS
        )
        assert other.status_code == 200
        await backend.writer.close()


def test_the_local_store_goes_by_the_same_policy(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with LocalClient(home) as local:
        local.publish([work("before", BEN)])
    NodeConfig(tmp_path, admission=LISTED).write()
    with LocalClient(home) as local:
        assert local.admission(ANN.public)["trusted"] is True
        local.publish([work("a", ANN)])
        with pytest.raises(RefusedError) as caught:
            local.publish([work("b", BEN)])
        assert caught.value.exit_code == 77
        assert local.status()["admission"]["refused"][0]["count"] == 1


def test_of_too_much_at_a_time_the_front_is_taken(tmp_path: Path) -> None:
    """The same on the store and on a node; the rest can come when it is time."""
    slow = AdmissionPolicy(author=Rate(1, 66))
    mine = [work(f"{i}", ANN) for i in range(40)]
    (tmp_path / "node").mkdir()
    NodeConfig(tmp_path, admission=slow).write()
    taken: list[int] = []
    with node_process(tmp_path) as node, node.wait_ready() as client:
        with pytest.raises(RefusedForNowError) as caught:
            client.publish(mine, progress=taken.append)
        assert sum(taken) == 33
        assert client.status()["statements"] == 33
        assert caught.value.reason == "author-rate"
        node.stop()
    theirs = [work(f"{i}", BEN) for i in range(40)]
    with LocalClient(Home(tmp_path)) as local:
        with pytest.raises(RefusedForNowError):
            local.publish(theirs, progress=taken.append)
        assert sum(taken) == 66
        assert [one.new for one in local.publish(theirs[:33])] == [False] * 33


# Words


@pytest.mark.parametrize(
    ("wait", "hint"),
    [
        (1, "1 second"),
        (90_000, "90 seconds"),
        (121_000, "3 minutes"),
        (7_200_001, "3 hours"),
    ],
)
def test_waiting_is_told_in_round_figures(wait: int, hint: str) -> None:
    verdict = Refused(Reason.PEER_RATE, "text", TIME + wait)
    error = refused_error(verdict, TIME)
    assert isinstance(error, RefusedForNowError)
    assert error.hint == f"try again in {hint}"
    later = refused_error(Refused(Reason.TOO_EARLY, "text", TIME + DAY), TIME)
    assert not isinstance(later, RefusedForNowError)
    assert later.until == TIME + DAY


def with_work(bits: int, by: SigningKey) -> Statement:
    about = digest_bytes(b"x")
    fields = {"type": "work", "about": about, "time": TIME, "salt": bytes(16)}
    search = WorkSearch(fields, by.public, bits)
    found = search.step(1 << 20)
    assert found is not None
    return sign_statement(found, by)


def test_work_or_trust(ledger: Ledger) -> None:
    policy = AdmissionPolicy(work_bits=6, listed=frozenset({BEN.public}))
    made = admission(ledger, policy)
    one = with_work(6, ANN)
    assert gossip(made, one, with_work(5, ANN), work("x", ANN)) == [one.id]
    assert len(gossip(made, work("x", BEN))) == 1
    assert made.describe(ANN.public)["work_bits"] == 6
    assert made.describe(BEN.public)["work_bits"] == 0
    rules = dict(made.explain(work("x", ANN), Source.API, "p"))
    assert rules.pop("work") is not None
    assert set(rules.values()) == {None}


def test_a_client_reads_the_reason(tmp_path: Path) -> None:
    (tmp_path / "node").mkdir()
    NodeConfig(tmp_path, admission=LISTED).write()
    with node_process(tmp_path) as node, node.wait_ready() as client:
        assert isinstance(client, Client)
        with pytest.raises(RefusedError) as caught:
            client.publish([work("b", BEN), withdraw(work("c", BEN), BEN)])
        assert (caught.value.reason, caught.value.until) == ("not-listed", None)
        assert client.admission(ANN.public)["trusted"] is True
