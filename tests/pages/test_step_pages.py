"""A round with seconds per question, without a script: each question a form, each step a post."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from deploy.embedded import Servers
from quiz import clock
from quiz.extensions import db
from quiz.models import Entry
from quiz.services import papers, season
from tests.browser import stage as staging
from tests.browser.stage import OPEN, Stage
from tests.pages.test_quiz_pages import queries, text_of

__all__ = ["queries"]

EACH = 20


class Clock:
    """The server's clock in the test's hand."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def stage(app: Flask) -> Stage:
    return staging.build(app, seconds=10 * EACH, seconds_per_question=EACH)


@pytest.fixture
def at(signed_in: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> Clock:
    hand = Clock(clock.now())
    monkeypatch.setattr(clock, "now", lambda: hand.now)
    return hand


def start(client: FlaskClient) -> str:
    return text_of(client.post(f"/rounds/{OPEN}/start", follow_redirects=True))


def fields(page: str) -> dict[str, str]:
    """The hidden fields of the page's form."""
    return dict(re.findall(r'<input type="hidden" name="(paper|steps|question)" value="([^"]*)"', page))


def options(page: str) -> list[str]:
    return re.findall(r'type="radio" name="q\d+" value="(\d+)"', page)


def answer(client: FlaskClient, page: str, option: str = "1") -> str:
    held = fields(page)
    data = {**held, f"q{held['question']}": option, "next": "1"}
    return text_of(client.post("/paper", data=data, follow_redirects=True))


def hand_in(client: FlaskClient, page: str, prediction: str = "") -> str:
    data = {**fields(page), "hand_in": "1", "prediction": prediction}
    return text_of(client.post("/paper", data=data, follow_redirects=True))


def test_home_says_the_time_of_a_question(signed_in: FlaskClient) -> None:
    page = text_of(signed_in.get("/"))
    assert "10 câu" in page
    assert "20 giây mỗi câu" in page


def test_from_the_start_to_the_receipt_without_a_script(
    signed_in: FlaskClient, at: Clock, stage: Stage, queries: list[str]
) -> None:
    db.session.rollback()
    del queries[:]
    page = start(signed_in)
    seen = []
    for number in range(1, 11):
        assert f"Câu {number}/10" in page
        assert len(options(page)) == 4
        assert "Hết giờ" not in page
        seen.append(fields(page)["question"])
        at.forward(5)
        page = answer(signed_in, page)
    assert "Bạn đã trả lời 10/10 câu." in page
    assert options(page) == []
    assert queries == []
    page = hand_in(signed_in, page, "1.234")
    assert "Đã nộp bài" in page
    assert len(set(seen)) == 10
    stage.count()
    assert db.session.query(Entry).one().prediction == 1234


def test_no_question_is_on_a_page_before_its_turn(signed_in: FlaskClient, at: Clock, stage: Stage) -> None:
    page = start(signed_in)
    bank = stage.platform.season.bank(stage.card(OPEN))
    while "question" in fields(page):
        asked = fields(page)["question"]
        shown = {question.id for question in bank.questions if question.text[:40] in page.replace("&#34;", '"')}
        assert shown == {asked}
        page = answer(signed_in, page)


def test_loading_a_page_never_goes_on(signed_in: FlaskClient, at: Clock) -> None:
    first = fields(start(signed_in))["question"]
    at.forward(EACH + 31)
    page = text_of(signed_in.get("/paper"))
    assert "Câu này đã hết giờ." in page
    assert options(page) == []
    at.forward(EACH)
    assert "Câu 1/10" in text_of(signed_in.get("/paper"))
    page = text_of(signed_in.post("/paper", data={**fields(page), "next": "1"}, follow_redirects=True))
    assert "Câu 2/10" in page
    assert fields(page)["question"] != first


def test_the_back_button_changes_nothing(signed_in: FlaskClient, at: Clock) -> None:
    first = start(signed_in)
    second = answer(signed_in, first, "1")
    again = answer(signed_in, first, "3")
    assert fields(again)["question"] == fields(second)["question"]
    assert "Câu 2/10" in again


def test_a_question_may_be_left_out(signed_in: FlaskClient, at: Clock) -> None:
    page = start(signed_in)
    held = fields(page)
    page = text_of(signed_in.post("/paper", data={**held, "next": "1"}, follow_redirects=True))
    assert "Câu 2/10" in page


def test_the_choice_stands_on_the_page_while_redis_is_away(signed_in: FlaskClient, at: Clock, servers: Servers) -> None:
    page = start(signed_in)
    asked = fields(page)["question"]
    servers.redis.kill9()
    try:
        refused = signed_in.post("/paper", data={**fields(page), f"q{asked}": "3", "next": "1"})
        assert refused.status_code == 503
        assert refused.headers["Retry-After"]
        kept = text_of(refused)
        assert re.search(rf'name="q{asked}" value="3" checked', kept)
        assert 'id="refused"' in kept
    finally:
        servers.redis.start()
    assert "Câu 2/10" in answer(signed_in, kept, "3")


def test_after_redis_lost_everything_the_form_brings_the_steps_back(
    signed_in: FlaskClient, at: Clock, stage: Stage
) -> None:
    page = start(signed_in)
    for _ in range(3):
        page = answer(signed_in, page)
    stage.platform.gateway.client.flushall()
    season.prime_all(db.session(), stage.platform.gateway.client, at.now)
    db.session.commit()
    assert "Câu 4/10" in text_of(signed_in.get("/paper"))
    assert "Câu 5/10" in answer(signed_in, page)


def test_a_wrong_prediction_is_said_and_nothing_is_handed_in(signed_in: FlaskClient, at: Clock) -> None:
    page = start(signed_in)
    for _ in range(10):
        page = answer(signed_in, page)
    answered = signed_in.post("/paper", data={**fields(page), "hand_in": "1", "prediction": "nhiều"})
    assert answered.status_code == 422
    assert "Bạn đã trả lời 10/10 câu." in text_of(answered)
    assert 'value="nhiều"' in text_of(answered)
    assert "Đã nộp bài" in hand_in(signed_in, text_of(answered), "5")


def test_when_all_time_is_over(signed_in: FlaskClient, at: Clock) -> None:
    start(signed_in)
    at.forward(10 * EACH + 31)
    answered = signed_in.get("/paper")
    assert (answered.status_code, answered.headers["Location"]) == (303, "/")
    assert "Đề này không nộp được nữa" in text_of(signed_in.get("/"))


def test_what_was_answered_is_handed_in_with_the_deadline(signed_in: FlaskClient, at: Clock, stage: Stage) -> None:
    page = answer(signed_in, start(signed_in))
    at.forward(10 * EACH + 31)
    page = text_of(signed_in.get("/paper"))
    assert "Bạn đã trả lời 1/10 câu." in page
    assert "Đã nộp bài" in hand_in(signed_in, page)
    assert signed_in.get("/paper").status_code == 302


def test_a_paper_handed_in_leads_to_its_receipt(signed_in: FlaskClient, at: Clock, stage: Stage) -> None:
    page = answer(signed_in, start(signed_in))
    token = fields(page)["paper"]
    desk = stage.desk
    papers.hand_in(desk, papers.Sheet(token, {}), None, None, clock.to_ms(at.now), db.session)
    answered = signed_in.get("/paper")
    assert answered.status_code == 302
    assert "/entries/" in answered.headers["Location"]
