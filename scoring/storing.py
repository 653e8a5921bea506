"""One transaction that makes a batch count: entries, standings, tallies and watermarks, or nothing of it.

The entries are copied straight into their partition, as if none of them had been stored before. When one had (its
batch was committed, but not taken off its stream), the unique key refuses the batch, and the caller stores it
`again`: then what the table has already is left out first. So the key alone makes an entry count once, and the
common case pays nothing for the rare one.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg

from quiz.models import partitions
from scoring import ordering, packing
from scoring import rules as rules_room
from scoring.packing import EntryName, Packed, RoundScorer

KeyRows = Sequence[tuple[int, Any]]

LOCK_CLASS = 80
"""First half of the advisory locks: drains share the lock of their round, what recounts it takes it alone."""


class Scorers:
    """The scorers of a drain: what they say is read in each transaction, they are made anew only when it changed."""

    def __init__(self) -> None:
        self._held: dict[int, tuple[Any, RoundScorer]] = {}

    def held(self, round_id: int) -> RoundScorer | None:
        """The scorer as of the last transaction: good enough to pack ahead with."""
        held = self._held.get(round_id)
        return held and held[1]

    def load(self, cursor: psycopg.Cursor[Any], round_id: int) -> RoundScorer:
        source = _read_source(cursor, round_id)
        held = self._held.get(round_id)
        if held is None or held[0] != source:
            held = self._held[round_id] = source, _scorer(round_id, *source)
        return held[1]


def store(
    cursor: psycopg.Cursor[Any],
    round_id: int,
    events: Sequence[bytes],
    marks: Mapping[int, bytes],
    scorers: Scorers,
    lane: int,
    *,
    ahead: Packed | None = None,
    again: bool = False,
) -> int:
    """Score events of one round and write entries, standings, tallies and watermarks in the caller's transaction.

    Args:
        marks: shard → id of the last message of the batch.
        lane: of the drain, which has tally rows of its own.
        ahead: the batch as it was packed before; packed again if the rules, the key or the persons changed since.
        again: look first which of the entries are stored already.

    Returns:
        How many entries were new.

    Raises:
        psycopg.errors.UniqueViolation: an entry is stored already; store the batch `again`.
        UnreadableEvent, psycopg.IntegrityError, psycopg.DataError and others: an event of the batch is bad.
    """
    cursor.execute("SELECT pg_advisory_xact_lock_shared(%s, %s)", (LOCK_CLASS, round_id))
    scorer = scorers.load(cursor, round_id)
    if again:
        packed = packing.pack(scorer, events, _stored(cursor, round_id, events))
    elif ahead is None or ahead.scorer is not scorer:
        packed = packing.pack(scorer, events)
    else:
        packed = ahead
    copy_block(cursor, partitions.entries(round_id), packing.ENTRY_COLUMNS, packed.entries)
    cursor.execute(_CREATE_INCOMING)
    copy_block(cursor, "incoming", packing.INCOMING_COLUMNS, packed.standings)
    cursor.execute(_count_statement(round_id, scorer.rules.which), {"contest": scorer.contest_id, "lane": lane})
    cursor.execute(
        "INSERT INTO watermark AS w (round_id, shard, stream_id, entries) "
        "SELECT %s, unnest(%s::smallint[]), unnest(%s::text[]), 0 ORDER BY 2 "
        "ON CONFLICT (round_id, shard) DO UPDATE SET stream_id = excluded.stream_id",
        (round_id, list(marks), [mark.decode() for mark in marks.values()]),
    )
    return packed.size


def load_scorer(cursor: psycopg.Cursor[Any], round_id: int) -> RoundScorer:
    """Rules, keys and merged persons of a round, as of this transaction."""
    return _scorer(round_id, *_read_source(cursor, round_id))


def _read_source(cursor: psycopg.Cursor[Any], round_id: int) -> tuple[Any, ...]:
    row = cursor.execute(
        "SELECT contest_id, rules, key_version, draw_secret, finalized_at IS NOT NULL FROM round WHERE id = %s",
        (round_id,),
    ).fetchone()
    if row is None:
        raise KeyError(f"round {round_id}")
    keys = read_keys(cursor, round_id, row[2])
    merged = cursor.execute("SELECT id, person_id FROM users WHERE person_id <> id").fetchall()
    return row, keys, merged


def _scorer(round_id: int, row: tuple[Any, ...], keys: KeyRows, merged: Sequence[tuple[int, int]]) -> RoundScorer:
    contest_id, document, key_version, secret, final = row
    rules = rules_room.rules_from(document)
    return RoundScorer(
        round_id=round_id,
        contest_id=contest_id,
        rules=rules,
        keys={bank: rules_room.key_from(key) for bank, key in keys},
        key_version=key_version,
        final=final,
        merit=ordering.merit_maker(rules, bytes(secret)),
        merged=dict(merged),
    )


def read_keys(cursor: psycopg.Cursor[Any], round_id: int, key_version: int) -> KeyRows:
    """(bank version, key) as of a version of the round's keys."""
    return cursor.execute(
        "SELECT DISTINCT ON (bank_version) bank_version, key FROM key_version "
        "WHERE round_id = %s AND version <= %s ORDER BY bank_version, version DESC",
        (round_id, key_version),
    ).fetchall()


def _stored(cursor: psycopg.Cursor[Any], round_id: int, events: Sequence[bytes]) -> set[EntryName]:
    names = packing.names_of(events)
    rows = cursor.execute(
        f"SELECT participant_id, issuer, attempt FROM {partitions.entries(round_id)} "
        "JOIN unnest(%s::bigint[], %s::smallint[], %s::smallint[]) AS name (participant_id, issuer, attempt) "
        "USING (participant_id, issuer, attempt) WHERE round_id = %s",
        (*([name[part] for name in names] for part in range(3)), round_id),
    )
    return set(rows.fetchall())


def copy_block(cursor: psycopg.Cursor[Any], table: str, columns: Sequence[str], rows: bytes) -> None:
    """Write rows that are packed as one whole COPY."""
    with cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN (FORMAT binary)") as copy:
        copy.write(rows)


_CREATE_INCOMING = (
    "CREATE TEMP TABLE IF NOT EXISTS incoming (person_id bigint, unit_id integer, entries integer, "
    "participant_id bigint, issuer smallint, attempt smallint, score integer, correct smallint, duration_ms integer, "
    "received_at timestamptz, prediction bigint, merit bytea) ON COMMIT DELETE ROWS"
)


@functools.cache
def _count_statement(round_id: int, which: str) -> str:
    """The one statement that makes incoming rows count, for a rule of which entry is the standing.

    Old and new values of the upserts give the exact differences for the tallies (PostgreSQL 18's RETURNING old/new),
    so nothing is read twice and nothing is guessed. Rows are taken in the order of their keys: no deadlocks.
    """
    better = ordering.better_sql(which, "excluded", "s")
    moved = ", ".join(
        f"{name} = CASE WHEN {better} THEN excluded.{name} ELSE s.{name} END" for name in packing.SHARED_COLUMNS
    )
    columns = ", ".join(packing.SHARED_COLUMNS)
    return f"""
WITH moved AS (
    INSERT INTO {partitions.standings(round_id)} AS s (round_id, person_id, unit_id, entries, {columns})
    SELECT {int(round_id)}, person_id, unit_id, entries, {columns} FROM incoming ORDER BY person_id
    ON CONFLICT (round_id, person_id) DO UPDATE SET entries = s.entries + excluded.entries, {moved}
    RETURNING new.person_id, new.unit_id, (old.person_id IS NULL)::int AS people,
              new.entries - coalesce(old.entries, 0) AS entries, new.score - coalesce(old.score, 0) AS score
), tallied AS (
    INSERT INTO tally AS t (round_id, unit_id, shard, participants, entries, score_sum)
    SELECT {int(round_id)}, unit_id, %(lane)s, sum(people), sum(entries), sum(score)
    FROM moved GROUP BY unit_id ORDER BY unit_id
    ON CONFLICT (round_id, unit_id, shard) DO UPDATE SET participants = t.participants + excluded.participants,
        entries = t.entries + excluded.entries, score_sum = t.score_sum + excluded.score_sum
), contest_moved AS (
    INSERT INTO contest_standing AS c (contest_id, person_id, unit_id, entries, rounds, score)
    SELECT %(contest)s, person_id, unit_id, entries, people, score FROM moved ORDER BY person_id
    ON CONFLICT (contest_id, person_id) DO UPDATE SET entries = c.entries + excluded.entries,
        rounds = c.rounds + excluded.rounds, score = c.score + excluded.score
    RETURNING new.person_id, new.unit_id, (old.person_id IS NULL)::int AS people,
              new.entries - coalesce(old.entries, 0) AS entries, new.rounds - coalesce(old.rounds, 0) AS rounds,
              new.score - coalesce(old.score, 0) AS score
)
INSERT INTO contest_tally AS t (contest_id, unit_id, shard, participants, entries, standings, score_sum)
SELECT %(contest)s, unit_id, %(lane)s, sum(people), sum(entries), sum(rounds), sum(score)
FROM contest_moved GROUP BY unit_id ORDER BY unit_id
ON CONFLICT (contest_id, unit_id, shard) DO UPDATE SET participants = t.participants + excluded.participants,
    entries = t.entries + excluded.entries, standings = t.standings + excluded.standings,
    score_sum = t.score_sum + excluded.score_sum
"""
