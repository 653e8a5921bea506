"""Correcting a key on the pages: two organizers, the round's number typed, a bar that a reload finds again."""

from __future__ import annotations

import pytest
from flask import Flask, g
from flask.testing import FlaskClient

from quiz import clock
from quiz.extensions import Platform, db
from quiz.models import Round
from quiz.services import corrections
from scoring import jobs
from tests import seasons, staffing

KEY = "/staff/contests/cuoc-thi/rounds/1/key"


@pytest.fixture
def made(app: Flask, platform: Platform, monkeypatch: pytest.MonkeyPatch) -> Round:
    monkeypatch.setattr(jobs, "application", lambda: app)
    held = seasons.scheduled_round(db.session(), seasons.contest(db.session()))
    db.session.commit()
    return held


def signed_in(app: Flask, phone: str, name: str) -> FlaskClient:
    staffing.make("organizer", phone, name=name)
    g.pop("_login_user", None)
    browser = app.test_client()
    staffing.enter(browser, phone)
    return browser


@pytest.fixture
def proposer(app: Flask, made: Round) -> FlaskClient:
    return signed_in(app, "0912000001", "Lê Hoàng Nam")


@pytest.fixture
def approver(app: Flask, proposer: FlaskClient) -> FlaskClient:
    return signed_in(app, "0912000002", "Trần Thị Mai")


def page(browser: FlaskClient, path: str = KEY) -> str:
    answer = browser.get(path)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def form(made: Round, **changes: str) -> dict[str, str]:
    """Another right option of the first question."""
    question = corrections.keyed_questions(db.session(), db.session.get_one(Round, made.id))[0]
    wrong = next(id_ for id_, _, right in question.options if not right)
    return {
        f"right-{question.id}": wrong,
        "reason": "Sách giáo khoa ghi khác",
        "notice_title": "Sửa đáp án",
        "notice": "Đáp án một câu được sửa.",
    } | changes


def open_id(made: Round) -> int:
    db.session.rollback()
    proposal = corrections.open_proposal(db.session(), made.id)
    assert proposal is not None
    return proposal.id


def test_from_the_proposal_into_force(proposer: FlaskClient, approver: FlaskClient, made: Round) -> None:
    round_id = made.id
    assert proposer.post(KEY, data=form(made)).status_code == 303
    assert 'data-again="2"' in page(proposer)
    jobs.correct_key(open_id(made))
    own = page(proposer)
    assert f'action="{KEY}/approve"' not in own
    assert proposer.post(f"{KEY}/approve", data={"typed": "1"}).status_code == 422
    assert "Sách giáo khoa ghi khác" in page(approver)
    assert approver.post(f"{KEY}/approve", data={"typed": "7"}).status_code == 422
    assert approver.post(f"{KEY}/approve", data={"typed": "1"}).status_code == 303
    assert 'data-again="2"' in page(approver)
    assert approver.post(f"{KEY}/cancel", data={"cancel_reason": "x"}).status_code == 422
    jobs.correct_key(open_id(made))
    done = page(approver)
    assert "Trần Thị Mai" in done
    assert 'id="changes"' in done  # the next correction can begin
    db.session.rollback()
    assert db.session.get_one(Round, round_id, populate_existing=True).key_version == 2


def test_the_bar_stands_where_the_worker_is(proposer: FlaskClient, made: Round, platform: Platform) -> None:
    proposer.post(KEY, data=form(made))
    corrections.note_progress(platform.queue, open_id(made), 740, 1_000, clock.now())
    assert '<rect width="74%"' in page(proposer)


def test_cancelled_it_can_be_proposed_anew(proposer: FlaskClient, made: Round) -> None:
    proposer.post(KEY, data=form(made))
    assert proposer.post(KEY, data=form(made)).status_code == 422
    assert proposer.post(f"{KEY}/cancel", data={"cancel_reason": "nhầm"}).status_code == 303
    assert proposer.post(KEY, data=form(made)).status_code == 303


@pytest.mark.parametrize("missing", [{"reason": ""}, {"notice": ""}])
def test_what_was_ticked_stays_after_a_refusal(proposer: FlaskClient, made: Round, missing: dict[str, str]) -> None:
    answer = proposer.post(KEY, data=form(made, **missing))
    assert answer.status_code == 422
    assert " checked>" in answer.get_data(as_text=True)


def test_nothing_ticked_is_nothing_changed(proposer: FlaskClient, made: Round) -> None:
    empty = {name: value for name, value in form(made).items() if not name.startswith("right-")}
    assert proposer.post(KEY, data=empty).status_code == 422


def test_questions_are_found_without_accents(proposer: FlaskClient) -> None:
    assert page(proposer, f"{KEY}?q=cau hoi 12").count('class="card act"') == 1


def test_a_step_that_failed_too_often_says_so(proposer: FlaskClient, made: Round) -> None:
    proposer.post(KEY, data=form(made))
    proposal = corrections.open_proposal(db.session(), made.id)
    assert proposal is not None
    proposal.tries = corrections.MAX_TRIES
    db.session.commit()
    assert f'action="{KEY}/again"' in page(proposer)
    assert proposer.post(f"{KEY}/again").status_code == 303
    assert f'action="{KEY}/again"' not in page(proposer)
