"""`flask demo load` as `make run` calls it, with fewer people than it has in earnest."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from redis import Redis
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from quiz import clock
from quiz.extensions import Platform, db
from quiz.intake import calls, keys
from quiz.intake.errors import IntakeUnavailable
from quiz.models import AuditEvent, Contest, Entry, Identity, Round, User
from quiz.services import accounts, audit, demo
from quiz.services.demo import people, plan
from scoring import recount

PEOPLE = 400


@pytest.fixture
def load(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Result]:
    monkeypatch.setattr(people, "PARTICIPANTS", PEOPLE)
    return lambda: app.test_cli_runner().invoke(args=["demo", "load"])


@pytest.fixture
def session(app: Flask) -> Session:
    return db.session()


def planned(session: Session) -> int:
    contest = session.scalars(select(Contest)).one()
    windows = tuple((clock.to_ms(made.opens_at), clock.to_ms(made.closes_at)) for made in contest.rounds)
    return sum(len(visit.attempts) for visit in plan.make_plan(windows, clock.to_ms(contest.created_at), PEOPLE))


def count(session: Session, table: Any) -> int:
    session.rollback()
    return session.scalar(select(func.count()).select_from(table)) or 0


def test_the_demo_is_a_living_contest(
    load: Callable[[], Result], session: Session, redis: Redis, platform: Platform
) -> None:
    result = load()
    assert result.exit_code == 0, result.output
    now = clock.now()
    contest = session.scalars(select(Contest)).one()
    assert contest.is_current
    assert contest.title == "Tìm hiểu 80 năm Ngày Tổng tuyển cử đầu tiên bầu Quốc hội Việt Nam"
    phases = [made.phase(now).value for made in contest.rounds]
    assert phases == ["published"] * 11 + ["open"] + ["scheduled"] * 11
    rules = contest.rounds[11].rules
    assert (rules["questions"], rules["cap"], rules["seconds"]) == (10, 7, 600)
    assert rules["prediction"]["text"] == "Bao nhiêu người trả lời đúng cả 10 câu?"
    assert rules["release"] == {"score": "after_close", "key": "after_close"}
    assert count(session, Entry) == planned(session)
    assert not redis.exists(keys.DEAD_LETTERS)
    assert recount.check(session, [made.id for made in contest.rounds]) == []
    assert audit.verify(session) is None
    past = select(func.max(Entry.received_at), func.min(Entry.received_at))
    last, first = session.execute(past).one()
    assert first < now - timedelta(days=70)
    assert last < now
    read = platform.season.refresh()
    assert read.current is not None
    assert [card.finalized is not None for card in read.current.rounds] == [True] * 11 + [False] * 12


def test_entries_score_what_the_plan_says(load: Callable[[], Result], session: Session) -> None:
    load()
    contest = session.scalars(select(Contest)).one()
    windows = tuple((clock.to_ms(made.opens_at), clock.to_ms(made.closes_at)) for made in contest.rounds)
    ids = session.scalars(select(User.id).where(User.role == "participant", User.synthetic).order_by(User.id)).all()
    numbers = {made.id: made.number for made in contest.rounds}
    entries = {
        (numbers[entry.round_id], entry.participant_id, entry.attempt): entry
        for entry in session.scalars(select(Entry))
    }
    for visit in plan.make_plan(windows, clock.to_ms(contest.created_at), PEOPLE):
        for attempt, wanted in enumerate(visit.attempts, 1):
            entry = entries[visit.round, ids[visit.person], attempt]
            assert entry.correct == sum(right is True for right in wanted.right)
            assert entry.prediction == wanted.prediction
            assert entry.duration_ms == wanted.duration
            assert entry.received_at == clock.from_ms(wanted.started + wanted.duration)
            assert entry.channel == visit.channel


def test_a_second_load_says_so_and_changes_nothing(load: Callable[[], Result], session: Session, redis: Redis) -> None:
    load()
    before = [count(session, table) for table in (Contest, Round, User, Identity, Entry, AuditEvent)]
    published = redis.get(keys.SEASON_VERSION)
    result = load()
    assert (result.exit_code, result.output) == (0, "The demo is loaded already.\n")
    assert [count(session, table) for table in (Contest, Round, User, Identity, Entry, AuditEvent)] == before
    assert redis.get(keys.SEASON_VERSION) == published


@pytest.mark.parametrize("function", ["start", "hand_in"])
def test_an_interrupted_load_goes_on_and_plays_nothing_twice(
    load: Callable[[], Result], session: Session, monkeypatch: pytest.MonkeyPatch, function: str
) -> None:
    original, calls_left = getattr(calls, function), iter(range(300))

    def failing(*args: Any) -> Any:
        if next(calls_left, None) is None:
            raise IntakeUnavailable("the power is off")
        return original(*args)

    with monkeypatch.context() as patch:
        patch.setattr(calls, function, failing)
        result = load()
    assert result.exit_code == 1
    assert "power" in result.output
    assert not demo.is_loaded(session)
    assert load().exit_code == 0
    assert count(session, Entry) == planned(session)
    assert count(session, Contest) == 1
    assert demo.is_loaded(session)


def test_the_logins_open_what_they_promise(
    load: Callable[[], Result], app: Flask, session: Session, platform: Platform
) -> None:
    assert demo.demo_logins(session, platform.settings) == ()
    load()
    shown = demo.demo_logins(session, platform.settings)
    assert [login.role for login in shown] == ["participant", "officer", "organizer", "administrator"]
    for login in shown:
        account = accounts.sign_in(session, platform.cache, login.phone, login.password)
        assert (account.role, account.full_name) == (login.role, login.full_name)
    member = accounts.sign_in(session, platform.cache, shown[0].phone, shown[0].password)
    rounds = session.scalars(select(Entry.round_id).where(Entry.participant_id == member.id).distinct()).all()
    assert len(rounds) == 5
    printed = app.test_cli_runner().invoke(args=["demo", "logins"]).output
    assert all(login.phone in printed and login.password in printed for login in shown)
    assert session.scalar(select(func.count()).where(User.password_hash.is_not(None))) == 4


def test_outside_the_embedded_servers_there_is_no_demo(
    load: Callable[[], Result], app: Flask, session: Session, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = replace(platform, settings=replace(platform.settings, embedded=False))
    with monkeypatch.context() as patch:
        patch.setitem(app.extensions, "quiz80", elsewhere)
        assert load().exit_code == 1
        assert count(session, User) == 0
    load()
    assert demo.demo_logins(session, elsewhere.settings) == ()
