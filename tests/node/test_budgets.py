"""Budgets: units that come back by the second, for a bounded number of strangers."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack

import pytest

from byline_node import host_setup
from byline_node.budgets import MAX_CLIENTS, Budget, owner_of
from byline_node.errors import PeerError


def test_a_budget_forgets_who_was_not_here_for_long() -> None:
    budget = Budget(1.0, 1.0, lambda: 0.0)
    budget.charge("first", 5)
    assert budget.wait("first") == 4
    for number in range(MAX_CLIENTS):
        budget.charge(str(number), 1)
    assert budget.wait("first") == 0
    assert len(budget._left) == MAX_CLIENTS


@pytest.mark.parametrize(
    ("ip", "name"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("example.com", ""),
        ("", ""),
    ],
)
def test_who_shares_a_budget(ip: str, name: str) -> None:
    assert owner_of(ip) == name


def test_the_addresses_of_one_network_are_one_owner() -> None:
    """Anybody with IPv6 has as many addresses as there are limits."""
    counter: Counter[str] = Counter()
    door = host_setup.OpenDoor()
    with ExitStack() as held:
        for ip in ("2001:db8::1", "2001:db8::2"):
            held.enter_context(host_setup.counted(counter, ip, 2, door))
        with pytest.raises(PeerError, match="too many connections"):
            held.enter_context(host_setup.counted(counter, "2001:db8::3", 2, door))
        held.enter_context(host_setup.counted(counter, "2001:db8:0:1::1", 2, door))
    assert not counter


def test_requests_are_taken_while_a_whole_one_is_left() -> None:
    now = 0.0
    budget = Budget(2.0, 3.0, lambda: now)
    assert [budget.takes("a") for _ in range(4)] == [True, True, True, False]
    assert budget.takes("b")
    now = 0.4
    assert not budget.takes("a")
    now = 0.5
    assert [budget.takes("a") for _ in range(2)] == [True, False]
