"""The line before the door: places numbered as they are taken, called in that order; one line for all processes.

Only three numbers are kept. Who holds which place stands on the ticket in the holder's hands (quiz/door), so a crowd
of a million costs the line nothing. It is asked through the shared round trip, and only while the door is shut or, to
see whether it is, a few times a second.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from redis import Redis

from quiz.intake import keys
from quiz.intake.gateway import Gateway, Script
from quiz.intake.season import RoundCard

LINE = "{door}:line"
CALLS = "{door}:calls"
CALL_HOLDS_MS = 15 * 60 * 1000
"""So long after its number was called a ticket lets its holder in: time enough to sign in, and to take the quiz."""

_TAKE, _CALL, _ATTEMPTS_OF = Script("line_take"), Script("line_call"), Script("attempts_of")


@dataclass(frozen=True, slots=True)
class Standing:
    """How the line stands: the last place taken, the last one called, the last one whose call is over."""

    taken: int = 0
    called: int = 0
    spent: int = 0
    born: int = 0
    """ms: when the line began, which is its name; 0: there is none."""

    @property
    def waiting(self) -> int:
        return max(0, self.taken - self.called)


def take(gateway: Gateway, now: int) -> tuple[int, int]:
    """The next place, from 1, and when its line began. Raises IntakeUnavailable."""
    number, born = gateway.call(_TAKE, [LINE], [now])
    return number, born


def call(gateway: Gateway, now: int, count: int) -> Standing:
    """Let `count` more come, at most as many as wait; with 0 only look. Raises IntakeUnavailable."""
    return Standing(*gateway.call(_CALL, [LINE, CALLS], [now, count, CALL_HOLDS_MS]))


def look(redis: Redis) -> Standing:
    """How the line stands, for a page of figures. Raises redis.RedisError."""
    held: Any = redis.hmget(LINE, ["taken", "called", "spent", "born"])
    return Standing(*(int(number or 0) for number in held))


def begins(gateway: Gateway, card: RoundCard, participant: int) -> bool:
    """Whether a start of this participant would open an attempt now: none is open, and there is one left.

    Raises:
        IntakeUnavailable.
    """
    name = keys.attempts(card.id, keys.shard_of(participant, card.shards))
    started, is_open = gateway.call(_ATTEMPTS_OF, [name], [participant])
    return not is_open and (card.cap is None or started < card.cap)
