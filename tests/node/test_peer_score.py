"""The score of peers: bounded, fading, and no refusal is for ever."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from byline_node import peer_conduct, peer_score
from byline_node.peer_conduct import Conduct
from byline_node.peer_score import (
    FIRST_REFUSAL,
    FORGIVE,
    HALF_LIFE,
    LIMIT,
    MAX_PEERS,
    MAX_REFUSAL,
    OWN_REFUSAL,
    Fault,
    PeerScores,
)

faults = st.sampled_from(Fault)
steps = st.lists(
    st.tuples(st.sampled_from(["a", "b", "own"]), faults, st.floats(0, 5_000)),
    max_size=200,
)


def refuse(scores: PeerScores, peer: str, now: float) -> None:
    """Charges a peer until it is refused."""
    while not scores.charge(peer, Fault.LIE, now):
        pass


def test_a_peer_is_refused_at_the_limit_and_not_before() -> None:
    scores = PeerScores()
    needed = LIMIT / Fault.LIE.points
    charged = [scores.charge("a", Fault.LIE, 0.0) for _ in range(int(needed))]
    assert charged == [False] * (int(needed) - 1) + [True]
    assert scores.refused_for("a", 0.0) == FIRST_REFUSAL
    assert scores.refused_for("a", FIRST_REFUSAL) == 0
    assert scores.refused_for("b", 0.0) == 0
    assert scores.last_fault("a") is Fault.LIE
    assert scores.last_fault("b") is None


def test_points_fade() -> None:
    """Who errs now and then, as others do, is never refused."""
    scores = PeerScores()
    scores.charge("a", Fault.MALFORMED, 0.0)
    assert scores.score("a", 0.0) == -20
    assert scores.score("a", HALF_LIFE) == -10
    assert scores.score("a", 100 * HALF_LIFE) == 0
    assert not any(
        scores.charge("b", Fault.MALFORMED, i * HALF_LIFE) for i in range(99)
    )


def test_each_refusal_is_longer_but_bounded_and_forgotten_in_time() -> None:
    scores = PeerScores()
    now, lengths = 0.0, []
    for _ in range(12):
        refuse(scores, "a", now)
        lengths.append(scores.refused_for("a", now))
        now += lengths[-1] + 1
    assert lengths[:3] == [FIRST_REFUSAL, 2 * FIRST_REFUSAL, 4 * FIRST_REFUSAL]
    assert max(lengths) == lengths[-1] == MAX_REFUSAL
    now += FORGIVE
    refuse(scores, "a", now)
    assert scores.refused_for("a", now) == pytest.approx(FIRST_REFUSAL)


def test_who_comes_back_and_goes_on_is_refused_sooner() -> None:
    scores = PeerScores()
    refuse(scores, "a", 0.0)
    after = FIRST_REFUSAL
    assert not scores.charge("a", Fault.LIE, after)
    charges = 1
    while not scores.charge("a", Fault.LIE, after):
        charges += 1
    assert charges < LIMIT / Fault.LIE.points


@given(steps)
def test_no_refusal_is_longer_than_it_may_be(
    charges: list[tuple[str, Fault, float]],
) -> None:
    """Whatever comes: bounded refusals, and short ones for the operator's own peers."""
    scores = PeerScores(frozenset({"own"}))
    now = 0.0
    for peer, fault, pause in charges:
        now += pause
        was_refused = scores.refused_for(peer, now) > 0
        if scores.charge(peer, fault, now):
            assert not was_refused
            assert scores.refused_for(peer, now) > 0
        assert scores.refused_for("own", now) <= OWN_REFUSAL
        for one in ("a", "b", "own"):
            assert scores.refused_for(one, now) <= MAX_REFUSAL
            assert -2 * LIMIT <= scores.score(one, now) <= 0
    now += MAX_REFUSAL
    assert not any(scores.refused_for(one, now) for one in ("a", "b", "own"))


@given(st.lists(st.tuples(st.integers(0, 30), faults), max_size=300))
def test_memory_is_bounded_and_the_worst_are_remembered(
    charges: list[tuple[int, Fault]],
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(peer_score, "MAX_PEERS", 8)
        scores = PeerScores()
        refuse(scores, "worst", 0.0)
        for number, (peer, fault) in enumerate(charges):
            scores.charge(str(peer), fault, float(number))
            assert len(scores) <= 8
        refused = sum(scores.refused_for(str(i), 300.0) > 0 for i in range(31))
        assert scores.refused_for("worst", 300.0) or refused >= 7


def test_a_crowd_of_strangers_takes_no_more_memory_than_there_is() -> None:
    scores = PeerScores()
    refuse(scores, "worst", 0.0)
    for number in range(3 * MAX_PEERS):
        scores.charge(str(number), Fault.BAD_GOSSIP, 1.0)
    assert len(scores) == MAX_PEERS
    assert scores.refused_for("worst", 1.0)


# What comes of it


async def conduct_of(own: list[str]) -> tuple[Conduct, list[str]]:
    dropped: list[str] = []
    return Conduct(own, dropped.append), dropped


@pytest.mark.trio
async def test_a_refused_peer_is_dropped_once_and_each_fault_is_one_line() -> None:
    conduct, dropped = await conduct_of(["own"])
    with capture_logs() as lines:
        for _ in range(300):
            conduct.charge("a", Fault.FLOOD, "too many messages")
        for _ in range(5):
            conduct.charge("own", Fault.LIE, "a proof leads nowhere")
    assert dropped == ["a", "own"]
    assert [(line["event"], line.get("what")) for line in lines] == [
        ("peer misbehaves", "flood"),
        ("peer refused", None),
        ("peer misbehaves", "lie"),
        ("peer refused", None),
    ]
    assert conduct.refused_for("a") > OWN_REFUSAL >= conduct.refused_for("own") > 0
    assert conduct.score("a") < 0 == conduct.score("b")


@pytest.mark.trio
async def test_strangers_are_counted_together_and_lines_are_few(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However many of them there are, and whatever they are called."""
    conduct, _ = await conduct_of([])
    with capture_logs() as lines:
        for number in range(5_000):
            conduct.turn_away(f"192.0.2.{number}", "no handshake")
            conduct.charge(str(number), Fault.BAD_GOSSIP, "forged")
    assert len(lines) <= peer_conduct.MAX_LINES
    monkeypatch.setattr(peer_conduct, "QUIET_SECONDS", 0.0)
    with capture_logs() as lines:
        conduct.turn_away("192.0.2.1", "no handshake")
    assert lines[0]["times"] == 5_000
