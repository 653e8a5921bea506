"""Questions written on a page, and many of them reviewed, sorted or retired in one act; what the draw still lacks."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from quiz import clock
from quiz.extensions import db
from quiz.models import AuditEvent, Question, Round
from quiz.services.season.banks import newest_questions
from tests import seasons
from tests.organizer.test_questions import AUTHOR, REVIEWER, page, signed_in

BASE = "/staff/contests/cuoc-thi/rounds/1/questions"
NEW = {
    "text": "Quốc hội khóa I có bao nhiêu đại biểu?",
    "option-0": "333",
    "option-1": "403",
    "option-2": "",
    "option-3": "70",
    "right-1": "on",
    "lines": "4",
    "topic": "Khóa I",
    "difficulty": "3",
    "tags": "đại biểu; 1946",
    "explanation": "333 người được bầu và 70 người được mời.",
    "source": "Lịch sử Quốc hội",
}


@pytest.fixture
def made(app: Flask) -> Round:
    """Six questions by nobody; papers take 2 of difficulty 1, 2 even ones and 1 of the rest."""
    rules = {"questions": 5, "draw": [{"count": 2, "difficulty": 1}, {"count": 2, "topic": "chẵn"}, {"count": 1}]}
    held = seasons.draft_round(db.session(), seasons.contest(db.session()), bank=seasons.drafts(6), rules=rules)
    held.opens_at, held.closes_at = clock.now() + timedelta(days=1), clock.now() + timedelta(days=8)
    db.session.commit()
    return held


@pytest.fixture
def author(app: Flask, made: Round) -> FlaskClient:
    return signed_in(app, AUTHOR, "Lê Hoàng Nam")


@pytest.fixture
def reviewer(app: Flask, author: FlaskClient) -> FlaskClient:
    return signed_in(app, REVIEWER, "Trần Thị Mai")


def bank() -> list[Question]:
    db.session.rollback()
    return list(newest_questions(db.session(), db.session.scalars(select(Round.id)).one()))


def acts() -> list[str]:
    return list(db.session.scalars(select(AuditEvent.action).order_by(AuditEvent.id)))


def numbers(*places: int) -> list[str]:
    return [str(bank()[place].id) for place in places]


# One new question


def test_a_question_is_written_on_a_page(author: FlaskClient) -> None:
    answer = author.post(f"{BASE}/new", data=NEW)
    assert answer.status_code == 303
    made = bank()[-1]
    assert answer.headers["Location"] == f"/staff/questions/{made.id}"
    assert [(option.text, option.right) for option in made.options] == [("333", False), ("403", True), ("70", False)]
    assert (made.topic, made.difficulty, made.tags) == ("Khóa I", 3, ["đại biểu", "1946"])
    assert (made.explanation, made.source) == (NEW["explanation"], NEW["source"])
    assert (made.multiple, made.reviewed_at, made.created_by) == (False, None, 1)
    assert acts()[-1] == "question.written"


def test_several_right_options_are_a_question_of_several(author: FlaskClient) -> None:
    author.post(f"{BASE}/new", data=NEW | {"right-0": "on"})
    assert bank()[-1].multiple
    author.post(f"{BASE}/new", data=NEW | {"text": "Khác?", "multiple": "on"})
    assert bank()[-1].multiple


def test_the_next_one_begins_where_the_last_one_stood(author: FlaskClient) -> None:
    answer = author.post(f"{BASE}/new", data=NEW | {"again": "1"})
    form = page(author, answer.headers["Location"])
    assert 'name="topic" type="text" value="Khóa I"' in form
    assert 'name="difficulty" type="number" value="3"' in form
    assert "333" not in form


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        ({"text": " "}, "text"),
        ({"option-1": "333"}, "options"),
        ({"option-0": "", "option-3": ""}, "options"),
        ({"difficulty": "9"}, "difficulty"),
        ({"difficulty": "x"}, "difficulty"),
        ({"text": "Câu hỏi 1?", **{f"option-{place}": f"Phương án 1.{place}" for place in range(4)}}, "text"),
    ],
)
def test_what_is_no_question_is_said_and_stays_typed(author: FlaskClient, wrong: dict[str, str], where: str) -> None:
    answer = author.post(f"{BASE}/new", data=NEW | wrong)
    said = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert f'href="#{where}"' in said
    assert NEW["explanation"] in said
    assert len(bank()) == 6


def lines(answer: str) -> list[tuple[str, bool]]:
    """(text, whether it is ticked as right) of each line for an option."""
    texts = re.findall(r'name="option-\d+"[^>]* value="([^"]*)"', answer)
    ticks = re.findall(r'name="right-\d+"[^>]*?( checked)?>', answer)
    return list(zip(texts, map(bool, ticks), strict=True))


def test_lines_for_options_come_and_go_without_javascript(author: FlaskClient) -> None:
    assert len(lines(page(author, f"{BASE}/new"))) == 4
    more = author.post(f"{BASE}/new", data=NEW | {"more": "1"})
    assert more.status_code == 200
    assert lines(more.get_data(as_text=True)) == [
        ("333", False), ("403", True), ("", False), ("70", False), ("", False)
    ]  # fmt: skip
    fewer = author.post(f"{BASE}/new", data=NEW | {"drop": "0"})
    assert lines(fewer.get_data(as_text=True)) == [("403", True), ("", False), ("70", False)]
    assert len(bank()) == 6


def test_lines_come_and_go_in_an_edit_too(author: FlaskClient) -> None:
    old = bank()[0]
    answer = author.post(f"/staff/questions/{old.id}", data=NEW | {"drop": "3"})
    assert lines(answer.get_data(as_text=True)) == [("333", False), ("403", True), ("", False)]
    assert bank()[0].version == 1


def test_there_are_never_fewer_than_two_lines_nor_more_than_an_answer_has_bits(author: FlaskClient) -> None:
    two = {name: value for name, value in NEW.items() if name not in {"option-2", "option-3"}} | {"lines": "2"}
    assert len(lines(author.post(f"{BASE}/new", data=two | {"drop": "0"}).get_data(as_text=True))) == 2
    assert len(lines(author.post(f"{BASE}/new", data=NEW | {"lines": "999", "more": "1"}).get_data(as_text=True))) == 16


# Many


def test_many_are_reviewed_in_one_act_but_nobody_s_own(author: FlaskClient, reviewer: FlaskClient) -> None:
    author.post(f"{BASE}/new", data=NEW)
    own = author.post(BASE, data={"act": "review", "question": numbers(0, 1, 6)})
    assert own.status_code == 303
    assert [bool(each.reviewed_at) for each in bank()] == [True, True, False, False, False, False, False]
    assert reviewer.post(BASE, data={"act": "review", "everything": "on"}).status_code == 303
    assert [each.reviewed_by for each in bank()] == [1, 1, 2, 2, 2, 2, 2]
    assert acts().count("question.reviewed") == 7


def test_everything_means_what_the_filters_find(author: FlaskClient) -> None:
    author.post(BASE, data={"act": "review", "everything": "on", "topic": "chẵn", "difficulty": "1"})
    assert [(each.topic, each.difficulty) for each in bank() if each.reviewed_at] == [("chẵn", 1)]


def test_topic_difficulty_and_tags_are_written_on_many_and_reviews_hold(author: FlaskClient) -> None:
    author.post(BASE, data={"act": "review", "everything": "on"})
    form = {"act": "sort", "question": numbers(0, 2), "topic-to": "Hiến pháp", "add-tags": "mới; ôn tập", "q": "câu"}
    answer = author.post(BASE, data=form)
    assert answer.headers["Location"].endswith("?q=c%C3%A2u")
    assert [(each.topic, each.tags) for each in bank()[:3]] == [
        ("Hiến pháp", ["mới", "ôn tập"]),
        ("chẵn", []),
        ("Hiến pháp", ["mới", "ôn tập"]),
    ]
    assert all(each.version == 1 and each.reviewed_at for each in bank())
    author.post(BASE, data={"act": "sort", "everything": "on", "drop-tags": "MỚI", "difficulty-to": "5"})
    assert [each.tags for each in bank()[:2]] == [["ôn tập"], []]
    assert {each.difficulty for each in bank()} == {5}
    trace = db.session.scalars(select(AuditEvent).where(AuditEvent.action == "questions.sorted")).first()
    assert trace is not None
    assert [each["topic"] for each in trace.detail["before"]] == ["lẻ", "lẻ"]


def test_many_are_retired_only_with_a_reason_and_the_number_of_the_round(author: FlaskClient) -> None:
    form = {"act": "retire", "question": numbers(0, 1)}
    asked = author.post(BASE, data=form)
    assert asked.status_code == 200
    assert "Câu hỏi 1?" in asked.get_data(as_text=True)
    assert author.post(BASE, data=form | {"typed": "1", "reason": " "}).status_code == 422
    assert author.post(BASE, data=form | {"typed": "2", "reason": "cũ"}).status_code == 422
    assert len(bank()) == 6
    assert author.post(BASE, data=form | {"typed": "1", "reason": "cũ"}).status_code == 303
    assert [each.text for each in bank()] == [f"Câu hỏi {number}?" for number in (3, 4, 5, 6)]
    assert acts().count("question.retired") == 2


@pytest.mark.parametrize(
    "form",
    [
        {"act": "review"},
        {"act": "review", "question": ["1", "999"]},
        {"act": "review", "question": ["x"]},
        {"act": "sort", "everything": "on"},
        {"act": "sort", "everything": "on", "difficulty-to": "7"},
        {"act": "sort", "everything": "on", "topic-to": "x" * 500},
        {"act": "retire"},
    ],
)
def test_an_act_that_makes_no_sense_changes_nothing(author: FlaskClient, form: dict[str, str]) -> None:
    before = [(each.id, each.topic, each.difficulty, each.reviewed_at) for each in bank()]
    assert author.post(BASE, data=form).status_code == 422
    assert [(each.id, each.topic, each.difficulty, each.reviewed_at) for each in bank()] == before


def test_what_was_edited_meanwhile_is_not_reviewed_unseen(author: FlaskClient, reviewer: FlaskClient) -> None:
    ticked = numbers(0, 1)
    author.post(f"/staff/questions/{ticked[0]}", data=NEW)
    assert reviewer.post(BASE, data={"act": "review", "question": ticked}).status_code == 422
    assert not any(each.reviewed_at for each in bank())


def test_an_unknown_act_is_not_found(author: FlaskClient) -> None:
    assert author.post(BASE, data={"act": "burn", "everything": "on"}).status_code == 404


# The draw


def parts(browser: FlaskClient) -> list[str]:
    said = page(browser, BASE)
    section = said[said.index('id="parts"') :].partition("</section>")[0]
    return [
        " ".join(re.sub(r"<[^>]+>", " ", line).split()) for line in re.findall(r"<li>(.*?)</li>", section, re.DOTALL)
    ]


def test_the_bank_says_which_part_of_the_draw_it_can_t_fill_yet(author: FlaskClient) -> None:
    # Questions 3 and 6 have difficulty 1; 2 and 4 are even besides; 1 and 5 are the rest.
    first, second, third = parts(author)
    assert first.startswith("còn 2 câu chờ thẩm định 2 câu độ khó 1")
    assert second.startswith("còn 2 câu chờ thẩm định 2 câu về chẵn")
    assert third.startswith("còn 1 câu chờ thẩm định 1 câu trong số còn lại")
    author.post(BASE, data={"act": "review", "question": numbers(0, 1, 2, 4, 5)})
    first, second, third = parts(author)
    assert first.startswith("đủ 2 câu")
    assert second.startswith("còn 1 câu chờ thẩm định")
    assert "2 trên 2 câu đã thẩm định" in third
    assert "2 lượt thi" in third
    author.post(BASE, data={"act": "retire", "question": numbers(1), "typed": "1", "reason": "cũ"})
    assert parts(author)[1].startswith("thiếu 1 câu")
    assert f'href="{BASE}/new?topic=ch%E1%BA%B5n"' in page(author, BASE)
