"""Writing a round's shards: at scheduling, at every change of its window or rules, and after a lost Redis."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

import msgspec
from redis import Redis

from quiz.intake import keys
from quiz.intake.season import RoundCard

T = TypeVar("T")
_BATCH = 5_000
_pack = msgspec.msgpack.encode


def write_configs(redis: Redis, card: RoundCard) -> None:
    """Give every shard its own copy of the round's window, cap and limits. Last of priming: it opens the doors."""
    fields: Mapping[Any, Any] = {
        "windows": _pack(card.windows),
        "cap": card.cap or 0,
        "limit": card.limit,
        "grace": card.grace,
        "late": card.late,
    }
    pipeline = redis.pipeline(transaction=False)
    for shard in range(card.shards):
        pipeline.hset(keys.config(card.id, shard), mapping=fields)
    pipeline.execute()


def is_primed(redis: Redis, card: RoundCard) -> bool:
    pipeline = redis.pipeline(transaction=False)
    for shard in range(card.shards):
        pipeline.exists(keys.config(card.id, shard))
    return all(pipeline.execute())


def write_attempts(redis: Redis, card: RoundCard, used: Iterable[tuple[int, int, int]]) -> None:
    """Restore (participant, last attempt, received ms) of people whose records were lost, without open attempts.

    The proof of the receipt is left empty: whoever hands the same paper in again is told by the tables.
    """
    for batch in _batches(used):
        pipeline = redis.pipeline(transaction=False)
        for participant, attempt, received in batch:
            shard = keys.shard_of(participant, card.shards)
            name = keys.attempts(card.id, shard)
            # Only what is missing: an attempt that came in meanwhile knows better.
            pipeline.hsetnx(name, str(participant), _pack([attempt, 0]))
            pipeline.hsetnx(name, f"{participant}:{attempt}", _pack([2, received, ""]))
        pipeline.execute()


def write_bars(redis: Redis, card: RoundCard, bars: Iterable[tuple[int, int | None]]) -> None:
    """Copy (participant, lowest auth epoch, or None for barred) into the round's shards."""
    for batch in _batches(bars):
        pipeline = redis.pipeline(transaction=False)
        for participant, epoch in batch:
            name = keys.bars(card.id, keys.shard_of(participant, card.shards))
            pipeline.hset(name, str(participant), "x" if epoch is None else str(epoch))
        pipeline.execute()


def lift_bar(redis: Redis, card: RoundCard, participant: int, epoch: int) -> None:
    redis.hset(keys.bars(card.id, keys.shard_of(participant, card.shards)), str(participant), str(epoch))


def write_contest_bars(redis: Redis, card: RoundCard, bars: Mapping[int, bool]) -> None:
    """Bar participants from the round, or let them in again, whatever their account's own bar says."""
    for batch in _batches(bars.items()):
        pipeline = redis.pipeline(transaction=False)
        for participant, barred in batch:
            name = keys.bars(card.id, keys.shard_of(participant, card.shards))
            if barred:
                pipeline.hset(name, f"{participant}:c", "x")
            else:
                pipeline.hdel(name, f"{participant}:c")
        pipeline.execute()


def read_contest_bars(redis: Redis, card: RoundCard) -> set[int]:
    """Who is barred from the round by its contest, as the shards have it."""
    found = set()
    for shard in range(card.shards):
        for name, _ in redis.hscan_iter(keys.bars(card.id, shard), match="*:c", count=1_000):
            found.add(int(name.removesuffix(b":c")))
    return found


def forget_round(redis: Redis, card: RoundCard) -> None:
    """Take a finished round out of Redis; its papers are answered from the tables from then on.

    The caller has made sure that its streams are empty.
    """
    for shard in range(card.shards):
        redis.unlink(
            keys.config(card.id, shard),
            keys.attempts(card.id, shard),
            keys.open_attempts(card.id, shard),
            keys.drafts(card.id, shard),
            keys.bars(card.id, shard),
            keys.entries(card.id, shard),
        )
    redis.sadd(keys.FORGOTTEN, str(card.id))


def remembered(redis: Redis, cards: Sequence[RoundCard]) -> list[RoundCard]:
    """Those of the finished rounds that were not taken out of Redis yet."""
    if not cards:
        return []
    return [
        card
        for card, forgotten in zip(
            cards, redis.smismember(keys.FORGOTTEN, [str(card.id) for card in cards]), strict=True
        )
        if not forgotten
    ]


def _batches(items: Iterable[T]) -> Iterator[list[T]]:
    source = iter(items)
    while batch := list(islice(source, _BATCH)):
        yield batch
