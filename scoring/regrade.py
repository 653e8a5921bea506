"""Scoring a round again under another key: a pure function of its entries and the key version (promise 6).

The dry run lays what would change into temporary tables, without a lock and without writing a row that lasts. Applying
does the same under the round's lock and writes it in the same transaction; the result equals a count from scratch.
Another key moves scores and ranks only: who took part, how often and for which unit stays.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from sqlalchemy import text
from sqlalchemy.orm import Session

from quiz.models import CountingEvent, partitions
from scoring import finalize, regrade_rows
from scoring import rules as rules_room
from scoring.memory import uncollected
from scoring.regrade_rows import Laid, Regrading
from scoring.storing import LOCK_CLASS, copy_block, load_scorer, read_keys

_BATCH = 20_000
Progress = Callable[[int, int], None]
"""Called with (entries read, entries in the round) after each batch; may raise to stop."""
Keep = Callable[[psycopg.Cursor[Any], Laid], None]
"""Takes what has become known of a batch into the tables."""


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

    Lays `entry_regraded`, the entries as they would be, and `standing_after`, the standings of the persons concerned:
    whoever asks more of the correction reads them in the same transaction.

    Raises:
        LookupError: the round has no such key version.
    """
    entries = _lay(session, round_id, key_version, progress, _keep)
    session.execute(text(_VIEW.format(entry=partitions.entries(round_id))))
    return _effect(session, round_id, entries, top)


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
    entries = _lay(session, round_id, key_version, progress, functools.partial(_keep_and_write, round_id, key_version))
    effect = _effect(session, round_id, entries, top)
    _write_standings(session, round_id, before.contest_id, key_version)
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


def _lay(session: Session, round_id: int, key_version: int, progress: Progress | None, keep: Keep) -> int:
    """Score every entry and hand what changes to `keep`, batch by batch.

    Returns:
        How many entries change their score.
    """
    cursor = finalize.cursor_of(session)
    scorer = load_scorer(cursor, round_id)
    keys = {bank: rules_room.key_from(key) for bank, key in read_keys(cursor, round_id, key_version)}
    known = session.scalar(
        text("SELECT count(*) FROM key_version WHERE round_id = :id AND version = :v"),
        {"id": round_id, "v": key_version},
    )
    if not known:
        raise LookupError(f"round {round_id} has no key version {key_version}")
    for statement in _SET_UP:
        cursor.execute(statement)
    regrading = Regrading(scorer, keys, _truth(session, round_id, scorer.rules, scorer.final))
    _score_all(cursor, partitions.entries(round_id), regrading, keep, progress)
    regrading.finish()
    keep(cursor, regrading.take())
    cursor.execute("ANALYZE regraded (participant_id), standing_after (person_id)")
    return regrading.changed


def _score_all(
    cursor: psycopg.Cursor[Any], table: str, regrading: Regrading, keep: Keep, progress: Progress | None
) -> None:
    """While a batch is scored here, PostgreSQL takes what changed of the one before and sends the one after."""
    counted = cursor.execute(f"SELECT count(*) FROM {table}").fetchone()
    total, done = int(counted[0]) if counted else 0, 0
    with (
        cursor.connection.cursor(name="entries_to_regrade", binary=True) as reader,
        ThreadPoolExecutor(max_workers=1) as beside,
        uncollected(),
    ):

        def exchange(laid: Laid) -> Sequence[Any]:
            keep(cursor, laid)
            return reader.fetchmany(_BATCH)

        # In the order of the participants, which is the order of the index and brings a person's entries together.
        reader.execute(f"SELECT {', '.join(regrade_rows.READ_COLUMNS)} FROM {table} ORDER BY participant_id")
        rows: Sequence[Any] = reader.fetchmany(_BATCH)
        while rows:
            coming = beside.submit(exchange, regrading.take())
            regrading.add(rows)
            done += len(rows)
            rows = coming.result()
            # After the exchange: the connection is nobody else's now, and what is asked may use it.
            if progress is not None:
                progress(done, total)


def _keep(cursor: psycopg.Cursor[Any], laid: Laid) -> None:
    copy_block(cursor, "regraded", regrade_rows.CHANGED_COLUMNS, laid.entries)
    copy_block(cursor, "standing_after", regrade_rows.STANDING_COLUMNS, laid.standings)


def _keep_and_write(round_id: int, key_version: int, cursor: psycopg.Cursor[Any], laid: Laid) -> None:
    """Write the entries at once, by where they lie: nothing moves them as long as the round's lock is held.

    `regraded` then holds one batch at a time.

    Raises:
        RuntimeError: something moved them; nothing may be committed.
    """
    _keep(cursor, laid)
    # Left to itself the planner reads the whole table once more for each batch. In the order of the batch, which is
    # the index's, neighbours in the index are written together.
    cursor.execute("SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off")
    cursor.execute(_ENTRIES.format(entry=partitions.entries(round_id)), (key_version,))
    if cursor.rowcount != laid.changed:
        raise RuntimeError(f"of {laid.changed} entries to be written {cursor.rowcount} were found")
    cursor.execute("SET LOCAL enable_hashjoin = on; SET LOCAL enable_mergejoin = on; TRUNCATE regraded")


def _truth(session: Session, round_id: int, rules: rules_room.Rules, final: bool) -> int | None:
    """The true number that gaps are measured from, in a final round whose ranking uses them."""
    if not final or rules.prediction is None or "prediction_gap" not in rules.ranking:
        return None
    return finalize.true_number(session, round_id, rules)


def _effect(session: Session, round_id: int, entries: int, top: int) -> Effect:
    found = session.execute(text(_COMPARED.format(standing=partitions.standings(round_id))), {"top": top}).one()
    now = dict(zip(found.places, found.persons, strict=True))
    then = dict(zip(found.new_places, found.new_persons, strict=True))
    changed = [(place, now[place], then[place]) for place in sorted(now) if now[place] != then[place]]
    return Effect(entries, found.up, found.down, found.ranks, changed)


def _write_standings(session: Session, round_id: int, contest_id: int, key_version: int) -> None:
    """Standings and tallies as laid, and the ranks too if the round is final."""
    session.execute(
        text(_STANDINGS.format(standing=partitions.standings(round_id))), {"id": round_id, "contest": contest_id}
    )
    finalized = session.execute(
        text("UPDATE round SET key_version = :version WHERE id = :id RETURNING finalized_at"),
        {"version": key_version, "id": round_id},
    ).scalar_one()
    if finalized is not None:
        finalize.write_ranks(session, round_id)


_SET_UP = (
    # For this transaction: what is sorted and joined here is a round at once, and all of the cursor's rows are read.
    "SET LOCAL work_mem = '128MB'",
    "SET LOCAL cursor_tuple_fraction = 1",
    "DROP VIEW IF EXISTS entry_regraded",
    "DROP TABLE IF EXISTS regraded, standing_after",
    "CREATE TEMP TABLE regraded (tid tid, participant_id bigint, issuer smallint, attempt smallint, score integer, "
    "correct smallint, merit bytea) ON COMMIT DROP",
    "CREATE TEMP TABLE standing_after (person_id bigint, participant_id bigint, issuer smallint, attempt smallint, "
    "score integer, correct smallint, duration_ms integer, received_at timestamptz, prediction bigint, merit bytea) "
    "ON COMMIT DROP",
)
_VIEW = """
CREATE TEMP VIEW entry_regraded AS
SELECT e.round_id, e.participant_id, e.issuer, e.attempt, e.unit_id, e.counted, e.prediction, e.duration_ms,
       e.received_at, coalesce(r.score, e.score) AS score, coalesce(r.correct, e.correct) AS correct,
       coalesce(r.merit, e.merit) AS merit
FROM {entry} e LEFT JOIN regraded r USING (participant_id, issuer, attempt)
"""
# One join and two sorts say all of it: of windows in the order of the same merit the second finds it sorted.
_COMPARED = """
SELECT count(*) FILTER (WHERE score_after > score) AS up, count(*) FILTER (WHERE score_after < score) AS down,
       count(*) FILTER (WHERE rank <> rank_after) AS ranks,
       coalesce(array_agg(place) FILTER (WHERE place <= :top), '{{}}') AS places,
       coalesce(array_agg(person_id) FILTER (WHERE place <= :top), '{{}}') AS persons,
       coalesce(array_agg(place_after) FILTER (WHERE place_after <= :top), '{{}}') AS new_places,
       coalesce(array_agg(person_id) FILTER (WHERE place_after <= :top), '{{}}') AS new_persons
FROM (
    SELECT person_id, s.score, coalesce(a.score, s.score) AS score_after,
           rank() OVER (ORDER BY s.merit DESC) AS rank,
           row_number() OVER (ORDER BY s.merit DESC, person_id) AS place,
           rank() OVER (ORDER BY coalesce(a.merit, s.merit) DESC) AS rank_after,
           row_number() OVER (ORDER BY coalesce(a.merit, s.merit) DESC, person_id) AS place_after
    FROM {standing} s LEFT JOIN standing_after a USING (person_id)
) compared
"""
_ENTRIES = """
UPDATE {entry} e SET score = r.score, correct = r.correct, merit = r.merit, key_version = %s
FROM regraded r WHERE e.ctid = r.tid
"""
# Old and new values of what is written give the differences for tallies and contest, as in the drain's statement, and
# the rows of the contest, where drains of other rounds write too, are taken in the drain's order: no deadlocks. A unit
# may have several rows of which only the sum means anything: its first one takes the whole difference.
_STANDINGS = """
WITH moved AS (
    UPDATE {standing} s SET participant_id = a.participant_id, issuer = a.issuer, attempt = a.attempt,
        score = a.score, correct = a.correct, duration_ms = a.duration_ms, received_at = a.received_at,
        prediction = a.prediction, merit = a.merit
    FROM standing_after a WHERE a.person_id = s.person_id
    AND (s.participant_id, s.issuer, s.attempt, s.score, s.correct, s.merit)
        IS DISTINCT FROM (a.participant_id, a.issuer, a.attempt, a.score, a.correct, a.merit)
    RETURNING s.person_id, s.unit_id, s.entries, new.score - old.score AS score
), tallied AS (
    INSERT INTO tally AS t (round_id, unit_id, shard, participants, entries, score_sum)
    SELECT :id, unit_id, 0, 0, 0, sum(score) FROM moved GROUP BY unit_id ORDER BY unit_id
    ON CONFLICT (round_id, unit_id, shard) DO UPDATE SET score_sum = t.score_sum + excluded.score_sum
), contest_moved AS (
    INSERT INTO contest_standing AS c (contest_id, person_id, unit_id, entries, rounds, score)
    SELECT :contest, person_id, unit_id, entries, 1, score FROM moved WHERE score <> 0 ORDER BY person_id
    ON CONFLICT (contest_id, person_id) DO UPDATE SET score = c.score + excluded.score
    RETURNING new.unit_id, new.score - coalesce(old.score, 0) AS score
)
INSERT INTO contest_tally AS t (contest_id, unit_id, shard, participants, entries, standings, score_sum)
SELECT :contest, unit_id, 0, 0, 0, 0, sum(score) FROM contest_moved GROUP BY unit_id ORDER BY unit_id
ON CONFLICT (contest_id, unit_id, shard) DO UPDATE SET score_sum = t.score_sum + excluded.score_sum
"""
