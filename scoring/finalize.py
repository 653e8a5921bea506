"""Closing a round: provisional standings become final ones.

The order is fixed: corrections of the key come before, then the true number, the gaps, a full recompute, the ranks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg
from redis import Redis
from sqlalchemy import text
from sqlalchemy.orm import Session

from quiz.intake import keys
from quiz.intake.season import RoundCard
from scoring import ordering, ranks, recount
from scoring.rules import Rules
from scoring.storing import LOCK_CLASS, load_scorer

_BATCH = 20_000


@dataclass(frozen=True, slots=True)
class NotYet:
    """Why a round can't be made final now; each is a word for a page to explain."""

    reason: str
    """not_scheduled, not_closed, attempts_open, streams_not_drained"""


def obstacle(session: Session, intake: Redis, card: RoundCard, now: datetime) -> NotYet | None:
    """What still stands against making the round final: design, "Finalizing"."""
    row = session.execute(
        text("SELECT closes_at, scheduled_at, rules FROM round WHERE id = :id"), {"id": card.id}
    ).one()
    if row.scheduled_at is None:
        return NotYet("not_scheduled")
    if now <= row.closes_at + timedelta(milliseconds=card.grace + card.late):
        return NotYet("not_closed")
    pipeline = intake.pipeline(transaction=False)
    for shard in range(card.shards):
        pipeline.zcard(keys.open_attempts(card.id, shard))
        pipeline.xlen(keys.entries(card.id, shard))
    counts = pipeline.execute()
    if any(counts[0::2]):
        return NotYet("attempts_open")
    if any(counts[1::2]):
        return NotYet("streams_not_drained")
    return None


def finalize_round(session: Session, round_id: int, now: datetime) -> bool:
    """Make the round final; False if it was final already. The caller has asked `obstacle` and commits.

    Takes the round's lock alone: no drain stores an entry of it meanwhile, and what comes afterwards is kept but
    not counted.
    """
    session.execute(text("SELECT pg_advisory_xact_lock(:c, :r)"), {"c": LOCK_CLASS, "r": round_id})
    changed = session.execute(
        text("UPDATE round SET finalized_at = :now WHERE id = :id AND finalized_at IS NULL RETURNING id"),
        {"now": now, "id": round_id},
    ).one_or_none()
    if changed is None:
        return False
    cursor = cursor_of(session)
    rules = load_scorer(cursor, round_id).rules
    if rules.prediction is not None and "prediction_gap" in rules.ranking:
        _write_gaps(cursor, round_id, true_number(session, round_id, rules))
    recount.repair(session, [round_id])
    write_ranks(session, round_id)
    ranks.forget(session, round_id)
    return True


def true_number(session: Session, round_id: int, rules: Rules) -> int:
    """What was to be predicted: people with an all-right entry, or people who took part."""
    if rules.prediction is None:
        raise ValueError("the round has no prediction")
    condition = "AND correct = :all" if rules.prediction.kind == "all_correct" else ""
    return int(
        session.execute(
            text(
                "SELECT count(DISTINCT coalesce(u.person_id, e.participant_id)) FROM entry e "
                "LEFT JOIN users u ON u.id = e.participant_id AND u.person_id <> u.id "
                f"WHERE e.round_id = :id AND e.counted {condition}"
            ),
            {"id": round_id, "all": rules.questions},
        ).scalar_one()
    )


def write_ranks(session: Session, round_id: int) -> None:
    """Number the standings by merit; equal merits share a rank."""
    session.execute(
        text(
            "UPDATE standing s SET rank = r.rank FROM ("
            " SELECT person_id, rank() OVER (ORDER BY merit DESC) AS rank FROM standing WHERE round_id = :id) r "
            "WHERE s.round_id = :id AND s.person_id = r.person_id AND s.rank IS DISTINCT FROM r.rank"
        ),
        {"id": round_id},
    )


def _write_gaps(cursor: psycopg.Cursor[Any], round_id: int, truth: int) -> None:
    """Pack the merits again, now that the gap of each prediction is known."""
    scorer = load_scorer(cursor, round_id)
    cursor.execute(
        "CREATE TEMP TABLE gap (participant_id bigint, issuer smallint, attempt smallint, merit bytea) ON COMMIT DROP"
    )
    with cursor.connection.cursor(name="entries_of_round") as reader:
        reader.itersize = _BATCH
        reader.execute(
            "SELECT participant_id, issuer, attempt, score, correct, prediction, duration_ms, "
            "(extract(epoch FROM received_at) * 1000)::bigint FROM entry WHERE round_id = %s",
            (round_id,),
        )
        while rows := reader.fetchmany(_BATCH):
            _copy_merits(cursor, scorer.merit, rows, truth)
    cursor.execute(
        "UPDATE entry e SET merit = g.merit FROM gap g WHERE e.round_id = %s "
        "AND (e.participant_id, e.issuer, e.attempt) = (g.participant_id, g.issuer, g.attempt)",
        (round_id,),
    )


def _copy_merits(cursor: psycopg.Cursor[Any], merit: Any, rows: Sequence[Any], truth: int) -> None:
    with cursor.copy("COPY gap FROM STDIN (FORMAT binary)") as copy:
        copy.set_types(["int8", "int2", "int2", "bytea"])
        for participant, issuer, attempt, score, correct, prediction, duration, received in rows:
            gap = None if prediction is None else abs(prediction - truth)
            facts = ordering.Facts(score, correct, received, duration, attempt, participant, gap)
            copy.write_row((participant, issuer, attempt, merit(facts)))


def cursor_of(session: Session) -> psycopg.Cursor[Any]:
    """A psycopg cursor inside the session's own transaction."""
    connection: psycopg.Connection[Any] = session.connection().connection.driver_connection  # type: ignore[assignment]
    return connection.cursor()
