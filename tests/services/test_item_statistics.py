"""Figures of questions, against values worked out by hand."""

from __future__ import annotations

import pytest

from quiz.services.item_statistics import ENOUGH, Sheet, measure
from scoring.rules import QuestionKey

A, B, C = 1, 2, 4
RIGHT_IS_A = QuestionKey(frozenset({A}))
KEY = [RIGHT_IS_A] * 3
OPTIONS = [3, 3, 3]


def sheets(*answers: tuple[int, int, int]) -> list[Sheet]:
    return [((0, 1, 2), given) for given in answers]


def test_shares_and_what_was_chosen() -> None:
    first, second, _ = measure(OPTIONS, KEY, sheets((A, A, A), (A, B, B), (B, B, 0), (A, B, A)))
    assert (first.shown, first.right, first.chosen, first.idle) == (4, 0.75, [0.75, 0.25, 0.0], [2])
    assert (second.right, second.idle) == (0.25, [2])


def test_the_correlation_with_the_rest_of_the_sheet() -> None:
    # Question 0 right: 1, 1, 0, 0; share of the other two right: 1, 1/2, 1/2, 0.
    first = measure(OPTIONS, KEY, sheets((A, A, A), (A, A, B), (B, B, A), (B, B, B)))[0]
    # cov = (1 + 1/2)/4 - 1/2 * 1/2 = 1/8; sd = 1/2 and sqrt(1.5/4 - 1/4) = sqrt(1/8).
    assert first.discrimination == pytest.approx((1 / 8) / (1 / 2 * (1 / 8) ** 0.5))


def test_without_spread_there_is_no_correlation() -> None:
    assert [each.discrimination for each in measure(OPTIONS, KEY, sheets((A, A, A), (A, A, A)))] == [None] * 3
    ten = [RIGHT_IS_A] * 10
    same = [(tuple(range(10)), (A, *[A] * 3, *[B] * 6)), (tuple(range(10)), (B, *[A] * 3, *[B] * 6))] * 40
    assert measure([3] * 10, ten, same)[0].discrimination is None


def test_several_accepted_answers_and_a_void_question() -> None:
    key = [QuestionKey(frozenset({A, B})), QuestionKey(frozenset({A}), void=True), QuestionKey(frozenset({A | B}))]
    figures = measure(OPTIONS, key, sheets((B, C, A | B), (A, 0, A)))
    assert [each.right for each in figures] == [1.0, 1.0, 0.5]
    assert [each.idle for each in figures] == [[2], [1], [2]]


def test_what_is_weak_and_why() -> None:
    hard = sheets(*[(B, A, A), (C, A, B)] * ENOUGH)
    first, second, third = measure(OPTIONS, KEY, hard)
    assert first.weak == ["too_hard"]
    assert second.weak == ["too_easy", "idle_options"]
    assert third.weak == ["idle_options"]
    inverted = sheets(*[(A, B, B), (B, A, A)] * ENOUGH)
    assert "does_not_discriminate" in measure(OPTIONS, KEY, inverted)[0].weak


def test_few_answers_and_void_questions_are_not_called_weak() -> None:
    assert all(not each.weak for each in measure(OPTIONS, KEY, sheets(*[(B, B, B)] * (ENOUGH - 1))))
    void = [QuestionKey(frozenset({A}), void=True)] * 3
    assert all(not each.weak for each in measure(OPTIONS, void, sheets(*[(B, B, B)] * ENOUGH)))


def test_a_question_that_nobody_got() -> None:
    figures = measure(OPTIONS, KEY, [((0, 1), (A, B))])[2]
    assert (figures.shown, figures.right, figures.discrimination, figures.idle, figures.weak) == (0, None, None, [], [])
