"""The demo's question bank, file by file: what can be checked of it without knowing history."""

import re
from collections import Counter
from importlib import resources
from itertools import combinations

import pytest

from quiz.services.formats.bank import Bank
from quiz.services.questions import QuestionDraft, read_bank_file

ROUNDS = range(1, 24)
OPEN_ROUND = 12
COMMON = {"quốc hội"}
"""Right of a question and in the name of nearly everything else."""


def bank(number: int) -> Bank:
    return read_bank_file((resources.files("quiz") / "data" / "bank" / f"{number:02}.json").read_bytes())


BANKS = {number: bank(number) for number in ROUNDS}
QUESTIONS = [(number, question) for number, made in BANKS.items() for question in made.questions]


def plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


def right(question: QuestionDraft) -> str:
    return next(option.text for option in question.options if option.right)


@pytest.mark.parametrize("number", ROUNDS)
def test_a_round_has_its_theme_and_enough_questions(number: int) -> None:
    made = BANKS[number]
    assert made.round == number
    assert made.theme
    assert made.theme.strip() == made.theme
    assert len(made.questions) >= (20 if number == OPEN_ROUND else 10)


@pytest.mark.parametrize("number", ROUNDS)
def test_every_question_is_complete(number: int) -> None:
    for question in BANKS[number].questions:
        assert question.text.strip().endswith("?"), question.text
        assert len({plain(option.text) for option in question.options}) == 4, question.text
        assert [option.right for option in question.options].count(True) == 1, question.text
        assert not question.multiple
        assert question.explanation, question.text
        assert question.source, question.text
        assert question.topic, question.text
        assert question.difficulty in (1, 2, 3), question.text


@pytest.mark.parametrize("number", ROUNDS)
def test_the_right_option_stands_in_every_place(number: int) -> None:
    places = Counter(
        place for question in BANKS[number].questions for place, option in enumerate(question.options) if option.right
    )
    assert set(places) == {0, 1, 2, 3}
    assert max(places.values()) <= 0.35 * len(BANKS[number].questions)


def test_the_right_option_is_not_the_longest_more_often_than_chance() -> None:
    longest = sum(
        all(len(right(question)) > len(option.text) for option in question.options if not option.right)
        for _, question in QUESTIONS
    )
    assert longest <= 0.25 * len(QUESTIONS)


def test_no_two_questions_are_the_same() -> None:
    assert len({made.theme for made in BANKS.values()}) == len(BANKS)
    texts = Counter(plain(question.text) for _, question in QUESTIONS)
    assert [text for text, times in texts.items() if times > 1] == []


def test_no_two_questions_ask_for_the_same_with_other_words() -> None:
    """Nearly the same words and the same answer: one of them is one too many."""
    alike = []
    for (_, first), (_, second) in combinations(QUESTIONS, 2):
        if plain(right(first)) == plain(right(second)):
            words, others = set(plain(first.text).split()), set(plain(second.text).split())
            if len(words & others) > 0.75 * len(words | others):
                alike.append((first.text, second.text))
    assert alike == []


def test_neither_the_question_nor_its_theme_says_the_answer() -> None:
    told = []
    for number, question in QUESTIONS:
        answer = plain(right(question))
        shown = f"{plain(BANKS[number].theme or '')} / {plain(question.text)}"
        if answer not in COMMON and len(answer) > 3 and re.search(rf"\b{re.escape(answer)}\b", shown):
            told.append((question.text, right(question)))
    assert told == []
