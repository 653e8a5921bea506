from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from redis import Redis
from sqlalchemy import text, update
from sqlalchemy.orm import Session

from quiz import clock
from quiz.extensions import Platform, db
from quiz.intake import calls, keys, primer
from quiz.intake.errors import AttemptsExhausted, IntakeUnavailable, LoginRequired, NotEligible
from quiz.intake.season import RoundCard
from quiz.models import Entry, Round, Unit, User
from quiz.services import season
from tests import seasons
from tests.seasons import OPENS, WEEK

NOW = OPENS + timedelta(days=1)


@pytest.fixture
def session(app: Flask) -> Session:
    return db.session()


@pytest.fixture
def made(session: Session) -> Round:
    made = seasons.scheduled_round(session, seasons.contest(session))
    session.commit()
    return made


def person(session: Session, **changes: Any) -> User:
    unit = session.query(Unit).filter_by(kind="union").first()
    assert unit is not None
    user = User(person_id=0, full_name="Thí sinh", unit_id=unit.id, created_at=OPENS, **changes)
    session.add(user)
    session.flush()
    user.person_id = user.id
    return user


def entry(made: Round, participant: int, attempt: int, **changes: Any) -> Entry:
    values: dict[str, Any] = {
        "issuer": 0,
        "unit_id": 1,
        "bank_version": 1,
        "key_version": 1,
        "kind": 1,
        "score": 0,
        "correct": 0,
        "duration_ms": 60_000,
        "started_at": OPENS,
        "received_at": OPENS + timedelta(minutes=attempt),
        "questions": b"",
        "answers": b"",
        "merit": b"",
    }
    return Entry(round_id=made.id, participant_id=participant, attempt=attempt, **{**values, **changes})


def start(platform: Platform, round_id: int, participant: int, epoch: int = 0, **changes: Any) -> calls.Started:
    read = platform.season.get()
    return calls.start(
        platform.gateway,
        platform.signer,
        0,
        read,
        read.rounds[round_id],
        calls.Starter(participant, 1, epoch),
        clock.to_ms(changes.get("now", NOW)),
    )


def hand_in(platform: Platform, round_id: int, started: calls.Started) -> calls.Receipt:
    signed = platform.signer.verify_paper(started.token)
    card = platform.season.get().rounds[round_id]
    return calls.hand_in(platform.gateway, platform.signer, card, signed, [1] * 10, None, started.paper.started + 1000)


def held(redis: Redis) -> dict[bytes, Any]:
    """All that intake holds, key by key; the season's version counts publications and may rise."""
    return {key: redis.dump(key) for key in redis.keys("*") if key != keys.SEASON_VERSION.encode()}


def test_intake_that_lost_everything_goes_on_where_the_tables_are(
    session: Session, made: Round, redis: Redis, platform: Platform
) -> None:
    session.add_all(entry(made, 11, attempt) for attempt in (1, 2, 3))
    session.add_all(entry(made, 12, attempt) for attempt in range(1, 8))
    seasons.published(session, redis, made, NOW)
    again = start(platform, made.id, 11)
    assert (again.paper.attempt, again.attempts_left, again.opened) == (4, 3, True)
    with pytest.raises(AttemptsExhausted):
        start(platform, made.id, 12)
    assert start(platform, made.id, 13).paper.attempt == 1
    card = platform.season.get().rounds[made.id]
    assert calls.read_accepted(platform.gateway, card, 11, 3) == (clock.to_ms(OPENS + timedelta(minutes=3)), "")


def test_another_installation_numbers_its_attempts_itself(
    session: Session, made: Round, redis: Redis, platform: Platform
) -> None:
    session.add_all([entry(made, 11, 1), entry(made, 11, 6, issuer=3)])
    seasons.published(session, redis, made, NOW)
    assert start(platform, made.id, 11).paper.attempt == 2


def test_who_may_not_start_is_copied_into_the_shards(
    session: Session, made: Round, redis: Redis, platform: Platform
) -> None:
    barred = person(session, barred_at=OPENS, barred_reason="Ban tổ chức")
    signed_out = person(session, auth_epoch=2)
    seasons.published(session, redis, made, NOW)
    with pytest.raises(NotEligible):
        start(platform, made.id, barred.id)
    with pytest.raises(LoginRequired):
        start(platform, made.id, signed_out.id, epoch=1)
    assert start(platform, made.id, signed_out.id, epoch=2).opened


def test_a_bar_lifted_while_priming_reads_stays_lifted(
    session: Session, made: Round, redis: Redis, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The act falls between priming's reading and its writing, which brings the old bar back for a moment."""
    user = person(session, barred_at=OPENS, barred_reason="Nhầm")
    seasons.published(session, redis, made, NOW)
    write_bars = primer.write_bars

    def interrupted(to: Redis, card: RoundCard, bars: Any) -> None:
        monkeypatch.setattr(primer, "write_bars", write_bars)
        with Session(db.engine) as other:
            other.execute(update(User).where(User.id == user.id).values(barred_at=None, barred_reason=None))
            other.commit()
        primer.lift_bar(redis, card, user.id, 0)
        write_bars(to, card, bars)

    monkeypatch.setattr(primer, "write_bars", interrupted)
    season.prime_all(session, redis, NOW)
    assert start(platform, made.id, user.id).opened


def test_the_doors_open_last(
    session: Session, made: Round, redis: Redis, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.add_all(entry(made, 11, attempt) for attempt in range(1, 8))
    answers: list[type[Exception] | None] = []

    def spied(name: str) -> Callable[..., None]:
        original = getattr(primer, name)

        def call(*args: Any) -> None:
            for moment in ("before", "after"):
                if moment == "after":
                    original(*args)
                try:
                    start(platform, made.id, 11)
                except (IntakeUnavailable, AttemptsExhausted) as refusal:
                    answers.append(type(refusal))

        return call

    for name in ("write_attempts", "write_configs"):
        monkeypatch.setattr(primer, name, spied(name))
    seasons.published(session, redis, made, NOW)
    assert answers == [IntakeUnavailable] * 3 + [AttemptsExhausted]


def test_priming_again_changes_nothing(session: Session, made: Round, redis: Redis, platform: Platform) -> None:
    session.add_all(entry(made, 11, attempt) for attempt in (1, 2))
    person(session, auth_epoch=1)
    seasons.published(session, redis, made, NOW)
    started = start(platform, made.id, 11)
    hand_in(platform, made.id, start(platform, made.id, 14))
    before = held(redis)
    season.prime_all(session, redis, NOW)
    assert held(redis) == before
    assert start(platform, made.id, 11).token == started.token


def test_people_start_and_hand_in_while_it_primes(
    session: Session, made: Round, redis: Redis, platform: Platform
) -> None:
    session.add_all(entry(made, participant, 1) for participant in range(1, 200))
    seasons.published(session, redis, made, NOW)
    round_id, engine = made.id, db.engine
    done = False

    def take_part(participant: int) -> list[int]:
        attempts = []
        for _ in range(6):
            started = start(platform, round_id, participant)
            assert hand_in(platform, round_id, started).first
            attempts.append(started.paper.attempt)
        return attempts

    def prime() -> int:
        times = 0
        with Session(engine) as other:
            while not done:
                season.prime_all(other, redis, NOW)
                other.rollback()
                times += 1
        return times

    with ThreadPoolExecutor(9) as pool:
        primed = pool.submit(prime)
        try:
            papers = list(pool.map(take_part, range(1, 200)))
        finally:
            done = True
        assert primed.result() > 1
    assert papers == [[2, 3, 4, 5, 6, 7]] * 199
    events = sum(redis.xlen(keys.entries(made.id, shard)) for shard in range(made.shards))
    assert events == 199 * 6


def test_a_publication_does_not_wait_for_the_attempts(
    session: Session, made: Round, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An organizer's act is published while the attempts of a large round are still being copied."""
    published = []

    def meanwhile(*_: Any) -> None:
        before = redis.get(keys.SEASON_VERSION)
        with Session(db.engine) as other:
            other.execute(text("SET LOCAL lock_timeout = '2s'"))
            season.publish(other, redis)
        published.append(redis.get(keys.SEASON_VERSION) != before)

    monkeypatch.setattr(primer, "write_attempts", meanwhile)
    season.prime_all(session, redis, NOW)
    assert published == [True]


def test_final_rounds_and_drafts_are_left_out(session: Session, redis: Redis, platform: Platform) -> None:
    contest = seasons.contest(session)
    final = seasons.scheduled_round(session, contest, 1)
    draft = seasons.draft_round(session, contest, 2)
    to_come = seasons.scheduled_round(session, contest, 3)
    final.finalized_at = OPENS + WEEK
    seasons.published(session, redis, to_come, OPENS + WEEK)
    primed = {made.id for made in (final, draft, to_come) if redis.exists(keys.config(made.id, 0))}
    assert primed == {to_come.id}
    assert set(platform.season.refresh().rounds) == {final.id, to_come.id}
