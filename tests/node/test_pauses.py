"""What takes long is done less often."""

from byline_node.pauses import SHARE, seconds_between


def test_a_pause_is_so_many_times_as_long_as_what_came_before() -> None:
    assert seconds_between(0.5, least=2.0, most=5.0) == 0.5 * SHARE


def test_a_pause_has_bounds() -> None:
    assert seconds_between(0.01, least=2.0, most=5.0) == 2.0
    assert seconds_between(9.0, least=2.0, most=5.0) == 5.0
