"""Scoring a round again under another key: a pure function of its entries and the key version (promise 6).

First everything that would change is laid into temporary tables, without a lock and without writing a row that
lasts: that is the dry run. Applying lays it again under the round's lock, writes it, and counts the persons
concerned; the result equals a count from scratch.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from sqlalchemy import text
from sqlalchemy.orm import Session

from quiz.intake.events import Kind
from quiz.models import CountingEvent
from scoring import counting, finalize, ordering
from scoring import rules as rules_room
from scoring.storing import LOCK_CLASS, load_scorer, read_keys

_BATCH = 20_000
Progress = Callable[[int, int], None]
"""Called with (entries read, entries in the round) after each batch; may raise to stop before anything is written."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What another key changes, in numbers."""

    entries: int
    """Entries whose score changes."""
    up: int
    down: int
    """Persons whose standing gains or loses points."""
    ranks: int
    """Persons whose rank changes, those passed by others included."""
    top: list[tuple[int, int, int]]
    """(place, person now there, person there afterwards) among the first places, where it is another person."""


def rescore(
    session: Session,
    round_id: int,
    key_version: int,
    *,
    progress: Progress | None = None,
    top: int = 100,
) -> Effect:
    """What scoring the round under `key_version` would change. Writes nothing that lasts and takes no lock.

    Raises:
        LookupError: the round has no such key version.
    """
    _lay(session, round_id, key_version, progress)
    return _effect(session, round_id, top)


def apply(
    session: Session,
    round_id: int,
    key_version: int,
    now: datetime,
    *,
    reason: str,
    actor_id: int | None,
    progress: Progress | None = None,
    top: int = 100,
) -> Effect:
    """Score the round under `key_version`; the caller commits. Doing it twice changes nothing the second time.

    Raises:
        LookupError: the round has no such key version.
    """
    session.execute(text("SELECT pg_advisory_xact_lock(:c, :r)"), {"c": LOCK_CLASS, "r": round_id})
    before = session.execute(text("SELECT contest_id, key_version FROM round WHERE id = :id"), {"id": round_id}).one()
    _lay(session, round_id, key_version, progress)
    effect = _effect(session, round_id, top)
    session.execute(
        text(
            "UPDATE entry e SET score = r.score, correct = r.correct, merit = r.merit, key_version = :version "
            "FROM regraded r WHERE e.round_id = :id "
            "AND (e.participant_id, e.issuer, e.attempt) = (r.participant_id, r.issuer, r.attempt)"
        ),
        {"id": round_id, "version": key_version},
    )
    session.execute(
        text("UPDATE round SET key_version = :version WHERE id = :id"), {"version": key_version, "id": round_id}
    )
    counting.write_prepared(session, round_id)
    if before.key_version != key_version:
        detail = {"from": before.key_version, "to": key_version, "entries": effect.entries}
        session.add(
            CountingEvent(
                contest_id=before.contest_id,
                round_id=round_id,
                person_id=None,
                kind="key",
                detail=detail,
                reason=reason,
                actor_id=actor_id,
                at=now,
            )
        )
    return effect


def _lay(session: Session, round_id: int, key_version: int, progress: Progress | None) -> None:
    """`regraded`: entries whose score changes, with their new values; `standing_after` of their persons."""
    cursor = finalize.cursor_of(session)
    scorer = load_scorer(cursor, round_id)
    keys = {bank: rules_room.key_from(key) for bank, key in read_keys(cursor, round_id, key_version)}
    known = session.scalar(
        text("SELECT count(*) FROM key_version WHERE round_id = :id AND version = :v"),
        {"id": round_id, "v": key_version},
    )
    if not known:
        raise LookupError(f"round {round_id} has no key version {key_version}")
    cursor.execute("DROP TABLE IF EXISTS regraded")
    cursor.execute(
        "CREATE TEMP TABLE regraded (participant_id bigint, issuer smallint, attempt smallint, "
        "score integer, correct smallint, merit bytea) ON COMMIT DROP"
    )
    truth = _truth(session, round_id, scorer.rules, scorer.final)
    for rows in _entries(cursor, round_id, progress):
        _copy(cursor, _changed(scorer, keys, rows, truth))
    session.execute(text("ANALYZE regraded"))
    session.execute(text("DROP VIEW IF EXISTS entry_regraded"))
    session.execute(text(_VIEW.format(round_id=int(round_id))))
    session.execute(text("DROP TABLE IF EXISTS recounting"))
    session.execute(
        text(
            "CREATE TEMP TABLE recounting ON COMMIT DROP AS "
            "SELECT DISTINCT coalesce(u.person_id, r.participant_id) AS person_id FROM regraded r "
            "LEFT JOIN users u ON u.id = r.participant_id AND u.person_id <> u.id"
        )
    )
    counting.prepare(session, round_id, source="entry_regraded")


def _truth(session: Session, round_id: int, rules: rules_room.Rules, final: bool) -> int | None:
    """The true number that gaps are measured from, in a final round whose ranking uses them."""
    if not final or rules.prediction is None or "prediction_gap" not in rules.ranking:
        return None
    return finalize.true_number(session, round_id, rules)


def _entries(cursor: psycopg.Cursor[Any], round_id: int, progress: Progress | None) -> Iterator[Sequence[Any]]:
    counted = cursor.execute("SELECT count(*) FROM entry WHERE round_id = %s", (round_id,)).fetchone()
    total = int(counted[0]) if counted else 0
    done = 0
    with cursor.connection.cursor(name="entries_to_regrade", binary=True) as reader:
        reader.itersize = _BATCH
        reader.execute(
            "SELECT participant_id, issuer, attempt, bank_version, kind, score, correct, prediction, duration_ms, "
            "(extract(epoch FROM received_at) * 1000)::bigint, questions, answers FROM entry WHERE round_id = %s",
            (round_id,),
        )
        while rows := reader.fetchmany(_BATCH):
            yield rows
            done += len(rows)
            if progress is not None:
                progress(done, total)


def _changed(
    scorer: Any, keys: dict[int, list[rules_room.QuestionKey]], rows: Sequence[Any], truth: int | None
) -> Iterator[tuple[Any, ...]]:
    """The new values of those rows whose score is another under the new key."""
    for participant, issuer, attempt, bank, kind, score, correct, prediction, duration, received, asked, given in rows:
        count = len(asked) // 2
        questions = struct.unpack(f">{count}H", asked)
        answers = struct.unpack(f">{count}H", given)
        points, right = rules_room.score(scorer.rules, keys[bank], questions, answers)
        if kind == Kind.LATE:
            points = right = 0
        if (points, right) == (score, correct):
            continue
        gap = None if truth is None or prediction is None else abs(prediction - truth)
        merit = scorer.merit(ordering.Facts(points, right, received, duration, attempt, participant, gap))
        yield participant, issuer, attempt, points, right, merit


def _copy(cursor: psycopg.Cursor[Any], rows: Iterator[tuple[Any, ...]]) -> None:
    with cursor.copy("COPY regraded FROM STDIN (FORMAT binary)") as copy:
        copy.set_types(["int8", "int2", "int2", "int4", "int2", "bytea"])
        for row in rows:
            copy.write_row(row)


def _effect(session: Session, round_id: int, top: int) -> Effect:
    numbers = session.execute(
        text(
            "SELECT (SELECT count(*) FROM regraded) AS entries, "
            "count(*) FILTER (WHERE a.score > b.score) AS up, count(*) FILTER (WHERE a.score < b.score) AS down "
            "FROM standing_before b JOIN standing_after a USING (person_id)"
        )
    ).one()
    session.execute(text("DROP TABLE IF EXISTS ranking"))
    session.execute(text(_RANKING), {"id": round_id})
    ranks = session.scalar(text("SELECT count(*) FROM ranking WHERE before IS DISTINCT FROM after"))
    changed = session.execute(
        text(
            "SELECT n.place, n.person_id AS one, t.person_id AS other "
            "FROM (SELECT before_place AS place, person_id FROM ranking WHERE before_place <= :top) n "
            "JOIN (SELECT after_place AS place, person_id FROM ranking WHERE after_place <= :top) t USING (place) "
            "WHERE n.person_id <> t.person_id ORDER BY place"
        ),
        {"top": top},
    ).all()
    return Effect(numbers.entries, numbers.up, numbers.down, int(ranks or 0), [tuple(row) for row in changed])


_VIEW = """
CREATE TEMP VIEW entry_regraded AS
SELECT e.round_id, e.participant_id, e.issuer, e.attempt, e.unit_id, e.counted, e.prediction, e.duration_ms,
       e.received_at, coalesce(r.score, e.score) AS score, coalesce(r.correct, e.correct) AS correct,
       coalesce(r.merit, e.merit) AS merit
FROM entry e LEFT JOIN regraded r USING (participant_id, issuer, attempt) WHERE e.round_id = {round_id}
"""
_RANKING = """
CREATE TEMP TABLE ranking ON COMMIT DROP AS
SELECT person_id, rank() OVER (ORDER BY s.merit DESC) AS before,
       rank() OVER (ORDER BY coalesce(a.merit, s.merit) DESC) AS after,
       row_number() OVER (ORDER BY s.merit DESC, person_id) AS before_place,
       row_number() OVER (ORDER BY coalesce(a.merit, s.merit) DESC, person_id) AS after_place
FROM standing s LEFT JOIN standing_after a USING (person_id) WHERE s.round_id = :id
"""
