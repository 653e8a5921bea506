"""Stream → scored entries, standings, tallies: one PostgreSQL transaction a batch.

    read (XREAD) → decode → score → COPY → one statement → commit → take off the stream (XTRIM)

This module is the stream's side; `packing` scores, `storing` is the transaction. What stands on a stream is not
stored for sure, so every drain begins at its beginning; no consumer group notes what was read (see
docs/decisions/streams-without-groups.md). Whatever dies where, an entry counts once: before the commit nothing
happened and the messages are read again; after it the unique key of the entry refuses the second insertion, and what
is stored already is left out. A lease per lane only saves work; two drains of one lane would still count right.
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
from sqlalchemy import Engine

from quiz import logs
from quiz.intake import keys
from quiz.intake.season import RoundCard
from scoring.memory import uncollected
from scoring.packing import Packed, pack
from scoring.storing import Scorers, store

log = logs.get_logger("scoring.drain")

BATCH = 20_000
LEAST = 100
"""What is read of each stream, however many there are."""
BLOCK_MS = 200
BEGINNING = b"0"
"""An id that stands before every message's."""

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


class Drain:
    """Drains some shards of all live rounds. One instance a job; its PostgreSQL connection is its own."""

    def __init__(self, engine: Engine, intake: Redis, process: str) -> None:
        self._process = process
        self._engine = engine
        self._redis = intake
        self._lane = 0
        self._scorers = Scorers()
        self._ahead: Batch | None = None
        self._read_to: dict[bytes, bytes] = {}
        """Stream → id of the last message that was read; where nothing is under way, the beginning."""
        self._stored: list[Message] = []
        """Committed, not taken off the streams yet."""
        self._thread = ThreadPoolExecutor(1, "drain")

    def turn(self, cards: Sequence[RoundCard], lane: int, lanes: int, *, block_ms: int = BLOCK_MS) -> BatchResult:
        """Read and store one batch, and take it off the streams.

        Args:
            block_ms: how long to wait for a first message.

        Raises:
            psycopg.OperationalError, redis.RedisError: a part is away; nothing is lost, call again.
        """
        self._lane = lane
        streams = _streams(cards, lane, lanes)
        if not streams:
            time.sleep(block_ms / 1000)
            return BatchResult()
        try:
            with uncollected():
                return self._overlap(streams, block_ms)
        except BaseException:
            # Whatever went wrong here or in the thread: what is on the streams is read again.
            self._ahead, self._stored = None, []
            self._read_to.clear()
            raise

    def _overlap(self, streams: Mapping[bytes, int], block_ms: int) -> BatchResult:
        """Store a batch; with a backlog the next one is read and packed while PostgreSQL stores this one.

        PostgreSQL is what takes longest: so the batch before is taken off the streams in that time as well.
        """
        batch, self._ahead = self._ahead or self._read(streams, block_ms), None
        storing = self._thread.submit(self._store_all, batch)
        try:
            self.finish()
            if batch.size >= BATCH // 2:
                self._ahead = self._read(streams, None)
        finally:
            wait((storing,))
        result, self._stored = storing.result()
        if self._ahead is None or not self._ahead.size:
            self.finish()
            # Nothing is under way: the next turn begins at the beginning, should Redis have been emptied meanwhile.
            self._ahead = None
            self._read_to.clear()
        return result

    def finish(self) -> None:
        """Take what is stored off the streams: after the last turn, or a successor looks it all up in the tables."""
        stored, self._stored = self._stored, []
        if stored:
            self._take_off(stored)

    def _read(self, streams: Mapping[bytes, int], block_ms: int | None) -> Batch:
        """The messages after those that are under way; None: what is there now."""
        messages = self._messages(list(streams), block_ms)
        self._read_to |= _last_ids(messages)
        return Batch(len(messages), self._portions(streams, messages))

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

    def _messages(self, streams: Sequence[bytes], block_ms: int | None) -> list[Message]:
        block = [] if block_ms is None else ["BLOCK", block_ms]
        since = [self._read_to.get(stream, BEGINNING) for stream in streams]
        reply = self._call(("XREAD", "COUNT", max(LEAST, BATCH // len(streams)), *block, "STREAMS", *streams, *since))
        return [
            (stream, message_id, _event_field(fields))
            for stream, items in _pairs(reply)
            for message_id, fields in items
        ]

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
        """What was done, and the messages that are to be taken off their streams now that they are committed."""
        result = BatchResult(read=batch.size)
        stored: list[Message] = []
        for portion in batch.portions:
            self._store(portion, result, stored)
        return result, stored

    def _store(self, portion: Portion, result: BatchResult, stored: list[Message]) -> None:
        """Store a portion; one that the database refuses is halved until the bad message stands alone."""
        round_id, batch, _ = portion
        try:
            try:
                inserted = self._store_at_once(portion, again=False)
            except psycopg.errors.UniqueViolation:
                # A predecessor died before it took them off the stream, or another drain is at the same lane.
                inserted = self._store_at_once(portion, again=True)
        except _BAD_BATCH as error:
            if len(batch) == 1:
                self._bury(batch[0], error)
                result.dead += 1
                return
            middle = len(batch) // 2
            for half in (batch[:middle], batch[middle:]):
                self._store(Portion(round_id, half, None), result, stored)
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
                marks = {_shard(stream): message_id for stream, message_id in sorted(_last_ids(batch).items())}
                inserted = store(cursor, round_id, events, marks, self._scorers, self._lane, ahead=ahead, again=again)
            connection.commit()
        except BaseException:
            # Whatever state it was left in: the next batch gets a fresh one.
            raw.invalidate()
            raise
        finally:
            raw.close()
        return inserted

    def _take_off(self, batch: Sequence[Message]) -> None:
        """Take a batch off its streams, up to its last message: all before it are stored or buried."""
        pipeline = self._redis.pipeline(transaction=False)
        for stream, message_id in _last_ids(batch).items():
            pipeline.xtrim(stream, minid=_following(message_id), approximate=False)
        pipeline.hincrby(keys.DRAINED, self._process, len(batch))
        *taken, _ = pipeline.execute()
        if by_others := len(batch) - sum(taken):
            # Another drain had taken them off, and counted them. Put right afterwards and not counted only now: what
            # waits and what was taken off have to add up at any moment.
            self._redis.hincrby(keys.DRAINED, self._process, -by_others)

    def _bury(self, message: Message, error: Exception) -> None:
        """Move a message that can't be stored to the dead letters, with its error; only then take it off its stream."""
        stream, message_id, event = message
        self._redis.xadd(
            keys.DEAD_LETTERS,
            {"stream": stream, "id": message_id, "e": event, "error": f"{type(error).__name__}: {error}"[:500]},
            maxlen=100_000,
        )
        self._redis.hincrby(keys.DRAINED, self._process, self._redis.xdel(stream, message_id))
        log.error("dead_letter", stream=stream.decode(), message_id=message_id.decode(), error=error)


def _streams(cards: Sequence[RoundCard], lane: int, lanes: int) -> dict[bytes, int]:
    """The streams of a lane, with the round of each."""
    return {
        keys.entries(card.id, shard).encode(): card.id for card in cards for shard in range(lane, card.shards, lanes)
    }


def _pairs(reply: Any) -> Iterable[tuple[bytes, list[Any]]]:
    """The streams of an XREAD reply, in the shape of RESP2 (list of pairs) or RESP3 (map)."""
    if not reply:
        return ()
    return reply.items() if isinstance(reply, dict) else reply


def _event_field(fields: Any) -> bytes:
    value = fields[b"e"] if isinstance(fields, dict) else fields[1]
    return bytes(value)


def _last_ids(batch: Iterable[Message]) -> dict[bytes, bytes]:
    """Stream → id of its last message."""
    return {stream: message_id for stream, message_id, _ in batch}


def _following(message_id: bytes) -> str:
    """The least id after this one."""
    milliseconds, sequence = message_id.decode().split("-")
    return f"{milliseconds}-{int(sequence) + 1}"


def _shard(stream: bytes) -> int:
    """It stands in the stream's name: {r7:s3}:entries."""
    return int(stream[stream.index(b":s") + 2 : stream.index(b"}")])
