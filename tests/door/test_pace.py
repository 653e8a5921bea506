"""How many a process calls: what it learns of itself while it is late, and how lateness and an idle house bend that."""

from __future__ import annotations

import pytest

from quiz.door.pace import ASK, EASED, EXPECTED_S, IDLE_FACTOR, LEAST_PER_S, Pace, Work

STEP = 0.25
PATIENCE = 0.6
LATE, VERY_LATE = PATIENCE / 3, 10 * PATIENCE


def work(per_s: float, late: float = 0.0, turned_per_s: float = 0.0) -> Work:
    return Work(STEP, late, round(per_s * STEP), round(turned_per_s * STEP))


def busy(per_s: float = 80) -> Pace:
    """A process that was late for a while, taking in so many a second."""
    pace = Pace(PATIENCE)
    for _ in range(20):
        pace.learn(work(per_s, LATE))
    return pace


def calls(pace: Pace, done: Work, expected_s: float = 0.0) -> float:
    """A second's calls."""
    return sum(pace.allowance(done, round(expected_s * pace.per_s), pace.per_s) for _ in range(4))


def test_what_a_late_process_does_is_what_it_can_do() -> None:
    assert busy(80).per_s == 80
    assert calls(busy(80), work(80, LATE)) == 80


def test_turning_people_away_is_work_too() -> None:
    pace = Pace(PATIENCE)
    pace.learn(work(0, VERY_LATE, turned_per_s=400))
    assert pace.per_s == 400 * ASK


def test_the_first_look_counts_at_once_and_then_the_last_two_seconds() -> None:
    pace = Pace(PATIENCE)
    pace.learn(work(200, LATE))
    assert pace.per_s == 200
    for _ in range(24):
        pace.learn(work(40, LATE))
    assert pace.per_s == pytest.approx(40, abs=20)


def test_a_capacity_once_seen_is_remembered_while_little_comes() -> None:
    pace = busy(80)
    for _ in range(400):
        pace.learn(work(4))
    assert pace.per_s == 80


def test_more_than_was_known_is_learned_without_being_late() -> None:
    pace = busy(80)
    for _ in range(40):
        pace.learn(work(160))
    assert pace.per_s == pytest.approx(160, abs=5)


def test_a_guess_is_for_who_knows_nothing() -> None:
    pace, known = Pace(PATIENCE), busy(80)
    for each in (pace, known):
        each.guess(300)
    assert (pace.per_s, known.per_s) == (300, 80)


def test_an_idle_house_calls_faster_until_enough_are_on_their_way() -> None:
    assert calls(busy(80), work(0)) == pytest.approx(IDLE_FACTOR * 80, abs=1)
    assert calls(busy(80), work(0), expected_s=EXPECTED_S) == 80


def test_it_calls_the_less_the_later_those_inside_make_it() -> None:
    lateness = (PATIENCE / 2, PATIENCE, 2 * PATIENCE, VERY_LATE)
    called = [calls(busy(80), work(80, late)) for late in lateness]
    assert called == sorted(called, reverse=True)
    assert (called[0], called[-1]) == (80, EASED * 80)


def test_a_crowd_that_asks_does_not_keep_out_those_who_were_here_before() -> None:
    onslaught = work(10, VERY_LATE, turned_per_s=800)
    assert calls(busy(80), onslaught) == 80
    # But no more of them than can be served once they are through the crowd.
    assert calls(busy(80), onslaught, expected_s=EXPECTED_S) == EASED * 80


def test_it_never_stops() -> None:
    pace = Pace(PATIENCE)
    for _ in range(40):
        pace.learn(work(0, VERY_LATE))
    assert pace.per_s == LEAST_PER_S
    assert calls(pace, work(0, VERY_LATE)) >= 1


def test_a_given_pace_is_kept_whatever_happens() -> None:
    pace = Pace(PATIENCE, 40)
    pace.learn(work(0, VERY_LATE))
    pace.guess(500)
    assert [calls(pace, work(0, late)) for late in (0.0, VERY_LATE)] == [40, 40]
