from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from quiz.errors import Refusal
from quiz.extensions import db
from quiz.models import Question, Round
from quiz.services import questions
from quiz.services.questions import OptionDraft, QuestionDraft
from tests import seasons
from tests.seasons import OPENS


@pytest.fixture
def session(app: Flask) -> Session:
    return db.session()


@pytest.fixture
def made(session: Session) -> Round:
    return seasons.draft_round(session, seasons.contest(session), bank=[])


def draft(
    text: str = "Hỏi?", options: tuple[tuple[str, bool], ...] = (("a", True), ("b", False)), **more: Any
) -> QuestionDraft:
    return QuestionDraft(text, tuple(OptionDraft(*option) for option in options), **more)


def test_questions_are_kept_as_they_were_written(session: Session, made: Round) -> None:
    both = draft(
        "  Chọn? ", (("một", True), (" hai ", False), ("ba", True)), source="Hiến pháp", topic="A", difficulty=5
    )
    assert questions.add_questions(session, made, [both, draft()], OPENS) == 2
    first, second = session.scalars(select(Question).order_by(Question.id))
    assert (first.text, first.source, first.topic, first.difficulty) == ("Chọn?", "Hiến pháp", "A", 5)
    assert first.multiple
    assert not second.multiple
    assert [(option.position, option.text, option.right) for option in first.options] == [
        (1, "một", True),
        (2, "hai", False),
        (3, "ba", True),
    ]
    assert (first.stem_id, first.version) == (first.id, 1)
    assert second.round_id == made.id


BAD = {
    "no text": (draft("  "), "text"),
    "one option": (draft(options=(("a", True),)), "options"),
    "too many options": (draft(options=tuple((str(n), n == 0) for n in range(17))), "options"),
    "nothing right": (draft(options=(("a", False), ("b", False))), "options"),
    "an empty option": (draft(options=(("a", True), (" ", False))), "options"),
    "two alike": (draft(options=(("Có  mặt", True), ("có mặt", False))), "options"),
    "difficulty": (draft(difficulty=6), "difficulty"),
    "there already": (draft("CÂU  có rồi?"), "text"),
}


@pytest.mark.parametrize(("bad", "field"), BAD.values(), ids=BAD.keys())
def test_a_bad_question_adds_none(session: Session, made: Round, bad: QuestionDraft, field: str) -> None:
    questions.add_questions(session, made, [draft("Câu có rồi?")], OPENS)
    with pytest.raises(Refusal) as refusal:
        questions.add_questions(session, made, [draft("Câu tốt?"), bad], OPENS)
    assert [error.field for error in refusal.value.errors] == [f"questions.2.{field}"]
    assert len(session.scalars(select(Question)).all()) == 1


def test_everything_that_is_wrong_is_named_at_once(session: Session, made: Round) -> None:
    with pytest.raises(Refusal) as refusal:
        questions.add_questions(session, made, [draft(), draft(" hỏi? "), draft("", (("a", False),))], OPENS)
    named = [error.field for error in refusal.value.errors]
    assert named == ["questions.1.text", "questions.2.text", "questions.3.text", *["questions.3.options"] * 2]


@pytest.mark.parametrize(
    "raw",
    [b"", b"[]", b"{", b"\xff", b'{"questions":[{"text":1,"options":[]}]}', b'{"questions":[{"text":"a"}]}',
     b'{"questions":[{"text":"a","options":[],"rihgt":1}]}'],
)  # fmt: skip
def test_a_file_that_is_none_is_refused(raw: bytes) -> None:
    with pytest.raises(Refusal) as refusal:
        questions.read_bank_file(raw)
    assert refusal.value.errors[0].field in ("file", "questions.1")


def test_the_same_text_with_other_options_is_another_question(session: Session, made: Round) -> None:
    text = "Phát biểu nào đúng?"
    pair = [draft(text, (("a", True), ("b", False))), draft(text, (("c", True), ("d", False)))]
    assert questions.add_questions(session, made, pair, OPENS) == 2


def test_lookalikes_are_told_and_not_refused(session: Session, made: Round) -> None:
    questions.add_questions(session, made, [draft("Ai là Chủ tịch Quốc hội khóa VI?")], OPENS)
    coming = [draft("Khác hẳn?"), draft("Chủ tịch Quốc hội khóa VI là ai?")]
    (found,) = questions.lookalikes(session, made, coming)
    assert (found.number, found.other, found.kind) == (2, "Ai là Chủ tịch Quốc hội khóa VI?", "near")
    assert questions.add_questions(session, made, coming, OPENS) == 2


def test_what_was_added_goes_out_as_it_came(session: Session, made: Round) -> None:
    coming = [
        draft("Hỏi?", explanation="Vì thế.", source="Sách", topic="A", tags=("x", "y"), multiple=True),
        draft("B?"),
    ]
    questions.add_questions(session, made, coming, OPENS)
    assert questions.drafts_of(session, made) == coming
