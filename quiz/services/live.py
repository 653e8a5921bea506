"""What runs now, as organizers watch it: entries taken and stored, their pace, what was refused, who stands where.

The scheduler takes a sample every few seconds, so the pace is known to whoever opens the page, and after a reload.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from redis import Redis
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from quiz import clock, metrics
from quiz.errors import Refusal
from quiz.intake import keys
from quiz.intake.boards import PROVINCES, BoardReader, UnitRow, round_scope
from quiz.intake.season import RoundCard, Season
from quiz.models import Tally
from quiz.services import operations
from quiz.services.boards import read_unit_board

SAMPLE_MS = 5_000
KEPT = 121
"""Samples: ten minutes."""
_SAMPLES = "quiz80:live"
_SAMPLES_SECONDS = 3_600
WATCHED = (
    "round_not_open",
    "not_eligible",
    "attempts_exhausted",
    "paper_expired",
    "invalid_paper",
    "too_many_requests",
    "intake_unavailable",
)
"""Refusals that say something about a round; typing errors in forms don't."""


@dataclass(frozen=True, slots=True)
class Sample:
    at: int
    """ms"""
    accepted: int
    """Entries ever taken here: those taken off the streams and those that wait in them."""
    refused: Mapping[str, int]
    """Code → how often, since the processes that are alive began."""


@dataclass(frozen=True, slots=True)
class Pace:
    """From the samples of the last ten minutes."""

    per_minute: int | None
    """Entries in the last minute; None until there are samples of a whole one."""
    minutes: list[int]
    """Entries of each of the last minutes, the oldest first."""
    refused: dict[str, int]
    """Code → how often in that time, the most frequent first."""


@dataclass(frozen=True, slots=True)
class Live:
    card: RoundCard
    participants: int
    stored: int
    waiting: int
    """Entries taken and not stored yet."""
    open_papers: int
    pace: Pace
    workers: int
    dead_letters: int
    provinces: Sequence[UnitRow] | None
    """In the order of the board; None while no board is written."""

    @property
    def taken(self) -> int:
        return self.stored + self.waiting


def open_now(season: Season, now: datetime) -> list[RoundCard]:
    """Rounds between their opening and their closing, windows or not."""
    at = clock.to_ms(now)
    return [card for card in season.rounds.values() if card.scheduled is not None and card.opens <= at < card.closes]


# Samples


def sample(intake: Redis, queue: Redis, cache: Redis, season: Season, now: datetime) -> bool:
    """Take a sample if the last one is old enough. Raises redis.RedisError."""
    at, cards = clock.to_ms(now), open_now(season, now)
    last = _read(queue, 1)
    if not cards or (last and 0 <= at - last[0].at < SAMPLE_MS):
        return False
    document = {"at": at, "accepted": _accepted(intake, cards), "refused": _refused(cache)}
    pipeline = queue.pipeline()
    pipeline.lpush(_SAMPLES, json.dumps(document))
    pipeline.ltrim(_SAMPLES, 0, KEPT - 1)
    pipeline.expire(_SAMPLES, _SAMPLES_SECONDS)
    pipeline.execute()
    return True


def _accepted(intake: Redis, cards: Sequence[RoundCard]) -> int:
    pipeline = intake.pipeline(transaction=False)
    for card in cards:
        for shard in range(card.shards):
            pipeline.xlen(keys.entries(card.id, shard))
    pipeline.hvals(keys.DRAINED)
    *waiting, drained = pipeline.execute()
    return int(sum(waiting) + sum(map(int, drained)))


def _refused(cache: Redis) -> dict[str, int]:
    total: dict[str, int] = {}
    for each in metrics.published(cache):
        for code, count in each.refused.items():
            if code in WATCHED:
                total[code] = total.get(code, 0) + count
    return total


def _read(queue: Redis, count: int = KEPT) -> list[Sample]:
    """The newest first."""
    held = cast("list[bytes]", queue.lrange(_SAMPLES, 0, count - 1))
    return [Sample(**json.loads(each)) for each in held]


def pace(samples: Sequence[Sample], now: int) -> Pace:
    """What the samples (newest first) say at `now` ms. A counter that went back began anew: it counts as still."""
    recent = [each for each in samples if now - each.at <= KEPT * SAMPLE_MS + 1_000]
    minutes: dict[int, int] = {}
    covered = recent[0].at - recent[-1].at if recent else 0
    refused: dict[str, int] = {}
    for newer, older in itertools.pairwise(recent):
        minute = (now - newer.at) // 60_000
        minutes[minute] = minutes.get(minute, 0) + max(0, newer.accepted - older.accepted)
        for code, count in newer.refused.items():
            if (more := count - older.refused.get(code, 0)) > 0:
                refused[code] = refused.get(code, 0) + more
    whole = covered // 60_000
    return Pace(
        per_minute=minutes.get(0, 0) if whole else None,
        minutes=[minutes.get(minute, 0) for minute in range(min(whole, 10))][::-1],
        refused=dict(sorted(refused.items(), key=lambda item: -item[1])),
    )


# The page


def look(session: Session, reader: BoardReader, intake: Redis, queue: Redis, card: RoundCard, now: datetime) -> Live:
    """The round as it is now. Raises redis.RedisError."""
    pipeline = intake.pipeline(transaction=False)
    for shard in range(card.shards):
        pipeline.xlen(keys.entries(card.id, shard))
        pipeline.zcard(keys.open_attempts(card.id, shard))
    pipeline.xlen(keys.DEAD_LETTERS)
    *counts, dead = pipeline.execute()
    sums = select(func.coalesce(func.sum(Tally.participants), 0), func.coalesce(func.sum(Tally.entries), 0))
    participants, stored = session.execute(sums.where(Tally.round_id == card.id)).one()
    return Live(
        card=card,
        participants=int(participants),
        stored=int(stored),
        waiting=sum(counts[::2]),
        open_papers=sum(counts[1::2]),
        pace=pace(_read(queue), clock.to_ms(now)),
        workers=_workers(queue, now),
        dead_letters=dead,
        provinces=_provinces(reader, card),
    )


def _workers(queue: Redis, now: datetime) -> int:
    return sum(now - at <= operations.WORKER_SEEN_WITHIN for at in operations.workers_seen(queue).values())


def _provinces(reader: BoardReader, card: RoundCard) -> Sequence[UnitRow] | None:
    try:
        return read_unit_board(reader, round_scope(card.id), PROVINCES).rows
    except Refusal:
        return None
