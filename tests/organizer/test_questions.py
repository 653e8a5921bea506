"""The question bank on the organizers' pages: found, edited into versions, reviewed by a second person, frozen."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask, g
from flask.testing import FlaskClient
from sqlalchemy import select

from quiz import clock
from quiz.extensions import db
from quiz.models import AuditEvent, Bank, Question, Round
from quiz.services import question_bank
from quiz.services.questions import OptionDraft, QuestionDraft
from tests import seasons, staffing

AUTHOR, REVIEWER = "0912000001", "0912000002"
BASE = "/staff/contests/cuoc-thi/rounds/1"


@pytest.fixture
def made(app: Flask) -> Round:
    """A round of 60 questions by the CLI's nobody; it opens tomorrow."""
    special = QuestionDraft(
        text="Ai là Chủ tịch Quốc hội khóa I?",
        options=(OptionDraft("Nguyễn Văn Tố", True), OptionDraft("Bùi Bằng Đoàn")),
        topic="Khóa I",
    )
    contest = seasons.contest(db.session())
    held = seasons.draft_round(db.session(), contest, bank=[*seasons.drafts(59), special])
    held.opens_at, held.closes_at = clock.now() + timedelta(days=1), clock.now() + timedelta(days=8)
    db.session.commit()
    return held


@pytest.fixture
def author(app: Flask, made: Round) -> FlaskClient:
    return signed_in(app, AUTHOR, "Lê Hoàng Nam")


@pytest.fixture
def reviewer(app: Flask, author: FlaskClient) -> FlaskClient:
    return signed_in(app, REVIEWER, "Trần Thị Mai")


def signed_in(app: Flask, phone: str, name: str) -> FlaskClient:
    staffing.make("organizer", phone, name=name)
    g.pop("_login_user", None)
    browser = app.test_client()
    staffing.enter(browser, phone)
    return browser


def page(browser: FlaskClient, path: str) -> str:
    answer = browser.get(path)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def newest() -> Question:
    db.session.rollback()
    return db.session.scalars(select(Question).order_by(Question.id.desc())).first()  # type: ignore[return-value]


FORM = {"text": "Ai là Chủ tịch?", "option-0": "Bùi Bằng Đoàn", "option-1": "Hồ Tùng Mậu", "right-0": "on"}


def test_words_are_found_without_accents(author: FlaskClient) -> None:
    for words in ("chu tich quoc hoi", "bui bang doan", "KHÓA"):
        found = page(author, f"{BASE}/questions?q={words}")
        assert "Ai là Chủ tịch Quốc hội khóa I?" in found
        assert "Câu hỏi 1?" not in found
    assert "Ai là" not in page(author, f"{BASE}/questions?q=khong co")


def test_filters_and_pages(author: FlaskClient) -> None:
    assert "Câu hỏi 1?" in page(author, f"{BASE}/questions")
    assert "Ai là Chủ tịch" not in page(author, f"{BASE}/questions")
    assert "Ai là Chủ tịch" in page(author, f"{BASE}/questions?page=2")
    assert "Câu hỏi 1?" not in page(author, f"{BASE}/questions?topic=Khóa I")
    assert "Câu hỏi 3?" in page(author, f"{BASE}/questions?difficulty=1")
    assert "Câu hỏi 1?" not in page(author, f"{BASE}/questions?difficulty=1")
    assert "Câu hỏi 1?" not in page(author, f"{BASE}/questions?state=reviewed")


def test_an_edit_is_a_new_version_that_waits_for_a_review(author: FlaskClient, reviewer: FlaskClient) -> None:
    old = newest()
    assert author.post(f"/staff/questions/{old.id}", data=FORM | {"difficulty": "3"}).status_code == 303
    made = newest()
    assert (made.stem_id, made.version, made.difficulty, made.reviewed_at) == (old.stem_id, 2, 3, None)
    assert [(option.text, option.right) for option in made.options] == [("Bùi Bằng Đoàn", True), ("Hồ Tùng Mậu", False)]
    shown = page(reviewer, f"/staff/questions/{old.id}")
    assert "Nguyễn Văn Tố" in shown  # the version before
    assert author.post(f"/staff/questions/{made.id}/review").status_code == 422
    assert reviewer.post(f"/staff/questions/{made.id}/review").status_code == 303
    assert newest().reviewed_by is not None
    acts = db.session.scalars(
        select(AuditEvent.action).where(AuditEvent.action.like("question.%")).order_by(AuditEvent.id)
    ).all()
    assert acts == ["question.revised", "question.reviewed"]


@pytest.mark.parametrize("bad", [{"text": ""}, {"option-1": ""}, {"option-1": "bùi bằng đoàn"}, {"difficulty": "9"}])
def test_a_bad_edit_keeps_nothing_and_says_why(author: FlaskClient, bad: dict[str, str]) -> None:
    old = newest()
    answer = author.post(f"/staff/questions/{old.id}", data=FORM | {"difficulty": "3"} | bad)
    assert answer.status_code == 422
    assert 'id="refused"' in answer.get_data(as_text=True)
    assert newest().id == old.id


def test_a_review_leads_to_the_next_question_that_waits(author: FlaskClient, reviewer: FlaskClient) -> None:
    def led_to(question_id: int) -> str:
        return reviewer.post(f"/staff/questions/{question_id}/review").headers["Location"]

    assert led_to(1) == "/staff/questions/2"
    assert led_to(60) == "/staff/questions/2"  # after the last one it begins again
    author.post("/staff/questions/2", data=FORM | {"difficulty": "3"})
    assert led_to(59) == "/staff/questions/61"  # the new version of question 2
    own = author.post("/staff/questions/58/review").headers["Location"]
    assert own == "/staff/questions/3"  # not what the author wrote


def test_only_the_newest_version_is_reviewed(author: FlaskClient, reviewer: FlaskClient) -> None:
    old = newest()
    author.post(f"/staff/questions/{old.id}", data=FORM | {"difficulty": "3"})
    assert reviewer.post(f"/staff/questions/{old.id}/review").status_code == 422


def test_what_nobody_reviewed_is_not_frozen(author: FlaskClient, made: Round) -> None:
    answer = author.post(f"{BASE}/questions/freeze")
    assert answer.status_code == 422
    assert "60" in answer.get_data(as_text=True)
    for question in db.session.scalars(select(Question)).all():
        question_bank.review(db.session(), question.id, clock.now(), actor_id=1)
    db.session.commit()
    assert author.post(f"{BASE}/questions/freeze").status_code == 303
    assert len(db.session.scalars(select(Bank)).one().content) == 60
    sheet = page(author, f"{BASE}/questions/paper")
    assert sheet.count('<section class="question">') == 10
    assert page(author, f"{BASE}/questions/paper?sample=2") != sheet


def test_an_open_round_keeps_its_bank(author: FlaskClient, made: Round) -> None:
    for question in db.session.scalars(select(Question)).all():
        question_bank.review(db.session(), question.id, clock.now(), actor_id=1)
    db.session.commit()
    author.post(f"{BASE}/questions/freeze")
    held = db.session.get_one(Round, made.id)
    held.scheduled_at = held.opens_at = clock.now()
    db.session.commit()
    assert author.post(f"{BASE}/questions/freeze").status_code == 422
    assert len(db.session.scalars(select(Bank)).all()) == 1


def test_a_retired_question_leaves_the_bank(author: FlaskClient) -> None:
    old = newest()
    assert author.post(f"/staff/questions/{old.id}/retire").status_code == 422
    assert author.post(f"/staff/questions/{old.id}/retire", data={"reason": "trùng"}).status_code == 303
    assert "Ai là Chủ tịch" not in page(author, f"{BASE}/questions?page=2")
    assert author.post(f"/staff/questions/{old.id}", data=FORM | {"difficulty": "3"}).status_code == 422


def test_a_lookalike_is_shown(author: FlaskClient) -> None:
    old = newest()
    author.post(f"/staff/questions/{old.id}", data=FORM | {"text": "Câu hỏi số 3?", "difficulty": "3"})
    other = db.session.scalars(select(Question).where(Question.text == "Câu hỏi 3?")).one()
    author.post(f"/staff/questions/{other.id}", data=FORM | {"text": "Câu hỏi: số 3!", "difficulty": "3"})
    assert 'id="lookalikes"' in page(author, f"/staff/questions/{newest().id}")


def test_the_list_says_how_full_the_banks_are(author: FlaskClient, reviewer: FlaskClient) -> None:
    reviewer.post(f"/staff/questions/{newest().id}/review")
    row = question_bank.rounds(db.session())[0]
    assert (row.questions, row.unreviewed) == (60, 59)
    assert f'href="{BASE}/questions"' in page(author, "/staff/questions")
