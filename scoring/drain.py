"""Stream → scored entries, standings, tallies: one PostgreSQL transaction a batch.

    read (XAUTOCLAIM what others left, own pending, new) → decode → score → COPY → one statement → commit → XACK, XDEL

This module is the stream's side; `packing` scores, `storing` is the transaction. Whatever dies where, an entry counts
once: before the commit nothing happened and the messages are read again; after it the unique key of the entry refuses
the second insertion, and what is stored already is left out. A lease per lane only saves work; two drains of one lane
would still count right.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import psycopg
from redis import Redis
from redis.exceptions import ResponseError
from sqlalchemy import Engine

from quiz import logs
from quiz.intake import keys, primer
from quiz.intake.season import RoundCard
from scoring.memory import uncollected
from scoring.packing import Packed, pack
from scoring.storing import Scorers, store

log = logs.get_logger("scoring.drain")

BATCH = 20_000
LEAST = 100
"""What is read of each stream, however many there are."""
BLOCK_MS = 200
ABANDONED_MS = 5_000
"""Idle time after which another consumer's message is taken over."""

_BAD_BATCH = (psycopg.DataError, psycopg.IntegrityError, struct.error, ValueError, LookupError, OverflowError)
"""What a message can cause that is malformed or names what does not exist. (UnreadableEvent is a ValueError.)"""

Message = tuple[bytes, bytes, bytes]
"""(stream key, message id, event)"""


@dataclass(slots=True)
class BatchResult:
    """What one turn did. `rounds`: those whose tallies moved."""

    read: int = 0
    inserted: int = 0
    dead: int = 0
    rounds: set[int] = field(default_factory=set)


class Portion(NamedTuple):
    """The messages of one round in a batch, and their rows if they could be packed ahead."""

    round_id: int
    messages: list[Message]
    packed: Packed | None


class Batch(NamedTuple):
    size: int
    portions: list[Portion]
    again: bool
    """Read a second time: some of it may be stored already."""


class Drain:
    """Drains some shards of all live rounds. One instance a job; its PostgreSQL connection is its own."""

    def __init__(self, engine: Engine, intake: Redis, consumer: str, process: str) -> None:
        self._process = process
        self._engine = engine
        self._redis = intake
        self._consumer = consumer
        self._grouped: set[bytes] = set()
        self._own_pending = True
        self._lane = 0
        self._scorers = Scorers()
        self._ahead: Batch | None = None
        self._stored: list[Message] = []
        """Committed, not acknowledged yet."""
        self._thread = ThreadPoolExecutor(1, "drain")

    def turn(self, cards: Sequence[RoundCard], lane: int, lanes: int, *, block_ms: int = BLOCK_MS) -> BatchResult:
        """Read, store and acknowledge one batch.

        Raises:
            psycopg.OperationalError, redis.RedisError: a part is away; nothing is lost, call again.
        """
        self._lane = lane
        streams = self._streams(cards, lane, lanes)
        if not streams:
            time.sleep(block_ms / 1000)
            return BatchResult()
        try:
            with uncollected():
                return self._overlap(streams, block_ms)
        except BaseException:
            # Whatever went wrong here or in the thread: what is not acknowledged is read again.
            self._own_pending, self._ahead, self._stored = True, None, []
            raise

    def _overlap(self, streams: Mapping[bytes, int], block_ms: int) -> BatchResult:
        """Store a batch; with a backlog the next one is read and packed while PostgreSQL stores this one.

        PostgreSQL is what takes longest: so the batch before is acknowledged in that time as well.
        """
        batch, self._ahead = self._ahead or self._read(streams, block_ms), None
        storing = self._thread.submit(self._store_all, batch)
        try:
            self.finish()
            if batch.size >= BATCH // 2 and not batch.again:
                self._ahead = self._read_new(streams, None)
        finally:
            wait((storing,))
        result, self._stored = storing.result()
        if self._ahead is None or not self._ahead.size:
            self.finish()
        return result

    def finish(self) -> None:
        """Acknowledge what is stored: after the last turn, or a successor looks it all up in the tables."""
        stored, self._stored = self._stored, []
        if stored:
            self._acknowledge(stored)

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

    def _read(self, streams: Mapping[bytes, int], block_ms: int) -> Batch:
        """Own unacknowledged messages first (a predecessor of this name died), then new ones.

        Args:
            block_ms: how long to wait for a first message.
        """
        if self._own_pending:
            messages = self._read_group(list(streams), b"0", None)
            if messages:
                return Batch(len(messages), self._portions(streams, messages), again=True)
            self._own_pending = False
        return self._read_new(streams, block_ms)

    def _read_new(self, streams: Mapping[bytes, int], block_ms: int | None) -> Batch:
        """New messages; None: what is there now."""
        messages = self._read_group(list(streams), b">", block_ms)
        return Batch(len(messages), self._portions(streams, messages), again=False)

    def _portions(self, streams: Mapping[bytes, int], messages: Sequence[Message]) -> list[Portion]:
        by_round: dict[int, list[Message]] = {}
        for message in messages:
            by_round.setdefault(streams[message[0]], []).append(message)
        return [Portion(round_id, part, self._pack_ahead(round_id, part)) for round_id, part in by_round.items()]

    def _pack_ahead(self, round_id: int, messages: Sequence[Message]) -> Packed | None:
        scorer = self._scorers.held(round_id)
        if scorer is None:
            return None
        try:
            return pack(scorer, [message[2] for message in messages])
        except _BAD_BATCH:
            # Storing comes upon the bad message again, and singles it out.
            return None

    def _read_group(self, streams: Sequence[bytes], since: bytes, block_ms: int | None) -> list[Message]:
        block = [] if block_ms is None else ["BLOCK", block_ms]
        command = (
            *("XREADGROUP", "GROUP", keys.GROUP, self._consumer, "COUNT", max(LEAST, BATCH // len(streams)), *block),
            *("STREAMS", *streams, *([since] * len(streams))),
        )
        try:
            reply = self._call(command)
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

    def _call(self, command: tuple[Any, ...]) -> Any:
        """The plain reply: redis-py's parsed one builds a dict a message."""
        connection: Any = self._redis.connection_pool.get_connection()
        try:
            connection.send_command(*command)
            return connection.read_response()
        except BaseException:
            connection.disconnect()
            raise
        finally:
            self._redis.connection_pool.release(connection)

    def _store_all(self, batch: Batch) -> tuple[BatchResult, list[Message]]:
        """What was done, and the messages that are to be acknowledged now that they are committed."""
        result = BatchResult(read=batch.size)
        stored: list[Message] = []
        for portion in batch.portions:
            self._store(portion, result, stored, again=batch.again)
        return result, stored

    def _store(self, portion: Portion, result: BatchResult, stored: list[Message], *, again: bool) -> None:
        """Store a portion; one that the database refuses is halved until the bad message stands alone."""
        round_id, batch, _ = portion
        try:
            try:
                inserted = self._store_at_once(portion, again=again)
            except psycopg.errors.UniqueViolation:
                inserted = self._store_at_once(portion, again=True)
        except _BAD_BATCH as error:
            if len(batch) == 1:
                self._bury(batch[0], error)
                result.dead += 1
                return
            middle = len(batch) // 2
            for half in (batch[:middle], batch[middle:]):
                self._store(Portion(round_id, half, None), result, stored, again=again)
            return
        stored += batch
        result.inserted += inserted
        result.rounds.add(round_id)

    def _store_at_once(self, portion: Portion, *, again: bool) -> int:
        round_id, batch, ahead = portion
        raw = self._engine.raw_connection()
        try:
            connection: psycopg.Connection[Any] = raw.driver_connection  # type: ignore[assignment]
            with connection.cursor() as cursor:
                events = [message[2] for message in batch]
                marks = _last_ids(batch)
                inserted = store(cursor, round_id, events, marks, self._scorers, self._lane, ahead=ahead, again=again)
            connection.commit()
        except BaseException:
            # Whatever state it was left in: the next batch gets a fresh one.
            raw.invalidate()
            raise
        finally:
            raw.close()
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
        log.error("dead_letter", stream=stream.decode(), message_id=message_id.decode(), error=error)


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
