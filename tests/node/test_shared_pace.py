"""Many who speak in turn: together never more often than was agreed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from byline_node.shared_pace import SharedPace

SECONDS, LEAST, MOST = 1.0, 5.0, 600.0


class Speaker:
    """A pace, and the time it goes by."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pace = SharedPace(SECONDS, LEAST, MOST, lambda: self.now)

    def hear(self, count: int) -> None:
        for number in range(count):
            self.pace.hear(f"{number}")


def is_about(pause: float, seconds: float) -> bool:
    return 0.75 * seconds <= pause <= 1.25 * seconds


@given(st.integers(0, 2_000))
def test_a_pause_grows_with_those_who_speak(others: int) -> None:
    one = Speaker()
    one.hear(others)
    one.hear(others)  # again: still the same
    wanted = min(max(SECONDS * (others + 1), LEAST), MOST)
    assert is_about(one.pace.pause(), wanted)


def test_who_is_silent_for_five_pauses_no_longer_counts() -> None:
    one = Speaker()
    one.hear(20)
    one.now += 5 * 21
    one.pace.hear("0")
    assert is_about(one.pace.pause(), 21)
    one.now += 1
    assert is_about(one.pace.pause(), LEAST)


def test_strangers_with_many_names_fill_no_memory() -> None:
    one = Speaker()
    one.hear(10_000)
    assert len(one.pace._heard) == MOST / SECONDS
    assert is_about(one.pace.pause(), MOST)
