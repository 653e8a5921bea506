"""Who reads an announcement: all, a province, those who took part in a round; and nobody once it is taken back."""

from __future__ import annotations

import random
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select, text

from quiz import clock
from quiz.extensions import Platform, db
from quiz.models import Announcement, AuditEvent, Contest
from quiz.services import announcements, season
from tests import staffing
from tests.browser import stage as staging
from tests.browser.stage import CLOSED, OPEN, Stage
from tests.pages.conftest import Browser

LIST = "/staff/contests/tong-tuyen-cu/announcements"


@pytest.fixture
def stage(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Stage:
    monkeypatch.setattr(app, "test_client_class", Browser)
    return staging.build(app)


@pytest.fixture
def writer(app: Flask, stage: Stage) -> FlaskClient:
    staffing.make("organizer")
    browser = app.test_client()
    staffing.enter(browser)
    return browser


def tell(writer: FlaskClient, title: str, **audience: str) -> int:
    assert writer.post(LIST, data={"title": title, "body": "Nội dung."} | audience).status_code == 303
    made = db.session.scalars(select(Announcement.id).order_by(Announcement.id.desc()).limit(1)).one()
    db.session.rollback()
    return made


def home(stage: Stage, browser: FlaskClient) -> str:
    stage.platform.season.refresh()
    answer = browser.get("/")
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def reader(stage: Stage, phone: str, *rounds: int) -> FlaskClient:
    """A browser of somebody who took part in these rounds."""
    who = staging.person(stage, phone)
    for number in rounds:
        at = clock.from_ms(stage.card(number).opens + 3_600_000)
        stage.take(number, who, at, 0.5, random.Random(1))
    stage.count()
    browser = stage.app.test_client()
    assert browser.post("/sign-in", data={"phone": phone, "password": staging.PASSWORD}).status_code == 303
    return browser


def test_a_round_s_news_reach_those_who_took_part_in_it(stage: Stage, writer: FlaskClient) -> None:
    tell(writer, "Sửa đáp án tuần trước", audience="round", round=str(CLOSED))
    played, other = reader(stage, "0912345601", CLOSED, OPEN), reader(stage, "0912345602", OPEN)
    assert "Sửa đáp án tuần trước" in home(stage, played)
    assert "Sửa đáp án tuần trước" not in home(stage, other)
    assert "Sửa đáp án tuần trước" not in home(stage, stage.app.test_client())


def test_a_province_s_news_reach_its_people_alone(stage: Stage, writer: FlaskClient) -> None:
    tell(writer, "Buổi thi ở tỉnh", audience="unit", unit=stage.home_province)
    tell(writer, "Buổi thi ở Hà Nội", audience="unit", unit="01")
    shown = home(stage, reader(stage, "0912345601"))
    assert "Buổi thi ở tỉnh" in shown
    assert "Buổi thi ở Hà Nội" not in shown
    assert "Buổi thi ở" not in home(stage, stage.app.test_client())


def test_the_home_page_stands_when_the_tables_can_t_be_asked(
    stage: Stage, writer: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(writer, "Tuần trước", audience="round", round=str(CLOSED))
    tell(writer, "Cho mọi người")
    browser = reader(stage, "0912345601", CLOSED)

    def away(*_: Any) -> set[int]:
        db.session.execute(text("SET LOCAL statement_timeout = 1"))
        db.session.execute(text("SELECT pg_sleep(1)"))
        raise AssertionError("the statement was to be cut off")

    monkeypatch.setattr(announcements, "took_part", away)
    shown = home(stage, browser)
    assert "Cho mọi người" in shown
    assert "Tuần trước" not in shown


def test_taken_back_nobody_reads_it_but_it_stays(stage: Stage, writer: FlaskClient) -> None:
    told = tell(writer, "Nhầm lẫn")
    assert "Nhầm lẫn" in home(stage, stage.app.test_client())
    assert writer.post(f"{LIST}/{told}/retract", data={"reason": " "}).status_code == 422
    assert writer.post(f"{LIST}/{told}/retract", data={"reason": "Sai ngày"}).status_code == 303
    assert "Nhầm lẫn" not in home(stage, stage.app.test_client())
    assert "đã rút" in writer.get(LIST).get_data(as_text=True)
    db.session.rollback()
    line = db.session.scalars(select(AuditEvent).where(AuditEvent.action == "announcement.retracted")).one()
    assert (line.subject, line.reason, line.detail) == (f"announcement:{told}", "Sai ngày", {"title": "Nhầm lẫn"})


def test_another_contest_s_announcement_is_not_found(stage: Stage, writer: FlaskClient) -> None:
    told = tell(writer, "Của cuộc thi này")
    other = season.create_contest(db.session(), "khac", "Khác", clock.now())
    db.session.commit()
    assert other.slug == "khac"
    assert writer.post(f"/staff/contests/khac/announcements/{told}/retract", data={"reason": "x"}).status_code == 404


def test_the_list_is_searched_and_paged(stage: Stage, writer: FlaskClient, platform: Platform) -> None:
    contest = db.session.scalars(select(Contest.id)).one()
    for number in range(70):
        announcements.announce(db.session(), contest, f"Tin {number:02}", "100% chắc", clock.now(), None)
    db.session.commit()
    seen: list[int] = []
    before = None
    while True:
        page = announcements.page(db.session(), contest, before=before)
        seen += [line.announcement.id for line in page.lines]
        before = page.older
        if before is None:
            break
    assert seen == sorted(seen, reverse=True)
    assert len(seen) == 70
    assert [line.announcement.title for line in announcements.page(db.session(), contest, "tin 07").lines] == ["Tin 07"]
    assert len(announcements.page(db.session(), contest, "100%").lines) == 30
    assert announcements.page(db.session(), contest, "100_").lines == []
    assert "Tin 69" in writer.get(LIST).get_data(as_text=True)


def test_home_asks_the_tables_once_and_only_for_a_round_s_news(stage: Stage, writer: FlaskClient) -> None:
    browser = reader(stage, "0912345601", CLOSED)
    sent: list[str] = []

    def hear(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        sent.append(statement)

    event.listen(db.engine, "before_cursor_execute", hear)
    try:
        tell(writer, "Cho mọi người")
        stage.platform.season.refresh()
        del sent[:]
        assert home(stage, browser)
        assert sent == []
        tell(writer, "Cho tuần trước", audience="round", round=str(CLOSED))
        stage.platform.season.refresh()
        del sent[:]
        assert "Cho tuần trước" in home(stage, browser)
        assert len(sent) == 1
        del sent[:]
        assert home(stage, stage.app.test_client())
        assert sent == []
    finally:
        event.remove(db.engine, "before_cursor_execute", hear)
