"""The log's screen: searched, paged by id, verified."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis
from sqlalchemy import text

from quiz import clock
from quiz.extensions import Platform, db
from quiz.intake import work
from quiz.services import audit
from quiz.services.audit import Wanted
from scoring import jobs
from scoring.schedule import Scheduler

START = datetime(2026, 3, 1, 5, tzinfo=UTC)


@pytest.fixture
def lines(organizer: FlaskClient) -> None:
    """130 acts, one a day, after the sign-in of the organizer (line 1)."""
    for number in range(2, 132):
        action = "round.moved" if number % 2 else "user.barred"
        reason = "Lũ lụt ở miền Trung" if number == 50 else ""
        audit.append(
            db.session(),
            START + timedelta(days=number),
            1,
            action,
            f"round:{number % 7}",
            {"n": f"số {number}"},
            reason,
        )
    db.session.commit()


def ids(**wanted: object) -> list[int]:
    """All pages of what is wanted."""
    found: list[int] = []
    before = None
    while True:
        page = audit.page(db.session(), Wanted(before=before, **wanted))  # type: ignore[arg-type]
        found += [line.event.id for line in page.lines]
        if page.older is None:
            return found
        before = page.older


def test_pages_go_through_the_whole_log_once(lines: None) -> None:
    assert ids() == list(range(131, 0, -1))


def test_what_is_wanted_is_found(lines: None) -> None:
    assert ids(words="lũ LỤT") == [50]
    assert ids(words="số 77") == [77]
    assert ids(words="100%") == []
    assert ids(action="user.barred") == list(range(130, 1, -2))
    assert ids(subject="round:3") == [number for number in range(131, 1, -1) if number % 7 == 3]
    assert ids(since=START + timedelta(days=10), until=START + timedelta(days=12)) == [11, 10]
    assert ids(actor_id=2) == []
    assert audit.actions(db.session()) == ["round.moved", "staff.second_factor_set_up", "user.barred"]


def test_a_search_reaches_all_of_a_log_that_is_longer_than_one_reach(
    lines: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "REACH", 20)
    page = audit.page(db.session(), Wanted(words="lũ lụt"))
    assert (list(page.lines), page.older) == ([], 112)
    assert ids(words="lũ lụt") == [50]


@pytest.mark.parametrize(
    "query",
    [
        "q=%25_%5C",
        "since=yesterday",
        "before=abc",
        "before=-5",
        "actor=x",
        "action=nothing",
        "until=2026-02-31",
    ],
)
def test_odd_questions_break_nothing(organizer: FlaskClient, lines: None, query: str) -> None:
    assert organizer.get(f"/staff/log?{query}").status_code == 200


@pytest.fixture
def verified(app: Flask, organizer: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> Callable[[], str]:
    """Ask for the verifier, let a worker walk, look at the page."""
    monkeypatch.setattr(jobs, "application", lambda: app)

    def verify() -> str:
        assert organizer.post("/staff/log/verify").status_code == 303
        jobs.verify_log(0, 1)
        return organizer.get("/staff/log").get_data(as_text=True)

    return verify


def test_the_verifier_finds_a_changed_line(verified: Callable[[], str], lines: None) -> None:
    assert "Mọi dòng vẫn như lúc ghi" in verified()
    db.session.execute(text("ALTER TABLE audit_event DISABLE TRIGGER ALL"))
    db.session.execute(text("UPDATE audit_event SET reason = 'khác' WHERE id = 40"))
    db.session.execute(text("ALTER TABLE audit_event ENABLE TRIGGER ALL"))
    db.session.commit()
    assert "Dòng 40 không còn như lúc ghi" in verified()


def test_a_reload_finds_the_walk_where_it_is(
    organizer: FlaskClient, lines: None, platform: Platform, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long log is walked in pages; the worker says how far it is, and one that is asked to end hands it on."""
    monkeypatch.setattr(jobs, "application", lambda: app)
    monkeypatch.setattr(audit, "_PAGE", 50)
    organizer.post("/staff/log/verify")
    assert "đang chờ chạy" in organizer.get("/staff/log").get_data(as_text=True)
    Scheduler(platform).tick(clock.now())
    assert [job.func_name for job in jobs.queue(platform.queue, "default").jobs] == ["scoring.jobs.verify_log"]
    seen: list[tuple[int, int]] = []
    real = work.say

    def say(redis: Redis, name: str, argument: int, progress: work.Progress) -> None:
        real(redis, name, argument, progress)
        seen.append((progress.done, progress.total))
        if progress.done == 50:
            jobs.stopping.set()

    monkeypatch.setattr(work, "say", say)
    monkeypatch.setattr(jobs, "stopping", threading.Event())
    jobs.verify_log(0, 1)
    assert seen == [(0, 131), (50, 131)]
    page = organizer.get("/staff/log").get_data(as_text=True)
    assert '<rect width="38%"' in page
    assert "50 trên 131 dòng" in page
    assert work.asked(platform.queue)  # the scheduler hands it to the next worker
    monkeypatch.setattr(work, "say", real)
    jobs.stopping.clear()
    jobs.verify_log(0, 1)
    assert "Mọi dòng vẫn như lúc ghi" in organizer.get("/staff/log").get_data(as_text=True)
    assert not work.asked(platform.queue)


@pytest.mark.parametrize("path", ["/staff/log?q=%00", "/staff/users?q=a%00", "/staff/contests/%00"])
def test_a_probe_is_refused_as_one(organizer: FlaskClient, path: str) -> None:
    assert organizer.get(path).status_code == 400


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"/staff/users/{10**30}", 404),
        (f"/staff/users?before={10**30}", 200),
        (f"/staff/log?actor={10**30}&before={10**30}", 200),
        ("/staff/contests/none", 404),
        ("/staff/users/0", 404),
    ],
)
def test_numbers_that_no_row_has_are_no_crash(organizer: FlaskClient, path: str, status: int) -> None:
    assert organizer.get(path).status_code == status
