"""Priming: giving intake what PostgreSQL knows, at scheduling, after a change, and after a lost Redis.

Everything here may run at any time and any number of times, beside people who start and hand in: what intake has
recorded itself is never overwritten, and a shard opens its doors (its config) only when the rest is in place.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from redis import Redis
from sqlalchemy import or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from quiz import clock
from quiz.intake import primer
from quiz.intake.season import RoundCard
from quiz.models import ContestBar, Entry, User
from quiz.services.season.cards import contest_cards, publish
from scoring.rules import FUNCTIONS

_STREAMED = 5_000


def prime_all(session: Session, redis: Redis, now: datetime, *, issuer: int = 0) -> None:
    """The season document and every round that is scheduled and not final: open, to come, or waiting to be final.

    Commits, like whoever calls it has done before: a publication must not wait until a million attempts are copied.
    """
    publish(session, redis)
    session.commit()
    for contest in contest_cards(session):
        for card in contest.rounds:
            if card.finalized is None:
                prime_round(session, redis, card, now, issuer=issuer)


def prime_round(session: Session, redis: Redis, card: RoundCard, now: datetime, *, issuer: int = 0) -> None:
    """One round's shards. The window and the limits come last: until then its calls are answered 503."""
    _prime_bars(session, redis, card)
    prime_contest_bars(session, redis, card)
    if clock.to_ms(now) >= card.opens:
        primer.write_attempts(redis, card, _last_attempts(session, card, issuer))
    primer.write_configs(redis, card)


def _prime_bars(session: Session, redis: Redis, card: RoundCard) -> None:
    """Copy who may not start, until two readings agree.

    Whoever changes a bar commits and then writes it into the shards. A change that falls between our reading and our
    writing would be undone by it; the next reading sees that change.
    """
    written: dict[int, int | None] = {}
    while (wanted := _bars(session)) != written:
        lifted = dict.fromkeys(written.keys() - wanted.keys(), 0)
        changed = {who: epoch for who, epoch in wanted.items() if who not in written or written[who] != epoch}
        primer.write_bars(redis, card, (lifted | changed).items())
        written = wanted


def _bars(session: Session) -> dict[int, int | None]:
    """Participant → the lowest auth epoch that may start, None: barred."""
    rows = session.execute(
        select(User.id, User.auth_epoch, User.barred_at).where(or_(User.auth_epoch > 0, User.barred_at.is_not(None)))
    )
    return {user_id: None if barred_at is not None else epoch for user_id, epoch, barred_at in rows}


def prime_contest_bars(session: Session, redis: Redis, card: RoundCard) -> None:
    """Copy who is kept out of the round by its contest, until the shards say what the table says."""
    while True:
        wanted = barred_from(session, card)
        held = primer.read_contest_bars(redis, card)
        if held == wanted:
            return
        primer.write_contest_bars(redis, card, dict.fromkeys(held - wanted, False) | dict.fromkeys(wanted, True))


def barred_from(session: Session, card: RoundCard) -> set[int]:
    """Account ids that the round's contest keeps out: without a function always, with one if the rules bar it."""
    functions = [kind for kind in card.rules.get("barred_kinds", ()) if kind in FUNCTIONS]
    statement = select(ContestBar.user_id).where(
        ContestBar.contest_id == card.contest_id,
        or_(ContestBar.function.is_(None), ContestBar.function.in_(functions)),
    )
    return set(session.scalars(statement))


def _last_attempts(session: Session, card: RoundCard, issuer: int) -> Iterator[tuple[int, int, int]]:
    """(participant, last attempt, received ms), in batches from a server-side cursor, by the primary key backwards.

    Only of our own issuing: each installation numbers its attempts itself.
    """
    statement = (
        select(Entry.participant_id, Entry.attempt, Entry.received_at)
        .where(Entry.round_id == card.id, Entry.issuer == issuer)
        .ext(distinct_on(Entry.participant_id))
        .order_by(Entry.participant_id.desc(), Entry.issuer.desc(), Entry.attempt.desc())
    )
    for participant, attempt, received in session.execute(statement.execution_options(yield_per=_STREAMED)):
        yield participant, attempt, clock.to_ms(received)
