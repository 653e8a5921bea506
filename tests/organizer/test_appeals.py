"""The queue on the pages: answered alone, together, with words to begin with; accepted, on to the correction."""

from __future__ import annotations

import random
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text

from quiz import clock
from quiz.extensions import db
from quiz.models import Appeal, AppealTemplate, Entry
from quiz.services import appeals, corrections
from tests import staffing
from tests.browser import stage as staging
from tests.browser.stage import CLOSED, Stage
from tests.pages.conftest import Browser

KEY = f"/staff/contests/tong-tuyen-cu/rounds/{CLOSED}/key"
SAME_PAPER = "UPDATE entry SET questions = (SELECT questions FROM entry ORDER BY participant_id LIMIT 1)"
WORDS = "Sách giáo khoa trang 45 ghi khác với đáp án của ban tổ chức."


@pytest.fixture
def stage(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Stage:
    monkeypatch.setattr(app, "test_client_class", Browser)
    return staging.build(app)


@pytest.fixture
def organizer(app: Flask, stage: Stage) -> FlaskClient:
    staffing.make("organizer")
    browser = app.test_client()
    staffing.enter(browser)
    return browser


def entrant(stage: Stage, number: int = 0) -> tuple[FlaskClient, str]:
    """A browser of somebody who took part in the closed round, and the receipt."""
    phone = f"09123456{number:02}"
    who = staging.person(stage, phone, f"Người {number}")
    at = clock.from_ms(stage.card(CLOSED).opens + 3_600_000)
    receipt = stage.take(CLOSED, who, at, 0.3, random.Random(1))
    stage.count()
    browser = stage.app.test_client()
    assert browser.post("/sign-in", data={"phone": phone, "password": staging.PASSWORD}).status_code == 303
    return browser, receipt


@pytest.fixture(autouse=True)
def just_closed(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The round closed four days ago in the stage: here people still have their time."""
    monkeypatch.setattr(appeals, "WINDOW", 10 * appeals.WINDOW)


def page(browser: FlaskClient, path: str) -> str:
    answer = browser.get(path)
    assert answer.status_code == 200, answer.status_code
    return answer.get_data(as_text=True)


def appeal(browser: FlaskClient, receipt: str, kind: str = "result", question: str = "") -> int:
    data = {"kind": kind, "text": WORDS, "question": question}
    assert browser.post(f"/entries/{receipt}/appeal", data=data).status_code == 303
    made = db.session.scalars(select(Appeal.id).order_by(Appeal.id.desc()).limit(1)).one()
    db.session.rollback()
    return made


def question_of(browser: FlaskClient, receipt: str) -> str:
    """The first question that this paper and all others of the tests share."""
    found = re.findall(r'<option value="(\w+)"', page(browser, f"/entries/{receipt}/appeal"))
    return str(found[0])


def test_from_the_result_page_to_the_answer(stage: Stage, organizer: FlaskClient) -> None:
    browser, receipt = entrant(stage)
    assert f"/entries/{receipt}/appeal" in page(browser, f"/entries/{receipt}")
    made = appeal(browser, receipt)
    assert "đang xem xét" in page(browser, f"/entries/{receipt}")
    assert "khiếu nại: đang xem xét" in page(browser, "/entries")
    assert "1 khiếu nại đang chờ trả lời" in page(organizer, "/staff/contests/tong-tuyen-cu")
    assert WORDS in page(organizer, f"/staff/appeals/{made}")
    wrong = organizer.post(f"/staff/appeals/{made}", data={"verdict": "rejected", "answer": ""})
    assert wrong.status_code == 422
    done = organizer.post(f"/staff/appeals/{made}", data={"verdict": "rejected", "answer": "Điểm đúng như đã chấm."})
    assert done.status_code == 303
    shown = page(browser, f"/entries/{receipt}")
    assert "Điểm đúng như đã chấm." in shown
    assert "không được chấp nhận" in shown


def test_nobody_appeals_against_another_s_entry(stage: Stage) -> None:
    _, receipt = entrant(stage, 0)
    other, _ = entrant(stage, 1)
    assert other.get(f"/entries/{receipt}/appeal").status_code == 404
    assert other.post(f"/entries/{receipt}/appeal", data={"kind": "result", "text": WORDS}).status_code == 404


def test_what_was_typed_stays_after_a_refusal(stage: Stage) -> None:
    browser, receipt = entrant(stage)
    answer = browser.post(f"/entries/{receipt}/appeal", data={"kind": "question", "text": WORDS})
    assert answer.status_code == 422
    assert WORDS in answer.get_data(as_text=True)


def test_accepted_about_a_question_it_goes_on_to_the_correction(stage: Stage, organizer: FlaskClient) -> None:
    browser, receipt = entrant(stage)
    question = question_of(browser, receipt)
    made = appeal(browser, receipt, "question", question)
    answer = organizer.post(f"/staff/appeals/{made}", data={"verdict": "accepted", "answer": "Sẽ sửa."})
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{KEY}?question={question}")
    shown = page(organizer, answer.headers["Location"])
    assert shown.count('class="card act"') == 1
    assert '<details class="card act" open>' in shown
    assert WORDS in shown
    options = re.findall(rf'name="right-{question}" value="(\w+)"', shown)
    for option in options:
        data = {f"right-{question}": option, "reason": "Khiếu nại", "notice_title": "Sửa", "notice": "Đã sửa."}
        if organizer.post(f"{KEY}?question={question}", data=data).status_code == 303:
            break
    assert f'href="/staff/appeals/{made}">#{made}</a>' in page(organizer, KEY)
    assert "Lần sửa đáp án đang xử lý" in page(organizer, f"/staff/appeals/{made}")
    db.session.rollback()
    proposal = corrections.open_proposal(db.session(), stage.card(CLOSED).id)
    assert proposal is not None
    assert appeals.linked_with(db.session(), proposal.id) == [made]


def test_several_about_one_question_are_answered_together(stage: Stage, organizer: FlaskClient) -> None:
    people = [entrant(stage, number) for number in range(3)]
    db.session.execute(
        text("UPDATE entry SET questions = (SELECT questions FROM entry ORDER BY participant_id LIMIT 1)")
    )
    db.session.commit()
    question = question_of(*people[0])
    made = [appeal(browser, receipt, "question", question) for browser, receipt in people]
    listed = page(organizer, "/staff/appeals")
    assert "Nhiều khiếu nại về một câu" in listed
    assert "3 khiếu nại" in listed
    group = f"/staff/appeals?round={stage.card(CLOSED).id}&question={question}"
    assert page(organizer, group).count("checked") >= 3
    data = {"appeals": [str(each) for each in made[:2]], "verdict": "rejected", "answer": "Đáp án đúng."}
    assert organizer.post("/staff/appeals/answer", data=data | {"answer": ""}).status_code == 422
    assert organizer.post("/staff/appeals/answer", data=data).status_code == 303
    db.session.rollback()
    assert [db.session.get_one(Appeal, each).state for each in made] == ["rejected", "rejected", "open"]
    for browser, receipt in people[:2]:
        assert "Đáp án đúng." in page(browser, f"/entries/{receipt}")


def test_one_is_answered_with_all_others_about_its_question(stage: Stage, organizer: FlaskClient) -> None:
    people = [entrant(stage, number) for number in range(2)]
    db.session.execute(
        text("UPDATE entry SET questions = (SELECT questions FROM entry ORDER BY participant_id LIMIT 1)")
    )
    db.session.commit()
    question = question_of(*people[0])
    first, _ = (appeal(browser, receipt, "question", question) for browser, receipt in people)
    data = {"verdict": "rejected", "answer": "Đáp án đúng.", "together": "yes"}
    organizer.post(f"/staff/appeals/{first}", data=data)
    assert set(db.session.scalars(select(Appeal.state))) == {"rejected"}


def test_an_excluded_entry_can_be_put_back(stage: Stage, organizer: FlaskClient) -> None:
    browser, receipt = entrant(stage)
    made = appeal(browser, receipt)
    assert "count_again" not in page(organizer, f"/staff/appeals/{made}")
    db.session.execute(text("UPDATE entry SET counted = false, excluded_reason = 'Dùng máy'"))
    db.session.commit()
    assert "count_again" in page(organizer, f"/staff/appeals/{made}")
    assert "Dùng máy" in page(organizer, f"/staff/appeals/{made}")
    data = {"verdict": "accepted", "answer": "Tính lại.", "count_again": "yes"}
    assert organizer.post(f"/staff/appeals/{made}", data=data).status_code == 303
    assert db.session.scalar(text("SELECT counted FROM counting_request"))
    assert db.session.scalars(select(Entry.counted)).all() == [False]  # until the worker has counted


def test_the_queue_s_filters_and_the_next_page(stage: Stage, organizer: FlaskClient) -> None:
    browser, receipt = entrant(stage)
    appeal(browser, receipt)
    entry = db.session.scalars(select(Entry)).one()
    for number in range(60):
        made = Appeal(
            round_id=entry.round_id, participant_id=entry.participant_id, issuer=0, attempt=100 + number, kind="result",
            text=WORDS, made_at=clock.now(), due_at=clock.now(),
        )  # fmt: skip
        db.session.add(made)
    db.session.commit()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(appeals, "entry_of", lambda *_: entry)
        seen: list[str] = []
        path: str | None = "/staff/appeals"
        while path:
            shown = page(organizer, path)
            seen += re.findall(r'href="/staff/appeals/(\d+)"', shown)
            following = re.search(r'href="(/staff/appeals\?[^"]*after=[^"]*)"', shown)
            path = following[1].replace("&amp;", "&") if following else None
    assert len(seen) == len(set(seen)) == 61
    assert "quá hạn" in page(organizer, "/staff/appeals")
    for query in ("state=accepted", "kind=award", "q=khong+co", "round=99", "question=zz"):
        assert '/staff/appeals/1"' not in page(organizer, f"/staff/appeals?{query}")
    page(organizer, "/staff/appeals?after=x-y&round=99999999999&template=9&state=1&kind=2")


def test_words_to_begin_with(stage: Stage, organizer: FlaskClient) -> None:
    browser, receipt = entrant(stage)
    made = appeal(browser, receipt)
    data = {"title": "Giữ nguyên", "body": "Kết quả giữ nguyên vì: ", "verdict": "rejected"}
    assert organizer.post("/staff/appeals/templates", data=data | {"body": ""}).status_code == 422
    assert organizer.post("/staff/appeals/templates", data=data).status_code == 303
    template = db.session.scalars(select(AppealTemplate.id)).one()
    assert ">Kết quả giữ nguyên vì:</textarea>" in page(organizer, f"/staff/appeals/{made}?template={template}")
    assert organizer.post(f"/staff/appeals/templates/{template}", data=data | {"title": "Khác"}).status_code == 303
    assert "Khác" in page(organizer, "/staff/appeals/templates")
    assert organizer.post(f"/staff/appeals/templates/{template}", data={"retire": "yes"}).status_code == 303
    assert "Chưa có mẫu nào" in page(organizer, "/staff/appeals/templates")
    assert organizer.post("/staff/appeals/templates/999", data=data).status_code == 404
