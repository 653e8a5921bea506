"""The rules document and the score of a sheet; the worked numbers are those of docs/rules.md."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.rules import (
    RANKING_KEYS,
    DrawPart,
    InvalidRules,
    Late,
    Prediction,
    QuestionKey,
    Release,
    Rules,
    key_from,
    rules_document,
    rules_from,
    score,
)
from tests.making import rules

PAGE_FILE = Path(__file__).resolve().parents[2] / "docs" / "rules.md"
PAGE = PAGE_FILE.read_text(encoding="utf-8")


def table(heading: str) -> list[list[str]]:
    """The rows of the tested table under a heading of the page."""
    section = PAGE.split(f"## {heading}\n", 1)[1].split("\n## ")[0].split("*Tested.*", 1)[1]
    rows = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[2:]]


# The document


def test_the_defaults_are_the_contests_rules() -> None:
    assert rules_from({}) == Rules()
    assert (Rules().questions, Rules().cap, Rules().seconds) == (10, 7, 600)


@pytest.mark.parametrize(
    "made",
    [
        Rules(),
        rules(cap=None, which="last", ranking=("correct", "lot")),
        rules(draw=(DrawPart(6, "Hiến pháp", 2), DrawPart(4)), prediction=Prediction("participants", "Bao nhiêu?")),
        rules(late=Late(10, "participation"), release=Release("at_once", "never"), min_age=14, max_age=30),
    ],
)
def test_a_document_comes_back(made: Rules) -> None:
    assert rules_from(rules_document(made)) == made


def test_the_page_names_every_field() -> None:
    document = PAGE.split("## The document\n")[1].split("\n## ")[0]
    assert [name for name in Rules.__dataclass_fields__ if f"`{name}`" not in document] == []
    assert [name for name in RANKING_KEYS if f"`{name}`" not in document] == []


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"question": 10}, "question"),
    ({"questions": 0}, "questions"),
    ({"questions": 201}, "questions"),
    ({"questions": "10"}, "questions"),
    ({"questions": 10.0}, "questions"),
    ({"questions": True}, "questions"),
    ({"questions": None}, "questions"),
    ({"cap": 0}, "cap"),
    ({"cap": 1_001}, "cap"),
    ({"seconds": 9}, "seconds"),
    ({"grace_seconds": -1}, "grace_seconds"),
    ({"which": "worst"}, "which"),
    ({"which": None}, "which"),
    ({"ranking": []}, "ranking"),
    ({"ranking": ["score", "score"]}, "ranking"),
    ({"ranking": ["luck"]}, "ranking"),
    ({"ranking": [["score"]]}, "ranking"),
    ({"ranking": "score"}, "ranking"),
    ({"ranking": None}, "ranking"),
    ({"points": 0}, "points"),
    ({"complete_only": 1}, "complete_only"),
    ({"prediction": "how many?"}, "prediction"),
    ({"prediction": {"kind": "all_correct"}}, "prediction"),
    ({"prediction": {"kind": "weather", "text": "?"}}, "prediction.kind"),
    ({"prediction": {"kind": "participants", "text": " "}}, "prediction.text"),
    ({"prediction": {"kind": "participants", "text": 5}}, "prediction.text"),
    ({"prediction": {"kind": "participants", "text": "?", "min": 9, "max": 8}}, "prediction.max"),
    ({"prediction": {"kind": "participants", "text": "?", "unit": 1}}, "prediction.unit"),
    ({"late": None}, "late"),
    ({"late": {"accept_minutes": 1_441}}, "late.accept_minutes"),
    ({"late": {"counts": "yes"}}, "late.counts"),
    ({"release": {"score": "never"}}, "release.score"),
    ({"release": {"key": "at_once"}}, "release.key"),
    ({"draw": {"count": 10}}, "draw"),
    ({"draw": [10]}, "draw"),
    ({"draw": [{}]}, "draw"),
    ({"draw": [{"count": 9}]}, "draw"),
    ({"draw": [{"count": 11}, {"count": -1}]}, "draw.count"),
    ({"draw": [{"count": 10, "topic": ""}]}, "draw.topic"),
    ({"draw": [{"count": 10, "difficulty": 6}]}, "draw.difficulty"),
    ({"min_age": 0}, "min_age"),
    ({"max_age": "30"}, "max_age"),
    ({"min_age": 30, "max_age": 14}, "max_age"),
]


@pytest.mark.parametrize(("document", "field"), REFUSED)
def test_a_wrong_field_is_refused_by_name(document: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidRules) as refused:
        rules_from(document)
    assert refused.value.field == field


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from([*Rules.__dataclass_fields__]), json, max_size=4))
def test_any_document_is_rules_or_refused(document: dict[str, Any]) -> None:
    """An organizer's form, an import and an old row meet this function; it answers in one way."""
    try:
        rules_from(document)
    except InvalidRules:
        return


# The score


def mask(options: str) -> int:
    return 0 if options == "-" else sum(1 << "abcd".index(option) for option in options)


def key(text: str) -> QuestionKey:
    if text == "*":
        return QuestionKey(frozenset(), void=True)
    return QuestionKey(frozenset(mask(options) for options in text.split("/")))


def rules_of(text: str) -> Rules:
    name, _, value = text.partition("=")
    return rules(**{name: int(value) if value else True}) if name else Rules()


@pytest.mark.parametrize("row", table("The score of a sheet"), ids=" | ".join)
def test_the_worked_numbers_of_the_page(row: list[str]) -> None:
    keys, sheet, which_rules, right, points = row
    answers = [mask(options) for options in sheet.split()]
    bank = [key(item) for item in keys.split()]
    assert score(rules_of(which_rules), bank, range(4), answers) == (int(points), int(right))


def test_a_paper_names_places_of_the_bank_in_any_order() -> None:
    bank = [key(item) for item in ["a", "b", "c", "d"]]
    assert score(Rules(), bank, [3, 1], [mask("d"), mask("b")]) == (2, 2)
    assert score(Rules(), bank, [3, 1], [mask("b"), mask("d")]) == (0, 0)


def test_a_paper_of_another_bank_is_no_score() -> None:
    with pytest.raises(IndexError):
        score(Rules(), [key("a")], [1], [1])
    with pytest.raises(ValueError, match="zip"):
        score(Rules(), [key("a")], [0], [1, 1])


def test_a_stored_key_comes_back() -> None:
    assert key_from([{"accept": [1, 2], "void": False}, {"accept": [], "void": True}, {"accept": [4]}]) == [
        QuestionKey(frozenset({1, 2})),
        QuestionKey(frozenset(), void=True),
        QuestionKey(frozenset({4})),
    ]


masks = st.integers(0, 15)


@given(st.lists(st.tuples(masks, masks, st.booleans()), min_size=1, max_size=30), st.integers(1, 1_000))
def test_a_score_is_the_points_of_the_right_ones(sheet: list[tuple[int, int, bool]], points: int) -> None:
    bank = [QuestionKey(frozenset({right}), void) for right, _, void in sheet]
    chosen = [answer for _, answer, _ in sheet]
    correct = sum(void or right == answer for right, answer, void in sheet)
    assert score(rules(points=points), bank, range(len(sheet)), chosen) == (correct * points, correct)
