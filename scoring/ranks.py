"""The write side of ranks: a ladder of merits for each large round that is not final (quiz.services.ranks reads it).

Like the boards it is a copy that can be thrown away: absolute values counted from the standings. It is written after
the boards, and for a round of many people not every time: counting a million takes half a second.
"""

from __future__ import annotations

import time

from redis import Redis
from sqlalchemy import text
from sqlalchemy.orm import Session

from quiz.models import partitions

STEP = 2_000
"""Standings from rung to rung: what a rank counts at most, about a millisecond of reading the index."""
RESTING = 20
"""After a ladder was written it rests this many times as long as that took: at most a twentieth of a core."""
DIRTY = "quiz80:ranks:dirty"
"""Set of round ids whose standings moved since their ladder was written."""


def refresh_dirty(session: Session, cache: Redis) -> list[int]:
    """Write the ladders that are due, each in a transaction of its own; returns their rounds.

    The mark is taken off before the standings are read: what moves meanwhile marks the round again.
    """
    written = []
    for round_id in sorted(int(member) for member in cache.smembers(DIRTY)):
        if not cache.exists(_resting(round_id)):
            began = time.monotonic()
            cache.srem(DIRTY, str(round_id))
            try:
                write_ladder(session, round_id)
                session.commit()
            except BaseException:
                cache.sadd(DIRTY, str(round_id))
                raise
            cache.set(_resting(round_id), "1", px=1 + int((time.monotonic() - began) * 1000 * RESTING))
            written.append(round_id)
    return written


def mark_dirty(cache: Redis, round_id: int) -> None:
    cache.sadd(DIRTY, str(round_id))


def is_due(cache: Redis) -> bool:
    """Whether a ladder waits that is not resting."""
    return any(not cache.exists(_resting(int(member))) for member in cache.smembers(DIRTY))


def write_ladder(session: Session, round_id: int) -> None:
    """Count the standings of a round into rungs; the caller commits. Readers see the old ladder or the new one."""
    # One after the other: each reads the standings after the one before it has written.
    session.execute(text("SELECT pg_advisory_xact_lock(:c, :r)"), {"c": _LOCK_CLASS, "r": round_id})
    session.execute(text("DELETE FROM rank_step WHERE round_id = :round"), {"round": round_id})
    # Of equal merits the first place alone says how many are above; a rung between them repeats it.
    session.execute(
        text(
            "INSERT INTO rank_step (round_id, merit, above) SELECT DISTINCT :round, merit, higher - 1 FROM ("
            " SELECT merit, rank() OVER merits AS higher, row_number() OVER merits AS place"
            f" FROM {partitions.standings(round_id)} WHERE round_id = :round WINDOW merits AS (ORDER BY merit DESC)"
            ") placed WHERE place % :step = 0"
        ),
        {"round": round_id, "step": STEP},
    )


def forget(session: Session, round_id: int) -> None:
    """A final round has its ranks in its rows. The caller commits."""
    session.execute(text("DELETE FROM rank_step WHERE round_id = :round"), {"round": round_id})


_LOCK_CLASS = 85


def _resting(round_id: int) -> str:
    return f"quiz80:ranks:resting:{round_id}"
