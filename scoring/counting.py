"""What changes counts after the fact: one event, one function, one transaction.

A cancelled session, a disqualification, merged accounts, a moved unit, an excluded entry: each is written to the
append-only counting events, and `recount_persons` counts the persons it names again and moves the tallies by the
difference. Drains of the round wait meanwhile; the result equals a count from scratch (`scoring.recount.check`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from quiz.models import CountingEvent
from scoring import finalize, recount
from scoring.storing import LOCK_CLASS

_THESE = "person_id IN (SELECT person_id FROM recounting)"
EntryName = tuple[int, int, int]
"""(participant, issuer, attempt)"""


def set_counted(
    session: Session, round_id: int, entries: Sequence[EntryName], reason: str | None, event: CountingEvent
) -> None:
    """Exclude entries with a reason, or count them again (reason None). The caller commits."""
    _lock(session, round_id)
    session.add(event)
    persons = set()
    for participant, issuer, attempt in entries:
        person = session.execute(
            text(
                "UPDATE entry e SET counted = (CAST(:reason AS text) IS NULL), excluded_reason = :reason "
                "WHERE round_id = :round AND participant_id = :participant AND issuer = :issuer AND attempt = :attempt "
                "RETURNING coalesce((SELECT person_id FROM users u WHERE u.id = e.participant_id), e.participant_id)"
            ),
            {
                "reason": reason,
                "round": round_id,
                "participant": participant,
                "issuer": issuer,
                "attempt": attempt,
            },
        ).scalar_one()
        persons.add(person)
    recount_persons(session, round_id, sorted(persons))


def merge_persons(session: Session, keep: int, merged: int, event: CountingEvent) -> None:
    """Make two accounts one person, in every round of the contest. The caller commits."""
    rounds = list(
        session.scalars(
            text("SELECT id FROM round WHERE contest_id = :contest ORDER BY id"), {"contest": event.contest_id}
        )
    )
    for round_id in rounds:
        _lock(session, round_id)
    session.add(event)
    session.execute(
        text("UPDATE users SET person_id = :keep WHERE person_id = :merged"), {"keep": keep, "merged": merged}
    )
    for round_id in rounds:
        recount_persons(session, round_id, [keep, merged])


def move_home(session: Session, round_id: int, person: int, unit_id: int, event: CountingEvent) -> None:
    """Let a person's entries of a round count for another unit. The caller commits."""
    _lock(session, round_id)
    session.add(event)
    recount_persons(session, round_id, [person], {person: unit_id})


def recount_persons(
    session: Session, round_id: int, persons: Sequence[int], homes: Mapping[int, int] | None = None
) -> None:
    """Count these persons' entries of a round again and move every tally by the difference.

    Args:
        homes: person → unit that the entries count for from now on; others keep theirs.
    """
    session.flush()
    session.execute(text("DROP TABLE IF EXISTS recounting"))
    session.execute(
        text(
            "CREATE TEMP TABLE recounting ON COMMIT DROP AS SELECT DISTINCT unnest(CAST(:p AS bigint[])) AS person_id"
        ),
        {"p": list(persons)},
    )
    _prepare(session, round_id)
    for person, unit_id in (homes or {}).items():
        session.execute(
            text("UPDATE standing_after SET unit_id = :unit WHERE person_id = :person"),
            {"unit": unit_id, "person": person},
        )
    _write_prepared(session, round_id)


def _prepare(session: Session, round_id: int) -> None:
    """Count the persons of the temporary table `recounting` into `standing_after`, beside `standing_before`."""
    contest = session.scalar(text("SELECT contest_id FROM round WHERE id = :id"), {"id": round_id})
    session.execute(text("ANALYZE recounting"))
    for table, select in (
        ("standing_before", f"SELECT * FROM standing WHERE round_id = :id AND {_THESE}"),
        ("standing_after", recount.standings_sql(session, round_id, persons="recounting")),
        ("contest_before", f"SELECT * FROM contest_standing WHERE contest_id = :contest AND {_THESE}"),
    ):
        session.execute(text(f"DROP TABLE IF EXISTS {table}"))
        session.execute(
            text(f"CREATE TEMP TABLE {table} ON COMMIT DROP AS {select}"), {"id": round_id, "contest": contest}
        )
        session.execute(text(f"ANALYZE {table}"))


def _write_prepared(session: Session, round_id: int) -> None:
    """Make what `_prepare` counted the standings and tallies; the ranks too, if the round is final."""
    facts = session.execute(
        text("SELECT contest_id, shards, finalized_at FROM round WHERE id = :round"), {"round": round_id}
    ).one()
    for statement in _MOVES:
        session.execute(text(statement), {"id": round_id, "contest": facts.contest_id, "shards": facts.shards})
    if facts.finalized_at is not None:
        finalize.write_ranks(session, round_id)


def event_of(
    kind: str, contest_id: int, round_id: int | None, person: int | None, reason: str, actor: int | None, now: datetime,
    **detail: Any,
) -> CountingEvent:  # fmt: skip
    """A counting event; `kind` is one of the table's rule."""
    return CountingEvent(
        kind=kind,
        contest_id=contest_id,
        round_id=round_id,
        person_id=person,
        reason=reason,
        actor_id=actor,
        at=now,
        detail=detail,
    )


def _lock(session: Session, round_id: int) -> None:
    session.execute(text("SELECT pg_advisory_xact_lock(:c, :r)"), {"c": LOCK_CLASS, "r": round_id})


_COLUMNS = recount.STANDING_COLUMNS

_MOVES = (
    # Tallies move by after minus before: rows of other persons are never read.
    """
    INSERT INTO tally AS t (round_id, unit_id, shard, participants, entries, score_sum)
    SELECT :id, unit_id, person_id % :shards, sum(people), sum(entries), sum(score) FROM (
        SELECT unit_id, person_id, -1 AS people, -entries AS entries, -score AS score FROM standing_before
        UNION ALL SELECT unit_id, person_id, 1, entries, score FROM standing_after
    ) moves GROUP BY 2, 3 ORDER BY 2, 3
    ON CONFLICT (round_id, unit_id, shard) DO UPDATE SET participants = t.participants + excluded.participants,
        entries = t.entries + excluded.entries, score_sum = t.score_sum + excluded.score_sum
    """,
    "DELETE FROM standing WHERE round_id = :id AND " + _THESE,
    f"""
    INSERT INTO standing (round_id, person_id, unit_id, entries, {_COLUMNS})
    SELECT :id, person_id, unit_id, entries, {_COLUMNS} FROM standing_after
    """,
    "DELETE FROM contest_standing WHERE contest_id = :contest AND " + _THESE,
    """
    INSERT INTO contest_standing (contest_id, person_id, unit_id, entries, rounds, score)
    SELECT :contest, s.person_id, coalesce(min(b.unit_id), (array_agg(s.unit_id ORDER BY s.received_at))[1]),
           sum(s.entries), count(*), sum(s.score)
    FROM standing s JOIN round r ON r.id = s.round_id AND r.contest_id = :contest
    LEFT JOIN contest_before b ON b.person_id = s.person_id
    WHERE s.person_id IN (SELECT person_id FROM recounting) GROUP BY s.person_id
    """,
    """
    INSERT INTO contest_tally AS t (contest_id, unit_id, shard, participants, entries, standings, score_sum)
    SELECT :contest, unit_id, person_id % 16, sum(people), sum(entries), sum(rounds), sum(score) FROM (
        SELECT unit_id, person_id, -1 AS people, -entries AS entries, -rounds AS rounds, -score AS score
        FROM contest_before
        UNION ALL SELECT unit_id, person_id, 1, entries, rounds, score FROM contest_standing
        WHERE contest_id = :contest AND person_id IN (SELECT person_id FROM recounting)
    ) moves GROUP BY 2, 3 ORDER BY 2, 3
    ON CONFLICT (contest_id, unit_id, shard) DO UPDATE SET participants = t.participants + excluded.participants,
        entries = t.entries + excluded.entries, standings = t.standings + excluded.standings,
        score_sum = t.score_sum + excluded.score_sum
    """,
)
