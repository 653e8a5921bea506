"""Making a result final is asked on a page, handed on by the scheduler, done by a worker; all of it may be repeated."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from rq.serializers import JSONSerializer
from sqlalchemy import select

from quiz import clock
from quiz.extensions import Platform, db
from quiz.intake import calls, work
from quiz.models import AuditEvent, Contest, Round
from scoring import jobs
from scoring.schedule import Scheduler


@pytest.fixture
def worker(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "application", lambda: app)


@pytest.fixture
def over(contest: Contest) -> Round:
    """Round 1: closed three days ago."""
    return db.session.scalars(select(Round).where(Round.number == 1)).one()


def path(contest: Contest, step: str = "") -> str:
    return f"/staff/contests/{contest.slug}/rounds/1{step}"


def final_lines() -> int:
    return len(db.session.scalars(select(AuditEvent.id).where(AuditEvent.action == "round.finalized")).all())


def test_from_the_button_to_the_published_result(
    organizer: FlaskClient, contest: Contest, over: Round, platform: Platform, worker: None
) -> None:
    round_id = over.id
    assert organizer.post(path(contest, "/publish")).status_code == 422
    assert organizer.post(path(contest, "/finalize")).status_code == 303
    assert "đang chờ chạy" in organizer.get(path(contest)).get_data(as_text=True)
    Scheduler(platform).tick(clock.now())
    queue = jobs.queue(platform.queue, "default")
    [job] = [job for job in queue.jobs if job.func_name == "scoring.jobs.finalize_round"]
    assert job.args in ([round_id, 1], (round_id, 1))
    assert job.serializer is JSONSerializer
    for _ in range(2):  # a job that died after its commit runs once more
        jobs.finalize_round(*job.args)
    db.session.expire_all()
    assert over.finalized_at is not None
    assert final_lines() == 1
    assert work.asked(platform.queue) == []
    for _ in range(2):
        assert organizer.post(path(contest, "/publish")).status_code == 303
    db.session.expire_all()
    assert over.published_at is not None
    assert platform.season.refresh().rounds[round_id].published is not None
    said = organizer.post(path(contest, "/finalize"))
    assert said.status_code == 303
    assert work.asked(platform.queue) == []


def test_what_stands_against_it_is_said(
    organizer: FlaskClient, contest: Contest, over: Round, platform: Platform, worker: None
) -> None:
    card = platform.season.get().rounds[over.id]
    begun = clock.to_ms(over.closes_at - timedelta(minutes=5))
    calls.start(platform.gateway, platform.signer, 0, platform.season.get(), card, calls.Starter(1, 1, 0), begun)
    organizer.post(path(contest, "/finalize"))
    jobs.finalize_round(over.id, 1)
    assert "Còn bài đang mở" in organizer.get(path(contest)).get_data(as_text=True)
    db.session.expire_all()
    assert over.finalized_at is None
    assert work.asked(platform.queue) == []


def test_what_was_asked_stays_asked_until_it_is_done(
    organizer: FlaskClient, contest: Contest, over: Round, platform: Platform
) -> None:
    for _ in range(2):
        organizer.post(path(contest, "/finalize"))
    assert work.asked(platform.queue) == [work.Work("finalize_round", over.id, 1)]
    scheduler, now = Scheduler(platform), clock.now()
    for _ in range(3):
        scheduler.tick(now)
    names = [job.func_name for job in jobs.queue(platform.queue, "default").jobs]
    assert names.count("scoring.jobs.finalize_round") == 1
    # Nothing but what is listed can be asked for by whoever gets at Redis.
    platform.queue.hset(work.ASKED, "application:1", json.dumps(1))
    scheduler.tick(now)
    assert "scoring.jobs.application" not in [job.func_name for job in jobs.queue(platform.queue, "default").jobs]


def test_another_worker_at_it_keeps_the_second_one_out(
    organizer: FlaskClient, contest: Contest, over: Round, platform: Platform, worker: None
) -> None:
    from sqlalchemy import func

    with db.engine.connect() as other:
        other.execute(select(func.pg_advisory_xact_lock(82, over.id)))
        jobs.finalize_round(over.id, 1)
        other.rollback()
    db.session.expire_all()
    assert over.finalized_at is None
    jobs.finalize_round(over.id, 1)
    db.session.expire_all()
    assert over.finalized_at is not None
