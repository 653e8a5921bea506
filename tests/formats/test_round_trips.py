"""Out and back: nothing changes that the format can hold, and what it can't is known before."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quiz.services.formats import FORMATS, Format, Loss, QuestionDraft, detect
from quiz.services.formats.drafts import FIELDS, faults_of
from tests.formats.making import DRAFTS, five_hundred, real

EVERY = pytest.mark.parametrize("form", FORMATS.values(), ids=FORMATS.keys())
WHOLE = ("xlsx", "csv", "docx", "json")
"""These hold all of every question."""


@pytest.fixture(scope="module")
def questions() -> list[QuestionDraft]:
    return five_hundred()


def test_the_five_hundred_are_what_they_should_be(questions: list[QuestionDraft]) -> None:
    assert len(questions) == 500
    assert not [fault for question in questions for fault in faults_of(question)]
    everything = "\n".join(question.text for question in questions)
    assert set("=~#{}:\\%\"'<>&,;") <= set(everything)
    assert not unicodedata.is_normalized("NFC", everything)
    assert not unicodedata.is_normalized("NFD", everything)
    assert any(question.multiple and len(question.rights) == 1 for question in questions)


@EVERY
def test_five_hundred_questions_come_back_as_they_went(form: Format, questions: list[QuestionDraft]) -> None:
    back = form.read(form.write(questions))
    assert back == [held for question in questions if (held := form.held(question)) is not None]


@EVERY
def test_what_comes_back_differs_only_in_what_was_listed(form: Format, questions: list[QuestionDraft]) -> None:
    losses = form.losses(questions)
    kept = [question for question in questions if form.held(question) is not None]
    back = form.read(form.write(questions))
    gone = next((loss.count for loss in losses if loss.name == "question"), 0)
    assert len(back) == len(questions) - gone
    for name in FIELDS:
        differing = sum(getattr(a, name) != getattr(b, name) for a, b in zip(kept, back, strict=True))
        assert differing == sum(loss.count for loss in losses if loss.name == name), name


@EVERY
def test_the_name_alone_is_not_needed_to_know_a_file(form: Format) -> None:
    assert detect("tệp", form.write(real()[:3])) == form.name
    assert detect(f"tệp{form.extension}", form.write(real()[:3])) == form.name


@EVERY
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(drafts=st.lists(DRAFTS, min_size=1, max_size=3))
def test_any_question_comes_back(form: Format, drafts: list[QuestionDraft]) -> None:
    held = [kept for draft in drafts if (kept := form.held(draft)) is not None]
    if held:
        assert form.read(form.write(drafts)) == held


@settings(max_examples=200, deadline=None)
@given(draft=DRAFTS)
def test_losses_are_the_difference(draft: QuestionDraft) -> None:
    for form in FORMATS.values():
        held = form.held(draft)
        names = {loss.name for loss in form.losses([draft])}
        differing = {"question"} if held is None else {n for n in FIELDS if getattr(held, n) != getattr(draft, n)}
        assert names == differing
        assert held is None or form.held(held) == held


@pytest.mark.parametrize("name", WHOLE)
def test_some_formats_hold_everything(name: str, questions: list[QuestionDraft]) -> None:
    assert FORMATS[name].losses(questions) == []


def test_aiken_says_what_it_can_not_hold(questions: list[QuestionDraft]) -> None:
    listed = {loss.name: loss for loss in FORMATS["aiken"].losses(questions)}
    assert set(listed) == {
        "question", "text", "options", "multiple", "explanation", "source", "topic", "difficulty", "tags"
    }  # fmt: skip
    several = sum(len(question.rights) > 1 for question in questions)
    assert listed["question"].count > several
    assert listed["text"].changed
    assert not listed["explanation"].changed


def test_a_loss_names_the_first_question_it_touches() -> None:
    first, second = real()[:2]
    question = QuestionDraft("Một?", first.options)
    assert FORMATS["gift"].losses([question, second]) == [Loss("source", 1, changed=False, first=2)] + [
        Loss("difficulty", 1, changed=False, first=2) for _ in range(second.difficulty != 2)
    ]


def test_moodle_and_gift_lose_only_source_and_difficulty(questions: list[QuestionDraft]) -> None:
    for name in ("moodle", "gift"):
        assert {loss.name for loss in FORMATS[name].losses(questions)} == {"source", "difficulty"}


def test_qti_changes_only_runs_of_spaces() -> None:
    spaced = QuestionDraft("a  b\tc", real()[0].options)
    assert [(loss.name, loss.changed) for loss in FORMATS["qti"].losses([spaced])] == [("text", True)]
    assert FORMATS["qti"].losses(five_hundred()) == []


@EVERY
def test_the_same_questions_give_the_same_text(form: Format) -> None:
    if form.name not in ("xlsx", "docx"):  # these carry the moment they were made
        assert form.write(real()[:9]) == form.write(real()[:9])
