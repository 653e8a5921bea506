"""Stream → scored entries, standings, tallies: one PostgreSQL transaction a batch.

    read (XAUTOCLAIM what others left, own pending, new) → decode → score → COPY → one statement → commit → XACK, XDEL

Whatever dies where, an entry counts once: before the commit nothing happened and the messages are read again; after
it the unique key of the entry makes the second insertion a no-op, and only what was really inserted moves standings
and tallies. A lease per lane only saves work; two drains of one lane would still count right.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg
from redis import Redis
from redis.exceptions import ResponseError
from sqlalchemy import Engine

from quiz.intake import keys, primer
from quiz.intake.events import EntryEvent, Kind, Paper, UnreadableEvent, decode_event
from quiz.intake.season import RoundCard
from scoring import ordering
from scoring import rules as rules_room
from scoring.rules import QuestionKey, Rules

BATCH = 5_000
BLOCK_MS = 200
ABANDONED_MS = 5_000
"""Idle time after which another consumer's message is taken over."""
LOCK_CLASS = 80
"""First half of the advisory locks: drains share the lock of their round, what recounts it takes it alone."""

Message = tuple[bytes, bytes, bytes]
"""(stream key, message id, event)"""


@dataclass(slots=True)
class BatchResult:
    """What one turn did. `rounds`: those whose tallies moved."""

    read: int = 0
    inserted: int = 0
    dead: int = 0
    rounds: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class RoundScorer:
    """What scoring an entry of a round needs, read in the transaction that stores it."""

    round_id: int
    contest_id: int
    shards: int
    rules: Rules
    keys: Mapping[int, Sequence[QuestionKey]]
    """By bank version; papers of an older frozen bank are still out."""
    key_version: int
    final: bool
    merit: Callable[[ordering.Facts], bytes]


class Drain:
    """Drains some shards of all live rounds. One instance a job; its PostgreSQL connection is its own."""

    def __init__(self, engine: Engine, intake: Redis, consumer: str, process: str) -> None:
        self._process = process
        self._engine = engine
        self._redis = intake
        self._consumer = consumer
        self._grouped: set[bytes] = set()
        self._own_pending = True

    def turn(self, cards: Sequence[RoundCard], lane: int, lanes: int, *, block_ms: int = BLOCK_MS) -> BatchResult:
        """Read, store and acknowledge one batch.

        Raises:
            psycopg.OperationalError, redis.RedisError: a part is away; nothing is lost, call again.
        """
        streams = self._streams(cards, lane, lanes)
        if not streams:
            time.sleep(block_ms / 1000)
            return BatchResult()
        messages = self._read(streams, block_ms)
        result = BatchResult(read=len(messages))
        by_round: dict[int, list[Message]] = {}
        for message in messages:
            by_round.setdefault(streams[message[0]], []).append(message)
        for round_id, batch in by_round.items():
            self._store(round_id, batch, result)
        return result

    def claim_abandoned(self, cards: Sequence[RoundCard], lane: int, lanes: int) -> int:
        """Take over what a dead consumer of another name left; own pending messages are read again anyway."""
        claimed = 0
        for stream in self._streams(cards, lane, lanes):
            reply = self._redis.xautoclaim(stream, keys.GROUP, self._consumer, ABANDONED_MS, "0-0", count=BATCH)
            claimed += sum(1 for message_id, _ in reply[1] if message_id is not None)
        if claimed:
            self._own_pending = True
        return claimed

    def _streams(self, cards: Sequence[RoundCard], lane: int, lanes: int) -> dict[bytes, int]:
        streams = {}
        for card in cards:
            shards = [shard for shard in range(card.shards) if shard % lanes == lane]
            names = {keys.entries(card.id, shard).encode(): card.id for shard in shards}
            if not self._grouped.issuperset(names):
                primer.ensure_groups(self._redis, card, shards)
                self._grouped.update(names)
            streams.update(names)
        return streams

    def _read(self, streams: Mapping[bytes, int], block_ms: int) -> list[Message]:
        """Own unacknowledged messages first (a predecessor of this name died), then new ones."""
        if self._own_pending:
            messages = self._read_group(streams, b"0", None)
            if messages:
                return messages
            self._own_pending = False
        return self._read_group(streams, b">", block_ms)

    def _read_group(self, streams: Mapping[bytes, int], since: bytes, block_ms: int | None) -> list[Message]:
        count = max(100, BATCH // len(streams))
        try:
            # The plain reply: redis-py's parsed one builds a dict a message.
            block = [] if block_ms is None else ["BLOCK", block_ms]
            reply = self._redis.execute_command(  # type: ignore[no-untyped-call]
                "XREADGROUP",
                "GROUP",
                keys.GROUP,
                self._consumer,
                "COUNT",
                count,
                *block,
                "STREAMS",
                *streams,
                *([since] * len(streams)),
            )
        except ResponseError as error:
            if "NOGROUP" not in str(error):
                raise
            # Redis was emptied under us: the groups come back with the next turn.
            self._grouped.clear()
            return []
        messages: list[Message] = []
        for stream, items in _pairs(reply):
            for message_id, fields in items:
                # A pending message whose entry was deleted has no fields any more: only its mark is left.
                messages.append((stream, message_id, _event_field(fields)))
        return messages

    def _store(self, round_id: int, batch: list[Message], result: BatchResult) -> None:
        """Store a batch; one that the database refuses is halved until the bad message stands alone."""
        try:
            inserted = self._store_at_once(round_id, batch)
        except (psycopg.DataError, psycopg.IntegrityError, UnreadableEvent, IndexError, KeyError) as error:
            if len(batch) == 1:
                self._bury(batch[0], error)
                result.dead += 1
                return
            middle = len(batch) // 2
            self._store(round_id, batch[:middle], result)
            self._store(round_id, batch[middle:], result)
            return
        result.inserted += inserted
        result.rounds.add(round_id)

    def _store_at_once(self, round_id: int, batch: list[Message]) -> int:
        raw = self._engine.raw_connection()
        try:
            connection: psycopg.Connection[Any] = raw.driver_connection  # type: ignore[assignment]
            with connection.cursor() as cursor:
                inserted = store(cursor, round_id, [message[2] for message in batch], _last_ids(batch))
            connection.commit()
        except BaseException:
            # Whatever state it was left in: the next batch gets a fresh one.
            raw.invalidate()
            raise
        finally:
            raw.close()
        self._acknowledge(batch)
        return inserted

    def _acknowledge(self, batch: Sequence[Message]) -> None:
        by_stream: dict[bytes, list[bytes]] = {}
        for stream, message_id, _ in batch:
            by_stream.setdefault(stream, []).append(message_id)
        pipeline = self._redis.pipeline(transaction=False)
        for stream, ids in by_stream.items():
            pipeline.xack(stream, keys.GROUP, *ids)
            pipeline.xdel(stream, *ids)
        pipeline.hincrby(keys.DRAINED, self._process, len(batch))
        pipeline.execute()

    def _bury(self, message: Message, error: Exception) -> None:
        """Move a message that can't be stored to the dead letters, with its error; only then acknowledge it."""
        stream, message_id, event = message
        self._redis.xadd(
            keys.DEAD_LETTERS,
            {"stream": stream, "id": message_id, "e": event, "error": f"{type(error).__name__}: {error}"[:500]},
            maxlen=100_000,
        )
        self._acknowledge([message])


def store(cursor: psycopg.Cursor[Any], round_id: int, events: Iterable[bytes], marks: Mapping[int, bytes]) -> int:
    """Score events of one round and write entries, standings, tallies and watermarks in the caller's transaction.

    Args:
        marks: shard → id of the last message of the batch.

    Returns:
        How many entries were new.

    Raises:
        UnreadableEvent, psycopg.IntegrityError, psycopg.DataError: a message of the batch is bad.
    """
    cursor.execute("SELECT pg_advisory_xact_lock_shared(%s, %s)", (LOCK_CLASS, round_id))
    scorer = load_scorer(cursor, round_id)
    merged = dict(cursor.execute("SELECT id, person_id FROM users WHERE person_id <> id").fetchall())
    cursor.execute(_CREATE_INCOMING)
    buffer = [_COPY_HEADER]
    seen: set[tuple[int, int, int]] = set()
    for data in events:
        event, paper, kind = decode_event(data)
        name = (paper.participant, paper.issuer, paper.attempt)
        # The same entry twice in one batch (a redelivery meets the original): the join below would count it twice.
        if name not in seen:
            seen.add(name)
            buffer.append(_row(scorer, merged, event, paper, kind))
    buffer.append(_COPY_END)
    with cursor.copy(_COPY_INCOMING) as copy:
        copy.write(b"".join(buffer))
    inserted = cursor.execute(
        _store_statement(scorer.rules.which), {"round": round_id, "contest": scorer.contest_id, "shards": scorer.shards}
    ).fetchone()
    if inserted is None:
        raise RuntimeError("a count gives one row")
    cursor.execute(
        "INSERT INTO watermark AS w (round_id, shard, stream_id, entries) "
        "SELECT %s, unnest(%s::smallint[]), unnest(%s::text[]), 0 ORDER BY 2 "
        "ON CONFLICT (round_id, shard) DO UPDATE SET stream_id = excluded.stream_id",
        (round_id, list(marks), [mark.decode() for mark in marks.values()]),
    )
    return int(inserted[0])


def load_scorer(cursor: psycopg.Cursor[Any], round_id: int) -> RoundScorer:
    """Rules and keys of a round, as of this transaction."""
    row = cursor.execute(
        "SELECT contest_id, shards, rules, key_version, draw_secret, finalized_at IS NOT NULL FROM round WHERE id = %s",
        (round_id,),
    ).fetchone()
    if row is None:
        raise KeyError(f"round {round_id}")
    contest_id, shards, document, key_version, secret, final = row
    held = cursor.execute(
        "SELECT DISTINCT ON (bank_version) bank_version, key FROM key_version "
        "WHERE round_id = %s AND version <= %s ORDER BY bank_version, version DESC",
        (round_id, key_version),
    ).fetchall()
    rules = rules_room.rules_from(document)
    return RoundScorer(
        round_id=round_id,
        contest_id=contest_id,
        shards=shards,
        rules=rules,
        keys={bank: rules_room.key_from(key) for bank, key in held},
        key_version=key_version,
        final=final,
        merit=ordering.merit_maker(rules, bytes(secret)),
    )


# One row of the batch, in PostgreSQL's binary COPY format: packing it here costs a third of an adapter per value.

_INCOMING = (
    ("participant_id", "bigint"), ("person_id", "bigint"), ("issuer", "smallint"), ("attempt", "smallint"),
    ("unit_id", "integer"), ("bank_version", "smallint"), ("key_version", "smallint"), ("kind", "smallint"),
    ("score", "integer"), ("correct", "smallint"), ("duration_ms", "integer"), ("started_at", "timestamptz"),
    ("received_at", "timestamptz"), ("counted", "boolean"), ("prediction", "bigint"), ("session_id", "integer"),
    ("excluded_reason", "text"), ("channel", "text"), ("questions", "bytea"), ("answers", "bytea"), ("merit", "bytea"),
)  # fmt: skip
_CREATE_INCOMING = (
    "CREATE TEMP TABLE IF NOT EXISTS incoming ("
    + ", ".join(f"{name} {kind}" for name, kind in _INCOMING)
    + ") ON COMMIT DELETE ROWS"
)
_COPY_INCOMING = f"COPY incoming ({', '.join(name for name, _ in _INCOMING)}) FROM STDIN (FORMAT binary)"
_COPY_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_COPY_END = b"\xff\xff"
_FIXED = struct.Struct(">h" + "iq" * 2 + "ih" * 2 + "ii" + "ih" * 3 + "ii" + "ih" + "ii" + "iq" * 2 + "i?")
_NULL = b"\xff\xff\xff\xff"
_PG_EPOCH_MS = 946_684_800_000


def _row(scorer: RoundScorer, merged: Mapping[int, int], event: EntryEvent, paper: Paper, kind: int) -> bytes:
    """Score one event and pack it."""
    points, correct = rules_room.score(scorer.rules, scorer.keys[paper.bank], paper.questions, event.answers)
    excluded: str | None = None
    if kind == Kind.LATE:
        points = 0
        if scorer.rules.late.counts == "no":
            excluded = "late"
    if scorer.final:
        excluded = "after_final"
    duration = max(0, event.received - paper.started)
    merit = scorer.merit(
        ordering.Facts(points, correct, event.received, duration, paper.attempt, paper.participant, None)
    )
    fixed = _FIXED.pack(
        len(_INCOMING),
        8, paper.participant, 8, merged.get(paper.participant, paper.participant),
        2, paper.issuer, 2, paper.attempt, 4, paper.unit, 2, paper.bank, 2, scorer.key_version, 2, kind,
        4, points, 2, correct, 4, duration,
        8, (paper.started - _PG_EPOCH_MS) * 1000, 8, (event.received - _PG_EPOCH_MS) * 1000,
        1, excluded is None,
    )  # fmt: skip
    count = len(paper.questions)
    shorts = f">{count}H"
    return b"".join(
        (
            fixed,
            _NULL if event.prediction is None else struct.pack(">iq", 8, event.prediction),
            _NULL if paper.session is None else struct.pack(">ii", 4, paper.session),
            _text(excluded),
            _text(paper.channel),
            (2 * count).to_bytes(4),
            struct.pack(shorts, *paper.questions),
            (2 * count).to_bytes(4),
            struct.pack(shorts, *event.answers),
            len(merit).to_bytes(4),
            merit,
        )
    )


def _text(value: str | None) -> bytes:
    if value is None:
        return _NULL
    raw = value.encode()
    return len(raw).to_bytes(4) + raw


_STANDING_COLUMNS = (
    "participant_id", "issuer", "attempt", "score", "correct", "prediction", "duration_ms", "received_at", "merit",
)  # fmt: skip


def _store_statement(which: str) -> str:
    """The one statement that makes incoming rows count, for a rule of which entry is the standing.

    Old and new values of the upserts give the exact differences for the tallies (PostgreSQL 18's RETURNING old/new),
    so nothing is read twice and nothing is guessed. Rows are taken in the order of their keys: no deadlocks.
    """
    better = ordering.better_sql(which, "excluded", "s")
    moved = ", ".join(
        f"{name} = CASE WHEN {better} THEN excluded.{name} ELSE s.{name} END" for name in _STANDING_COLUMNS
    )
    columns = ", ".join(_STANDING_COLUMNS)
    return f"""
WITH inserted AS (
    INSERT INTO entry (round_id, participant_id, issuer, attempt, unit_id, bank_version, key_version, kind, score,
                       correct, prediction, duration_ms, started_at, received_at, counted, excluded_reason,
                       questions, answers, merit, channel, session_id)
    SELECT %(round)s, participant_id, issuer, attempt, unit_id, bank_version, key_version, kind, score,
           correct, prediction, duration_ms, started_at, received_at, counted, excluded_reason,
           questions, answers, merit, channel, session_id
    FROM incoming ORDER BY participant_id, attempt
    ON CONFLICT DO NOTHING
    RETURNING participant_id, issuer, attempt, counted
), best AS (
    SELECT DISTINCT ON (person_id) person_id, {columns}, count(*) OVER (PARTITION BY person_id) AS entries,
           first_value(unit_id) OVER (PARTITION BY person_id ORDER BY attempt, issuer) AS unit_id
    FROM incoming JOIN inserted USING (participant_id, issuer, attempt)
    WHERE inserted.counted
    ORDER BY person_id, {ordering.first_in_sql(which)}
), moved AS (
    INSERT INTO standing AS s (round_id, person_id, unit_id, entries, {columns})
    SELECT %(round)s, person_id, unit_id, entries, {columns} FROM best
    ON CONFLICT (round_id, person_id) DO UPDATE SET entries = s.entries + excluded.entries, {moved}
    RETURNING new.person_id, new.unit_id, (old.person_id IS NULL)::int AS people,
              new.entries - coalesce(old.entries, 0) AS entries, new.score - coalesce(old.score, 0) AS score
), tallied AS (
    INSERT INTO tally AS t (round_id, unit_id, shard, participants, entries, score_sum)
    SELECT %(round)s, unit_id, person_id %% %(shards)s, sum(people), sum(entries), sum(score)
    FROM moved GROUP BY 2, 3 ORDER BY 2, 3
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
), contest_tallied AS (
    INSERT INTO contest_tally AS t (contest_id, unit_id, shard, participants, entries, standings, score_sum)
    SELECT %(contest)s, unit_id, person_id %% %(shards)s, sum(people), sum(entries), sum(rounds), sum(score)
    FROM contest_moved GROUP BY 2, 3 ORDER BY 2, 3
    ON CONFLICT (contest_id, unit_id, shard) DO UPDATE SET participants = t.participants + excluded.participants,
        entries = t.entries + excluded.entries, standings = t.standings + excluded.standings,
        score_sum = t.score_sum + excluded.score_sum
)
SELECT count(*) FROM inserted
"""


def _pairs(reply: Any) -> Iterable[tuple[bytes, list[Any]]]:
    """The streams of an XREADGROUP reply, in the shape of RESP2 (list of pairs) or RESP3 (map)."""
    if not reply:
        return ()
    return reply.items() if isinstance(reply, dict) else reply


def _event_field(fields: Any) -> bytes:
    if not fields:
        return b""
    value = fields[b"e"] if isinstance(fields, dict) else fields[1]
    return bytes(value)


def _last_ids(batch: Sequence[Message]) -> dict[int, bytes]:
    """Shard → id of its last message; the shard stands in the stream's name: {r7:s3}:entries."""
    marks: dict[int, bytes] = {}
    for stream, message_id, _ in batch:
        marks[int(stream[stream.index(b":s") + 2 : stream.index(b"}")])] = message_id
    return dict(sorted(marks.items()))
