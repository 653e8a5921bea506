"""Is this process fit to take answers, and what the house looks like from here."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from quiz.clock import from_ms, to_ms
from quiz.intake import boards, keys, line
from quiz.intake.errors import IntakeUnavailable
from quiz.intake.season import RoundCard, Season, SeasonCache
from quiz.metrics import Gauge
from quiz.phases import window_at

CLOCK_TOLERANCE = timedelta(milliseconds=500)
WORKER_SEEN_WITHIN = timedelta(seconds=10)
WORKERS = "quiz80:worker:"
"""Prefix of the workers' heartbeats in the queue Redis: name → ISO instant."""
SCHEDULER = "quiz80:scheduler"
"""Held by the scheduler that leads; expires with it."""

OK = "ok"


@dataclass(frozen=True, slots=True)
class Readiness:
    """What was looked at: name → "ok", or what is wrong."""

    checks: dict[str, str]

    @property
    def ready(self) -> bool:
        return all(found == OK for found in self.checks.values())


def check_intake(intake: Redis, season: SeasonCache, clock: Callable[[], datetime]) -> dict[str, str]:
    """Whether a paper could be handed out and taken now: Redis answers, the clock is right, banks are in memory."""
    checks = {"intake": OK, "clock": OK, "banks": OK}
    began = clock()
    try:
        seconds, microseconds = intake.time()
    except (RedisError, OSError):
        return dict.fromkeys(checks, "intake does not answer")
    ended = clock()
    checks["clock"] = _clock_check(began, ended, from_ms(int(seconds) * 1000 + int(microseconds) // 1000))
    try:
        held = season.get()
    except IntakeUnavailable:
        checks["intake"] = checks["banks"] = "not primed"
        return checks
    try:
        open_now = open_rounds(held, ended)
        if not all(intake.exists(keys.config(card.id, shard)) for card in open_now for shard in range(card.shards)):
            checks["intake"] = "not primed"
        for card in open_now:
            season.bank(card)
    except (RedisError, OSError):
        checks["intake"] = "intake does not answer"
    except IntakeUnavailable as unavailable:
        checks["banks"] = str(unavailable)
    return checks


def _clock_check(began: datetime, ended: datetime, there: datetime) -> str:
    """Redis read its clock somewhere between the two; only what that can't explain is an error of ours."""
    if began - CLOCK_TOLERANCE <= there <= ended + CLOCK_TOLERANCE:
        return OK
    return f"off by {round(max((began - there), (there - ended)).total_seconds() * 1000)} ms"


def open_rounds(season: Season, now: datetime) -> list[RoundCard]:
    at = to_ms(now)
    return [
        card
        for card in season.rounds.values()
        if card.scheduled is not None and card.finalized is None and window_at(card.windows, at) is not None
    ]


def check_rest(session: Session, queue: Redis, head: str | None, now: datetime) -> dict[str, str]:
    """What answers can wait for: PostgreSQL, its schema, and somebody who drains."""
    return {**_database_checks(session, head), "worker": _worker_check(queue, now)}


def _database_checks(session: Session, head: str | None) -> dict[str, str]:
    try:
        revision = session.scalar(text("SELECT version_num FROM alembic_version"))
    except SQLAlchemyError as error:
        session.rollback()
        if "alembic_version" in str(error):
            return {"database": OK, "migrations": "never run"}
        return dict.fromkeys(("database", "migrations"), "database does not answer")
    session.rollback()
    return {"database": OK, "migrations": OK if revision == head else f"at {revision}, the code is at {head}"}


def _worker_check(queue: Redis, now: datetime) -> str:
    try:
        seen = workers_seen(queue)
    except (RedisError, OSError):
        return "queue does not answer"
    if any(now - at <= WORKER_SEEN_WITHIN for at in seen.values()):
        return OK
    return f"none seen in the last {WORKER_SEEN_WITHIN.seconds} s"


def workers_seen(queue: Redis) -> dict[str, datetime]:
    """When each worker was last seen. Raises redis.RedisError."""
    names = sorted(queue.scan_iter(match=WORKERS + "*", count=1_000))
    values = queue.mget(names) if names else []
    return {
        name.decode().removeprefix(WORKERS): datetime.fromisoformat(value.decode())
        for name, value in zip(names, values, strict=True)
        if isinstance(value, bytes)
    }


# For /metrics


def gauges(intake: Redis, queue: Redis, cache: Redis, season: Season | None, now: datetime) -> list[Gauge]:
    """Figures of the house as they are now; what does not answer is left out and shown as down."""
    found: list[Gauge] = []
    up = []
    cards = [] if season is None else _with_entries(season, now)
    reads: dict[str, Callable[[], list[Gauge]]] = {
        "intake": lambda: _intake_gauges(intake, cards, now),
        "queue": lambda: _queue_gauges(queue, now),
        "cache": lambda: _cache_gauges(cache, cards, now),
    }
    for role, read in reads.items():
        try:
            found += read()
            up.append(({"role": role}, 1.0))
        except (RedisError, OSError):
            up.append(({"role": role}, 0.0))
    return [Gauge("quiz80_redis_up", "Whether a role of Redis answers.", up), *found]


def _with_entries(season: Season, now: datetime) -> list[RoundCard]:
    at = to_ms(now)
    return [
        card
        for card in season.rounds.values()
        if card.scheduled is not None and card.finalized is None and card.opens <= at
    ]


def _intake_gauges(intake: Redis, cards: Sequence[RoundCard], now: datetime) -> list[Gauge]:
    streams = [(card, keys.entries(card.id, shard)) for card in cards for shard in range(card.shards)]
    pipeline = intake.pipeline(transaction=False)
    for _, stream in streams:
        pipeline.xlen(stream)
        pipeline.xrange(stream, count=1)
    pipeline.xlen(keys.DEAD_LETTERS)
    pipeline.hgetall(keys.DRAINED)
    *answers, dead, drained = pipeline.execute()
    backlog: dict[int, int] = {card.id: 0 for card in cards}
    oldest: dict[int, float] = {card.id: 0.0 for card in cards}
    for (card, _), length, first in zip(streams, answers[::2], answers[1::2], strict=True):
        backlog[card.id] += length
        if first:
            # Stored messages are deleted, so the first one that is left is the oldest that waits. Its id is the time
            # at which Redis took it, whatever the time received says (a demo's entries lie in the past).
            arrived = from_ms(int(first[0][0].split(b"-")[0]))
            oldest[card.id] = max(oldest[card.id], (now - arrived).total_seconds())
    return [
        Gauge("quiz80_backlog_entries", "Entries taken and not stored yet.", _by_round(cards, backlog)),
        Gauge("quiz80_oldest_undrained_seconds", "Age of the oldest entry not stored yet.", _by_round(cards, oldest)),
        Gauge("quiz80_dead_letters", "Messages that could not be stored.", [({}, dead)]),
        Gauge(
            "quiz80_waiting", "Places in the line before the door not called yet.", [({}, line.look(intake).waiting)]
        ),
        Gauge(
            "quiz80_entries_drained",
            "Messages taken off the streams, by worker.",
            [({"process": name.decode()}, float(count)) for name, count in sorted(drained.items())],
            counter=True,
        ),
    ]


def _queue_gauges(queue: Redis, now: datetime) -> list[Gauge]:
    seen = workers_seen(queue)
    return [
        Gauge(
            "quiz80_worker_seen_seconds",
            "Time since a worker's last heartbeat.",
            [({"process": name}, (now - at).total_seconds()) for name, at in seen.items()],
        ),
        Gauge("quiz80_scheduler_up", "Whether a scheduler leads.", [({}, float(bool(queue.exists(SCHEDULER))))]),
    ]


def _cache_gauges(cache: Redis, cards: Sequence[RoundCard], now: datetime) -> list[Gauge]:
    ages = {}
    for card in cards:
        document = boards.read_document(cache, boards.round_scope(card.id), boards.PROVINCES)
        if document is not None:
            as_of = datetime.fromisoformat(json.loads(document.body)["as_of"])
            ages[card.id] = (now - as_of).total_seconds()
    dirty = cache.scard(boards.DIRTY)
    return [
        Gauge("quiz80_boards_age_seconds", "Time since a round's boards last changed.", _by_round(cards, ages)),
        Gauge("quiz80_boards_dirty", "Rounds whose tallies moved since their boards were written.", [({}, dirty)]),
    ]


def _by_round(cards: Sequence[RoundCard], values: dict[int, Any]) -> list[tuple[dict[str, str], float]]:
    return [
        ({"round": str(card.id), "number": str(card.number)}, float(values[card.id]))
        for card in cards
        if card.id in values
    ]
