"""When the door shuts, whom it calls, and that no place is lost or called twice, whatever races."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from redis import Redis

from quiz import clock
from quiz.door.load import EARLY, Door
from quiz.door.pace import LEAST_PER_S
from quiz.door.tickets import Ticket
from quiz.extensions import Platform
from quiz.intake import line
from quiz.intake.gateway import Gateway
from quiz.intake.line import CALL_HOLDS_MS, CALLS, LINE, PACE_HOLDS_MS, Report, Standing
from tests.door.conftest import Hand, step

NOW = 1_700_000_000_000


def another(platform: Platform, hand: Hand, **settings: int) -> Door:
    """The door of another process of the same house."""
    return Door(platform.gateway, **{"patience_ms": 600, **settings}, monotonic=hand)


def test_a_door_that_nobody_watches_is_open(platform: Platform, hand: Hand) -> None:
    door = another(platform, hand)
    hand.now += 3600
    assert door.lets_in()


def test_an_open_door_asks_redis_nothing_of_those_who_come(
    platform: Platform, hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    door = another(platform, hand)
    step(door, hand)
    monkeypatch.setattr(Gateway, "call", lambda *_: pytest.fail("the door asked Redis"))
    assert all(door.lets_in() for _ in range(1000))


def test_it_shuts_within_one_long_turn_of_the_loop(platform: Platform, hand: Hand) -> None:
    door = another(platform, hand)
    step(door, hand)
    hand.now += 0.6
    assert door.lets_in()
    hand.now += 0.1
    assert not door.lets_in()


def test_without_patience_it_never_shuts(platform: Platform, hand: Hand) -> None:
    door = another(platform, hand, patience_ms=0)
    step(door, hand, late=60.0)
    hand.now += 60
    assert door.lets_in()


def test_without_patience_whoever_waited_is_called(platform: Platform, hand: Hand) -> None:
    for _ in range(100):
        line.take(platform.gateway, NOW)
    door = another(platform, hand, patience_ms=0)
    step(door, hand, late=2.0)
    step(door, hand, late=2.0)
    assert door.standing.waiting == 0


def test_it_opens_again_once_it_is_on_time_and_nobody_waits(door: Door, hand: Hand) -> None:
    step(door, hand, late=1.0)
    assert not door.lets_in()
    step(door, hand)
    assert door.lets_in()


def test_a_given_rate_is_kept_to(platform: Platform, hand: Hand) -> None:
    door = another(platform, hand, per_s=40)
    step(door, hand)
    assert sum(door.lets_in() for _ in range(100)) == 40
    for _ in range(100):
        line.take(platform.gateway, NOW)
    step(door, hand)
    called = []
    for _ in range(4):
        before = door.standing.called
        step(door, hand)
        called.append(door.standing.called - before)
    assert called == [10, 10, 10, 10]


def test_while_people_wait_no_process_lets_newcomers_overtake(platform: Platform, door: Door, hand: Hand) -> None:
    idle = another(platform, hand)
    step(idle, hand)
    assert idle.lets_in()
    for _ in range(100):
        line.take(platform.gateway, NOW)
    step(idle, hand)
    assert not idle.lets_in()


def test_all_know_the_pace_of_all_and_who_came_last(platform: Platform, door: Door, hand: Hand) -> None:
    for _ in range(1_000):
        line.take(platform.gateway, NOW)
    here = line.call(platform.gateway, NOW, 100, Report("a", 0, 30.0))
    assert (here.called, here.came, here.per_s) == (100, 0, 30.0)
    there = line.call(platform.gateway, NOW + 100, 0, Report("b", 60, 40.0))
    assert (there.came, there.expected, there.per_s) == (60, 40, 70.0)
    # A lower place, and one that was never called, change nothing; a process that is no more counts no more.
    assert line.call(platform.gateway, NOW + 200, 0, Report("b", 50, 40.0)).came == 60
    later = line.call(platform.gateway, NOW + 200 + PACE_HOLDS_MS, 0, Report("a", 5_000, 30.0))
    assert (later.came, later.per_s) == (100, 30.0)


def test_who_comes_in_is_counted_once(platform: Platform, door: Door, hand: Hand) -> None:
    for _ in range(1_000):
        line.take(platform.gateway, NOW)
    step(door, hand)
    for number in (3, 3, 7, 7, 3):
        door.came(Ticket(number, door.standing.born, NOW, "vi"))
    door.came(Ticket(900, door.standing.born - 1, NOW, "vi"))
    line.call(platform.gateway, NOW, 10)
    step(door, hand)
    assert door.standing.came == 7


def test_neighbours_are_not_told_to_come_at_once(platform: Platform, door: Door, hand: Hand) -> None:
    """Ten seconds' worth of people: whatever the rounding, about as many for each second."""
    for _ in range(1_000):
        line.take(platform.gateway, NOW)
    line.call(platform.gateway, clock.to_ms(clock.now()), 0, Report("b", 0, 40.0))
    step(door, hand, late=2.0)
    per_s = door.standing.per_s
    told = Counter(door.ask_again(door.standing.called + place) for place in range(1, int(10 * per_s)))
    assert [told[second] for second in range(2, 9)] == [pytest.approx(per_s / EARLY, rel=0.15)] * 7


def test_even_a_late_house_calls_some(platform: Platform, door: Door, hand: Hand) -> None:
    for _ in range(100):
        line.take(platform.gateway, NOW)
    for _ in range(40):
        step(door, hand, late=5.0)
    assert door.standing.called >= 4 * LEAST_PER_S


def test_places_are_called_in_order_and_each_once(platform: Platform, door: Door, hand: Hand) -> None:
    """Two processes call from one line while a hundred people join it."""
    doors = [door, another(platform, hand)]
    taken: list[int] = []
    called: list[int] = []
    with ThreadPoolExecutor(10) as pool:
        joining = [pool.submit(lambda: taken.append(line.take(platform.gateway, NOW)[0])) for _ in range(100)]
        for _ in range(60):
            for one in doors:
                step(one, hand)
                called.append(one.standing.called)
        for one in joining:
            one.result()
    while doors[0].standing.waiting or doors[0].standing.taken < 100:
        for one in doors:
            step(one, hand)
            called.append(one.standing.called)
    assert sorted(taken) == list(range(1, 101))
    assert called == sorted(called)
    assert called[-1] == 100


def test_many_callers_at_once_call_no_more_than_wait(platform: Platform) -> None:
    for _ in range(50):
        line.take(platform.gateway, NOW)
    barrier = threading.Barrier(8)

    def call(_: int) -> Standing:
        barrier.wait(30)
        return line.call(platform.gateway, NOW, 10)

    with ThreadPoolExecutor(8) as pool:
        seen = list(pool.map(call, range(8)))
    assert sorted(one.called for one in seen) == [10, 20, 30, 40, 50, 50, 50, 50]


def test_a_call_holds_for_a_quarter_of_an_hour(platform: Platform, door: Door) -> None:
    for _ in range(3):
        line.take(platform.gateway, NOW)
    line.call(platform.gateway, NOW, 1)
    line.call(platform.gateway, NOW + 1000, 1)
    door.standing = line.call(platform.gateway, NOW + CALL_HOLDS_MS, 0)
    assert [door.called(number, NOW) for number in (1, 2, 3)] == [False, True, False]
    assert [door.spent(number) for number in (1, 2, 3)] == [True, False, False]


def test_whose_line_was_lost_comes_in(platform: Platform, redis: Redis, door: Door, hand: Hand) -> None:
    numbers = [line.take(platform.gateway, NOW)[0] for _ in range(5)]
    redis.delete(LINE, CALLS)
    line.take(platform.gateway, NOW + 60_000)
    step(door, hand, late=2.0)
    assert all(door.called(number, NOW) for number in numbers)
    assert not door.called(2, NOW + 60_000)


def test_the_wait_is_reckoned_from_the_pace_of_the_calls(platform: Platform, hand: Hand) -> None:
    door = another(platform, hand, per_s=40)
    step(door, hand)
    for _ in range(41):
        door.lets_in()
    for _ in range(2_000):
        line.take(platform.gateway, NOW)
    for _ in range(40):
        step(door, hand)
    assert door.ahead(2_000) == 2_000 - door.standing.called
    assert door.seconds_left(2_000) == pytest.approx((2_000 - door.standing.called) / 40, rel=0.1)
