"""Long work that a page asks for and a worker does: the one place where both sides meet.

A page asks; the scheduler's tick hands what is asked on to the queue; the job says how it went. What was asked stands
in Redis until it is done, so a reload finds it again, and asking twice is asking once.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, cast

from redis import Redis

ASKED = "quiz80:work:asked"
"""Hash: name:argument → who asked. The scheduler takes from it."""
_STATE_SECONDS = 7 * 24 * 3600
State = Literal["asked", "running", "done", "refused"]


@dataclass(frozen=True, slots=True)
class Work:
    name: str
    argument: int
    actor_id: int


@dataclass(frozen=True, slots=True)
class Progress:
    state: State
    at: int
    """ms"""
    reason: str = ""
    """Why it was refused: a word for the page to explain."""
    done: int = 0
    total: int = 0
    """How much of it is done; total 0: it can't be told."""
    found: dict[str, Any] = field(default_factory=dict)
    """What came of it, for the page."""

    @property
    def percent(self) -> int:
        return 100 * self.done // self.total if self.total else 0

    @property
    def is_under_way(self) -> bool:
        return self.state in ("asked", "running")


def ask(redis: Redis, work: Work, now: int) -> None:
    say(redis, work.name, work.argument, Progress("asked", now))
    redis.hset(ASKED, f"{work.name}:{work.argument}", str(work.actor_id))


def asked(redis: Redis) -> list[Work]:
    """All that waits to be handed on."""
    held = cast("dict[bytes, bytes]", redis.hgetall(ASKED))
    found = []
    for key, actor in held.items():
        name, _, argument = key.decode().partition(":")
        found.append(Work(name, int(argument), int(actor)))
    return found


def taken(redis: Redis, name: str, argument: int) -> None:
    """It ran to its end, one way or the other: nobody hands it on again."""
    redis.hdel(ASKED, f"{name}:{argument}")


def say(redis: Redis, name: str, argument: int, progress: Progress) -> None:
    redis.set(_key(name, argument), json.dumps(asdict(progress)), ex=_STATE_SECONDS)


def progress_of(redis: Redis, name: str, argument: int) -> Progress | None:
    raw = redis.get(_key(name, argument))
    return None if raw is None else Progress(**json.loads(cast("bytes", raw)))


def _key(name: str, argument: int) -> str:
    return f"quiz80:work:{name}:{argument}"
