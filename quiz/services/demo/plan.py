"""What the demo's people do: who takes part in which round, when, how well, and what they predict.

A plan is made of the rounds' windows and the moment of loading alone, so a load that was interrupted makes it again.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from quiz.services.demo.chance import dice
from quiz.services.demo.grid import OPEN_ROUND

QUESTIONS = 10
CAP = 7
LIMIT_MS = 600_000

_MINUTE, _HOUR, _DAY = 60_000, 3_600_000, 86_400_000
_NEWCOMERS = (560, 470, 420, 390, 260, 330, 440, 500, 590, 660, 780, 900)
"""How many begin in each round. Week 5 was the one in which 63 provinces became 34."""
_ATTEMPTS = {1: 52, 2: 21, 3: 11, 4: 6, 5: 4, 6: 2, 7: 4}
_DAYS = (15, 11, 9, 8, 9, 10, 19)
"""A round's first evening and its last draw most."""
_HOURS = (3, 1, 1, 1, 1, 4, 12, 20, 25, 26, 24, 30, 34, 26, 22, 22, 24, 26, 24, 36, 52, 56, 38, 14)
_ROUND_NUMBERS = (50, 68, 86, 100, 111, 123, 150, 200, 246, 300, 500, 999, 1000, 1946, 2026)
_MEMBER_ROUNDS = (6, 8, 9, 10, 11)
"""The participant one can sign in as has a history, and all attempts of the open round to come."""


@dataclass(frozen=True, slots=True)
class Attempt:
    started: int
    duration: int
    right: tuple[bool | None, ...]
    """For each question of the paper: answered right, wrong, or not at all (None)."""
    prediction: int | None


@dataclass(frozen=True, slots=True)
class Visit:
    """A person in a round."""

    person: int
    """Place in the list of the demo's people; 0 is the one whose login is shown."""
    round: int
    channel: str
    attempts: tuple[Attempt, ...]


@dataclass(frozen=True, slots=True)
class _Character:
    ability: float
    loyalty: float
    pace: float
    """Milliseconds for a first attempt."""
    channel: str


@lru_cache(maxsize=1)
def make_plan(windows: tuple[tuple[int, int], ...], now: int, people: int) -> list[Visit]:
    """The visits of all rounds that have opened, in the order in which they begin.

    Kept, because a load asks twice: when it makes the people and when it plays them.

    Args:
        windows: of the rounds from the first on, in ms.
    """
    visits = [visit for person in range(people) for visit in _visits(person, windows, now)]
    return sorted(visits, key=lambda visit: visit.attempts[0].started)


def _visits(person: int, windows: Sequence[tuple[int, int]], now: int) -> list[Visit]:
    throw = dice("plan", person)
    who = _Character(
        ability=throw.betavariate(4.6, 1.9),
        loyalty=throw.betavariate(0.45, 2.3),
        pace=throw.lognormvariate(math.log(265_000), 0.42),
        channel="web" if throw.random() < 0.63 else "app",
    )
    rounds = _MEMBER_ROUNDS if person == 0 else _rounds(throw, who, windows, now)
    visits = []
    for number in rounds:
        attempts = _attempts(throw, who, number, windows[number - 1], now)
        if attempts:
            visits.append(Visit(person, number, who.channel, attempts))
    return visits


def _rounds(throw: random.Random, who: _Character, windows: Sequence[tuple[int, int]], now: int) -> tuple[int, ...]:
    opened = [number for number, (opens, _) in enumerate(windows[:OPEN_ROUND], 1) if opens < now]
    passed = [min(1.0, (now - windows[number - 1][0]) / (7 * _DAY)) for number in opened]
    weights = [newcomers * part for newcomers, part in zip(_NEWCOMERS, passed, strict=False)]
    first = throw.choices(opened, weights)[0]
    return (
        first,
        *(n for n, part in zip(opened, passed, strict=True) if n > first and throw.random() < who.loyalty * part),
    )


def _attempts(
    throw: random.Random, who: _Character, number: int, window: tuple[int, int], now: int
) -> tuple[Attempt, ...]:
    opens, closes = window
    until = min(closes, now - _MINUTE)
    count = throw.choices(list(_ATTEMPTS), list(_ATTEMPTS.values()))[0]
    prediction = _prediction(throw)
    made: list[Attempt] = []
    started = _moment(throw, opens, until)
    while len(made) < count:
        duration = _duration(throw, who.pace * 0.86 ** len(made))
        if started + duration >= until:
            break
        chance = min(0.985, who.ability + 0.07 * len(made) + 0.006 * number - 0.03)
        right = tuple(None if throw.random() < 0.006 else throw.random() < chance for _ in range(QUESTIONS))
        made.append(Attempt(started, duration, right, prediction))
        if throw.random() < 0.3:
            prediction = _prediction(throw)
        started += duration + _pause(throw)
    return tuple(made)


def _moment(throw: random.Random, opens: int, until: int) -> int:
    """A time of day at which people have time, on one of the round's days that have come."""
    while True:
        day = throw.choices(range(7), _DAYS)[0]
        hour = throw.choices(range(24), _HOURS)[0]
        moment = opens + day * _DAY + hour * _HOUR + throw.randrange(_HOUR)
        if moment < until:
            return moment


def _duration(throw: random.Random, pace: float) -> int:
    """From a minute to the limit; who needs longer hands in when the clock begins to run out."""
    longest = LIMIT_MS - throw.randrange(4_000, 45_000)
    shortest = 60_000 + throw.randrange(15_000)
    return round(min(longest, max(shortest, pace * throw.uniform(0.8, 1.25))))


def _pause(throw: random.Random) -> int:
    """Most try again at once, others the next day at about the same time."""
    if throw.random() < 0.7:
        return round(20_000 + throw.expovariate(1 / (6 * _MINUTE)))
    return round(throw.uniform(22 * _HOUR, 26 * _HOUR))


def _prediction(throw: random.Random) -> int | None:
    if throw.random() < 0.04:
        return None
    if throw.random() < 0.3:
        return throw.choice(_ROUND_NUMBERS)
    return max(1, round(throw.lognormvariate(math.log(140), 0.8)))
