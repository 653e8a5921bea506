"""Who comes in by a ticket is counted once, however often and after whatever time the ticket is brought."""

from __future__ import annotations

from quiz.door.arrivals import REMEMBERED, Arrivals


def test_a_place_counts_once() -> None:
    arrivals = Arrivals()
    assert [arrivals.is_new(number, 0) for number in (5, 3, 5, 3, 9)] == [True, True, False, False, True]
    assert arrivals.last == 9


def test_whose_place_was_passed_long_ago_was_here_before() -> None:
    arrivals = Arrivals()
    arrivals.is_new(1_000, 0)
    assert not arrivals.is_new(400, 500)
    assert arrivals.is_new(600, 500)
    assert arrivals.last == 1_000


def test_of_a_crowd_those_who_came_last_are_remembered() -> None:
    arrivals = Arrivals()
    for number in range(1, 3 * REMEMBERED):
        assert arrivals.is_new(number, 0)
    assert not arrivals.is_new(3 * REMEMBERED - 1, 0)
    assert not arrivals.is_new(2 * REMEMBERED, 0)
