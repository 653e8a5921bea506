"""500 Vietnamese questions out through the export page and back through the import page, in every format."""

from __future__ import annotations

import html
import io
import re
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask, g
from flask.testing import FlaskClient
from flask_babel import force_locale
from sqlalchemy import select
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from quiz import clock
from quiz.extensions import db
from quiz.models import Question, Round
from quiz.services import question_files, questions
from quiz.services.formats import FORMATS, Format
from quiz.services.formats.drafts import losses_between
from tests import seasons, staffing
from tests.formats.making import five_hundred

ROUNDS = "/staff/contests/cuoc-thi/rounds"
SAMPLES = Path(__file__).parent.parent / "formats" / "samples"


@pytest.fixture
def rounds(app: Flask) -> tuple[Round, Round]:
    """One with the 500 questions and one without any, both to come."""
    contest = seasons.contest(db.session())
    full, empty = (
        seasons.draft_round(db.session(), contest, number, bank=bank) for number, bank in ((1, five_hundred()), (2, []))
    )
    for made in (full, empty):
        made.opens_at, made.closes_at = (at + timedelta(days=3_650) for at in (made.opens_at, made.closes_at))
    db.session.commit()
    return full, empty


@pytest.fixture
def organizer(app: Flask, rounds: tuple[Round, Round]) -> FlaskClient:
    staffing.make("organizer")
    g.pop("_login_user", None)
    browser = app.test_client()
    staffing.enter(browser)
    return browser


def import_file(browser: FlaskClient, number: int, name: str, content: bytes) -> None:
    """Choose the file, look at what was read, say yes."""
    # Not the client's own encoding: of a large file it leaves a temporary one open.
    boundary, body = encode_multipart({"file": FileStorage(io.BytesIO(content), name)})
    sent = f"multipart/form-data; boundary={boundary}"
    read = browser.post(f"{ROUNDS}/{number}/questions/import", data=body, content_type=sent)
    page = read.get_data(as_text=True)
    assert read.status_code == 200, page
    token = re.search(r'name="token" value="([^"]+)"', page)
    assert token
    added = browser.post(f"{ROUNDS}/{number}/questions/add", data={"token": token[1]})
    assert added.status_code == 303, added.get_data(as_text=True)
    db.session.rollback()


def listed(browser: FlaskClient, form: Format) -> list[str]:
    """What the export page says that this format can't hold."""
    page = browser.get(f"{ROUNDS}/1/questions/export").get_data(as_text=True)
    row = page[page.index(f'<tr><th scope="row">{form.title}</th>') :].partition("</tr>")[0]
    return [html.unescape(line) for line in re.findall(r"<li>(.*?)</li>", row)]


@pytest.mark.parametrize("form", FORMATS.values(), ids=FORMATS.keys())
def test_nothing_changes_that_the_format_can_hold_and_the_rest_was_listed(
    organizer: FlaskClient, rounds: tuple[Round, Round], form: Format
) -> None:
    full, empty = rounds
    before = questions.drafts_of(db.session(), full)
    assert before == five_hundred()
    said = listed(organizer, form)
    file = organizer.get(f"{ROUNDS}/1/questions/export/{form.name}").get_data()
    import_file(organizer, 2, f"câu hỏi{form.extension}", file)
    back = iter(questions.drafts_of(db.session(), empty))
    after = [None if form.held(draft) is None else next(back) for draft in before]
    assert next(back, None) is None
    with force_locale("vi"):
        really = [question_files.loss(lost) for lost in losses_between(before, after)]
    assert said == really
    # Of those that came, all is there but what was listed; the right options in every case.
    assert [draft.rights for draft, kept in zip(before, after, strict=True) if kept] == [k.rights for k in after if k]


def test_the_page_of_each_format_is_not_all_losses(organizer: FlaskClient) -> None:
    """The comparison above sees something: five of the formats lose nothing or little, Aiken much."""
    assert [listed(organizer, FORMATS[name]) for name in ("xlsx", "csv", "docx", "json", "qti")] == [[]] * 5
    assert [len(listed(organizer, FORMATS[name])) for name in ("moodle", "gift", "aiken")] == [2, 2, 9]


def test_a_file_exported_by_moodle_comes_in_whole(organizer: FlaskClient, rounds: tuple[Round, Round]) -> None:
    file = (SAMPLES / "moodle_export.xml").read_bytes()
    import_file(organizer, 2, "questions-Quốc hội-20251121.xml", file)
    assert questions.drafts_of(db.session(), rounds[1]) == FORMATS["moodle"].read(file)
    asked = db.session.scalars(select(Question).where(Question.round_id == rounds[1].id).order_by(Question.id)).all()
    assert [question.text.partition("\n")[0] for question in asked] == [
        "Cuộc Tổng tuyển cử đầu tiên diễn ra ngày nào?",
        "Những văn bản nào do Quốc hội khóa I thông qua?",
        "Hơn 89% cử tri cả nước đi bỏ phiếu¹.",
    ]
    assert {question.created_by for question in asked} == {1}
    assert all(clock.now() >= question.created_at for question in asked)


def test_a_gift_file_exported_by_moodle_comes_in_whole(organizer: FlaskClient, rounds: tuple[Round, Round]) -> None:
    file = (SAMPLES / "from_moodle.gift").read_bytes()
    import_file(organizer, 2, "questions.gift.txt", file)
    assert questions.drafts_of(db.session(), rounds[1]) == FORMATS["gift"].read(file)
