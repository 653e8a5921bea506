"""The line before the door: places numbered as they are taken, called in that order; one line for all processes.

Only a few numbers are kept, and of each process the pace at which it takes people in. Who holds which place stands on
the ticket in the holder's hands (quiz/door), so a crowd of a million costs the line nothing. It is asked through the
shared round trip, and only while the door is shut or, to see whether it is, a few times a second.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from redis import Redis

from quiz.intake.gateway import Gateway, Script
from quiz.intake.reading import read_started
from quiz.intake.season import RoundCard

LINE = "{door}:line"
CALLS = "{door}:calls"
PACES = "{door}:paces"
CALL_HOLDS_MS = 15 * 60 * 1000
"""So long after its number was called a ticket lets its holder in: time enough to sign in, and to take the quiz."""
PACE_HOLDS_MS = 2_000
"""So long after it was last heard of a process counts for the pace of the house."""

_TAKE, _CALL = Script("line_take"), Script("line_call")


@dataclass(frozen=True, slots=True)
class Report:
    """What a process knows that the others should: the highest place that came in to it, and how many it takes a
    second."""

    process: str = ""
    came: int = 0
    per_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Standing:
    """How the line stands: the last place taken, the last one called, the last one whose call is over."""

    taken: int = 0
    called: int = 0
    spent: int = 0
    born: int = 0
    """ms: when the line began, which is its name; 0: there is none."""
    came: int = 0
    """The highest place whose holder came in since it was called."""
    milli_pace: int = 0
    """People whom all processes together take in in a thousand seconds; 0: nobody waits."""

    @property
    def expected(self) -> int:
        """How many at most were called and are still to come."""
        return max(0, self.called - self.came)

    @property
    def per_s(self) -> float:
        return self.milli_pace / 1000

    @property
    def waiting(self) -> int:
        return max(0, self.taken - self.called)


def take(gateway: Gateway, now: int) -> tuple[int, int]:
    """The next place, from 1, and when its line began. Raises IntakeUnavailable."""
    number, born = gateway.call(_TAKE, [LINE], [now])
    return number, born


def call(gateway: Gateway, now: int, count: int, report: Report = Report()) -> Standing:
    """Let `count` more come, at most as many as wait; with 0 only look. Raises IntakeUnavailable."""
    told = [report.came, report.process, round(report.per_s * 1000), PACE_HOLDS_MS]
    return Standing(*gateway.call(_CALL, [LINE, CALLS, PACES], [now, count, CALL_HOLDS_MS, *told]))


def look(redis: Redis) -> Standing:
    """How the line stands, for a page of figures. Raises redis.RedisError."""
    held: Any = redis.hmget(LINE, ["taken", "called", "spent", "born"])
    return Standing(*(int(number or 0) for number in held))


def begins(gateway: Gateway, card: RoundCard, participant: int) -> bool:
    """Whether a start of this participant would open an attempt now: none is open, and there is one left.

    Raises:
        IntakeUnavailable.
    """
    started, is_open = read_started(gateway, card, participant)
    return not is_open and (card.cap is None or started < card.cap)
