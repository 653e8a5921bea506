"""Question files on the pages: every bad line said and nothing taken, lookalikes and losses said before."""

from __future__ import annotations

import io
import re
from datetime import timedelta

import pytest
from flask import Flask, g
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from quiz import clock
from quiz.extensions import Platform, db
from quiz.models import AuditEvent, Question, Round
from quiz.services import formats
from quiz.services.formats import FORMATS
from tests import seasons, staffing

BASE = "/staff/contests/cuoc-thi/rounds/1/questions"
HEADINGS = "Câu hỏi,A,B,Đáp án\n"


@pytest.fixture
def made(app: Flask) -> Round:
    held = seasons.draft_round(db.session(), seasons.contest(db.session()), bank=seasons.drafts(3))
    held.opens_at, held.closes_at = clock.now() + timedelta(days=1), clock.now() + timedelta(days=8)
    db.session.commit()
    return held


def signed_in(app: Flask, phone: str) -> FlaskClient:
    staffing.make("organizer", phone)
    g.pop("_login_user", None)
    browser = app.test_client()
    staffing.enter(browser, phone)
    return browser


@pytest.fixture
def organizer(app: Flask, made: Round) -> FlaskClient:
    return signed_in(app, "0912000001")


def send(browser: FlaskClient, text: str | bytes, **more: str) -> TestResponse:
    content = text.encode() if isinstance(text, str) else text
    return browser.post(f"{BASE}/import", data={"file": (io.BytesIO(content), "cau-hoi.csv")} | more)


def count() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(Question)) or 0


def token_of(answer: TestResponse) -> str:
    found = re.search(r'name="token" value="([^"]+)"', answer.get_data(as_text=True))
    assert found
    return found[1]


def test_a_file_is_looked_at_before_it_is_added(organizer: FlaskClient) -> None:
    answer = send(organizer, HEADINGS + "Thủ đô ở đâu?,Hà Nội,Huế,A\nQuốc kỳ có mấy ngôi sao?,Một,Hai,A\n")
    assert answer.status_code == 200
    assert count() == 3
    token = token_of(answer)
    assert organizer.post(f"{BASE}/add", data={"token": token}).status_code == 303
    assert count() == 5
    assert db.session.scalars(select(Question.created_by).order_by(Question.id.desc())).first() is not None
    assert organizer.post(f"{BASE}/add", data={"token": token}).status_code == 422
    assert count() == 5


def test_what_one_reads_another_can_t_add(app: Flask, organizer: FlaskClient) -> None:
    token = token_of(send(organizer, HEADINGS + "Thủ đô ở đâu?,Hà Nội,Huế,A\n"))
    assert signed_in(app, "0912000002").post(f"{BASE}/add", data={"token": token}).status_code == 422
    assert count() == 3


def test_every_bad_line_is_said_and_nothing_is_taken(organizer: FlaskClient) -> None:
    answer = send(organizer, HEADINGS + "Tốt?,Có,Không,A\n,Có,Không,A\nXấu?,Có,Không,D\n")
    assert answer.status_code == 422
    page = answer.get_data(as_text=True)
    assert "Dòng 3" in page
    assert "Dòng 4" in page
    assert 'name="token"' not in page
    assert count() == 3


def test_what_the_bank_has_no_place_for_may_be_left_out(organizer: FlaskClient) -> None:
    file = "Câu hỏi,A,B,Đáp án,Ghi chú\nTốt?,Có,Không,A,x\n"
    refused = send(organizer, file)
    assert refused.status_code == 422
    assert 'name="go_without"' in refused.get_data(as_text=True)
    assert send(organizer, file, go_without="on").status_code == 200


def test_lookalikes_are_shown(organizer: FlaskClient) -> None:
    answer = send(organizer, HEADINGS + "Câu hỏi: 2!,Có,Không,A\n")
    assert 'id="lookalikes"' in answer.get_data(as_text=True)


def test_a_large_file_has_room_for_organizers_alone(app: Flask, organizer: FlaskClient) -> None:
    file = (HEADINGS + "Thủ đô ở đâu?,Hà Nội,Huế,A\n").encode() + b"\n" * 400_000
    assert send(organizer, file).status_code == 200
    g.pop("_login_user", None)
    assert send(app.test_client(), file).status_code in {401, 413}
    assert organizer.post(f"{BASE}/add", data={"token": "x" * 400_000}).status_code == 413


def test_no_file_is_asked_for_again(organizer: FlaskClient) -> None:
    assert organizer.post(f"{BASE}/import").status_code == 422


def test_losses_are_said_before_an_export(organizer: FlaskClient) -> None:
    page = organizer.get(f"{BASE}/export").get_data(as_text=True)
    for name, form in FORMATS.items():
        assert f'href="{BASE}/export/{name}"' in page
        assert form.title in page
    assert "Giải thích" in page  # Aiken has no place for it


@pytest.mark.parametrize("name", ["xlsx", "csv", "docx", "moodle", "json"])
def test_what_goes_out_can_be_read_again_and_is_logged(organizer: FlaskClient, platform: Platform, name: str) -> None:
    answer = organizer.get(f"{BASE}/export/{name}")
    disposition = answer.headers["Content-Disposition"]
    assert disposition == f"attachment; filename=cuoc-thi-1{FORMATS[name].extension}"
    drafts = formats.read("x" + FORMATS[name].extension, answer.get_data())
    assert [draft.text for draft in drafts] == [f"Câu hỏi {number}?" for number in (1, 2, 3)]
    db.session.rollback()
    assert "questions.exported" in db.session.scalars(select(AuditEvent.action)).all()


def test_the_template_can_be_filled_in(organizer: FlaskClient) -> None:
    content = organizer.get("/staff/questions/template.xlsx").get_data()
    assert formats.detect("x.xlsx", content) == "xlsx"
