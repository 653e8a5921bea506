"""What runs every second: overdue attempts, a Redis that lost its data, boards that lag, rounds that changed phase.

Each function does one thing, is safe to repeat, and is safe beside another sweeper.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from redis import Redis

from quiz.clock import to_ms
from quiz.intake import calls, keys, primer
from quiz.intake.gateway import Gateway
from quiz.intake.season import RoundCard, Season
from quiz.intake.signing import Signer

SETTLE_AT_ONCE = 1_000
"""Overdue attempts a shard settles in one sweep; the rest come a second later."""


FAREWELL_MS = 60_000
"""A final round stays in Redis for so long: by then every web process knows that it is final."""


def live_rounds(season: Season, now: datetime) -> list[RoundCard]:
    """Rounds that take entries: opened and not final yet."""
    at = to_ms(now)
    return [
        card
        for card in season.rounds.values()
        if card.scheduled is not None and card.finalized is None and card.opens <= at
    ]


def drained_rounds(intake: Redis, season: Season, now: datetime) -> list[RoundCard]:
    """Rounds whose streams may hold entries: the live ones, and final ones that are still in Redis."""
    return live_rounds(season, now) + primer.remembered(intake, _final_rounds(season))


def forget_final(intake: Redis, season: Season, now: datetime) -> list[RoundCard]:
    """Take final rounds out of Redis once nothing of them is left to store; returns those that went."""
    at = to_ms(now)
    past = [card for card in _final_rounds(season) if at - (card.finalized or at) >= FAREWELL_MS]
    held = primer.remembered(intake, past)
    waiting = backlog(intake, held)
    gone = [card for card in held if not waiting[card.id]]
    for card in gone:
        primer.forget_round(intake, card)
    return gone


def _final_rounds(season: Season) -> list[RoundCard]:
    return [card for card in season.rounds.values() if card.finalized is not None]


def settle_overdue(gateway: Gateway, signer: Signer, cards: Sequence[RoundCard], now: datetime) -> int:
    """Hand in drafts whose time is over, let draftless attempts lapse; returns how many attempts were closed."""
    at = to_ms(now)
    closed = 0
    for card in cards:
        pipeline = gateway.client.pipeline(transaction=False)
        for shard in range(card.shards):
            # Deadlines stand in the set without the grace, because the grace may change while attempts are open.
            pipeline.zrangebyscore(keys.open_attempts(card.id, shard), 0, at - card.grace - 1, 0, SETTLE_AT_ONCE)
        for names in pipeline.execute():
            for name in names:
                participant, attempt = name.split(b":")
                closed += calls.settle(gateway, signer, card, int(participant), int(attempt), at)
    return closed


def backlog(intake: Redis, cards: Sequence[RoundCard]) -> dict[int, int]:
    """Round id → entries in its streams that no drain has stored yet."""
    pipeline = intake.pipeline(transaction=False)
    for card in cards:
        for shard in range(card.shards):
            pipeline.xlen(keys.entries(card.id, shard))
    lengths = iter(pipeline.execute())
    return {card.id: sum(next(lengths) for _ in range(card.shards)) for card in cards}
