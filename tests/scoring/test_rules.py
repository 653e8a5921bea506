"""The rules document and the score of a sheet; the worked numbers are those of docs/rules.md."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.rules import (
    RANKING_KEYS,
    Bracket,
    DrawPart,
    InvalidRules,
    Late,
    Person,
    Prediction,
    Prize,
    PrizeCaps,
    QuestionKey,
    Release,
    Rules,
    bracket_of,
    key_from,
    not_eligible,
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
        rules(fixed=True, seconds=300, seconds_per_question=30, barred_kinds=("committee", "soldier")),
        rules(
            eligible_kinds=("pupil", "student"),
            eligible_units=("79",),
            brackets=(Bracket("trong", "Trong tỉnh", units=("79",)), Bracket("ngoai", "Ngoài", ("79",), outside=True)),
            prizes=(
                Prize("nhat", "Giải Nhất", "individual", 1, 5_000_000, bracket="trong"),
                Prize("tap-the", "Tập thể", "collective", 10, by="member_share", level="commune", min_participants=50),
                Prize("lan-toa", "Lan tỏa", "spreading", 10, 1_000_000),
            ),
            prize_caps=PrizeCaps(person_round=1, unit_season=20),
        ),
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
    ({"prediction": {"kind": "all_correct"}}, "prediction.text"),
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
    ({"draw": [{}]}, "draw.count"),
    ({"draw": [{"count": 9}]}, "draw"),
    ({"draw": [{"count": 11}, {"count": -1}]}, "draw.count"),
    ({"draw": [{"count": 10, "topic": ""}]}, "draw.topic"),
    ({"draw": [{"count": 10, "difficulty": 6}]}, "draw.difficulty"),
    ({"min_age": 0}, "min_age"),
    ({"max_age": "30"}, "max_age"),
    ({"min_age": 30, "max_age": 14}, "max_age"),
    ({"fixed": "yes"}, "fixed"),
    ({"fixed": True, "draw": [{"count": 10}]}, "draw"),
    ({"seconds_per_question": 9}, "seconds_per_question"),
    ({"seconds_per_question": 301}, "seconds_per_question"),
    ({"seconds_per_question": 30, "seconds": 600}, "seconds"),
    ({"eligible_kinds": "student"}, "eligible_kinds"),
    ({"eligible_kinds": ["committee"]}, "eligible_kinds"),
    ({"eligible_kinds": ["pupil", "pupil"]}, "eligible_kinds"),
    ({"eligible_units": ["79", "79"]}, "eligible_units"),
    ({"eligible_units": [79]}, "eligible_units"),
    ({"eligible_units": ["hà nội"]}, "eligible_units"),
    ({"barred_kinds": ["guest"]}, "barred_kinds"),
    ({"barred_kinds": ["pupil"], "eligible_kinds": ["pupil"]}, "barred_kinds"),
    ({"brackets": {}}, "brackets"),
    ({"brackets": [{"name": "A"}]}, "brackets.key"),
    ({"brackets": [{"key": "A", "name": "A"}]}, "brackets.key"),
    ({"brackets": [{"key": "a", "name": ""}]}, "brackets.name"),
    ({"brackets": [{"key": "a", "name": "A", "units": "79"}]}, "brackets.units"),
    ({"brackets": [{"key": "a", "name": "A", "outside": 1}]}, "brackets.outside"),
    ({"brackets": [{"key": "a", "name": "A", "outside": True}]}, "brackets.outside"),
    ({"brackets": [{"key": "a", "name": "A", "kinds": ["committee"]}]}, "brackets.kinds"),
    ({"brackets": [{"key": "a", "name": "A", "min_age": 0}]}, "brackets.min_age"),
    ({"brackets": [{"key": "a", "name": "A", "min_age": 30, "max_age": 20}]}, "brackets.max_age"),
    ({"brackets": [{"key": "a", "name": "A"}, {"key": "a", "name": "B"}]}, "brackets.key"),
    ({"prizes": [{"key": "nhat", "name": "Nhất"}]}, "prizes.kind"),
    ({"prizes": [{"key": "nhat", "name": "Nhất", "kind": "lucky"}]}, "prizes.kind"),
    ({"prizes": [{"key": "nhat", "name": "Nhất", "kind": "individual", "count": 0}]}, "prizes.count"),
    ({"prizes": [{"key": "nhat", "name": "Nhất", "kind": "individual", "value": -1}]}, "prizes.value"),
    ({"prizes": [{"key": "nhat", "name": "Nhất", "kind": "individual", "bracket": "b"}]}, "prizes.bracket"),
    ({"prizes": [{"key": "nhat", "name": "Nhất", "kind": "individual", "by": "participants"}]}, "prizes.by"),
    (
        {"prizes": [{"key": "nhat", "name": "Nhất", "kind": "spreading", "min_participants": 5}]},
        "prizes.min_participants",
    ),
    ({"prizes": [{"key": "tt", "name": "Tập thể", "kind": "collective", "level": "commune"}]}, "prizes.by"),
    ({"prizes": [{"key": "tt", "name": "Tập thể", "kind": "collective", "by": "size"}]}, "prizes.by"),
    ({"prizes": [{"key": "tt", "name": "Tập thể", "kind": "collective", "by": "participants"}]}, "prizes.level"),
    ({"prize_caps": {"person_round": 0}}, "prize_caps.person_round"),
    ({"prize_caps": {"person_week": 1}}, "prize_caps.person_week"),
    ({"prize_caps": None}, "prize_caps"),
]


@pytest.mark.parametrize(("document", "field"), REFUSED)
def test_a_wrong_field_is_refused_by_name(document: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidRules) as refused:
        rules_from(document)
    assert refused.value.field == field


@pytest.mark.parametrize("key", ["a\n", "a ", " a", "a" * 41])
def test_a_key_has_nothing_around_it(key: str) -> None:
    with pytest.raises(InvalidRules, match=r"brackets\.key"):
        rules_from({"brackets": [{"key": key, "name": "A"}]})


def test_a_row_of_a_list_is_named() -> None:
    with pytest.raises(InvalidRules) as refused:
        rules_from({"prizes": [{"key": "a", "name": "A", "kind": "spreading"}, {"key": "b", "name": " "}]})
    assert (refused.value.field, refused.value.code) == ("prizes.kind", "missing")
    assert refused.value.place == 1


def test_the_time_of_a_paper_follows_from_the_time_of_a_question() -> None:
    assert rules_from({"questions": 12, "seconds_per_question": 20}).seconds == 240
    assert rules_from({"questions": 12, "seconds_per_question": 20, "seconds": 240}).seconds_per_question == 20


def test_a_document_of_before_still_reads() -> None:
    """What a round stored when there were no brackets and prizes yet."""
    new = ("fixed", "seconds_per_question", "eligible_kinds", "eligible_units", "barred_kinds", "brackets", "prizes")
    old = {name: held for name, held in rules_document(Rules()).items() if name not in (*new, "prize_caps")}
    assert rules_from(old) == Rules()


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(deadline=None)
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


# People

ASKED = {
    "-": {},
    "age 16–30": {"min_age": 16, "max_age": 30},
    "pupils, students": {"eligible_kinds": ["pupil", "student"]},
    "no soldiers": {"barred_kinds": ["soldier"]},
    "only 79": {"eligible_units": ["79"]},
}


def person_of(age: str, kind: str, units: str) -> Person:
    return Person(None if age == "-" else int(age), None if kind == "-" else kind, frozenset(units.split()))


@pytest.mark.parametrize(("asked", "age", "kind", "units", "answer"), table("Who may take part"))
def test_who_may_take_part(asked: str, age: str, kind: str, units: str, answer: str) -> None:
    assert not_eligible(rules_from(ASKED[asked]), person_of(age, kind, units)) == (None if answer == "may" else answer)


BRACKETS = rules_from(
    {
        "brackets": [
            {"key": "hoc-sinh", "name": "Học sinh", "kinds": ["pupil"], "max_age": 18},
            {"key": "trong", "name": "Trong thành phố", "units": ["79"]},
            {"key": "ngoai", "name": "Ngoài thành phố", "units": ["79", "01"], "outside": True, "min_age": 16},
        ]
    }
)


@pytest.mark.parametrize(("age", "kind", "units", "key"), table("Brackets"))
def test_which_bracket(age: str, kind: str, units: str, key: str) -> None:
    found = bracket_of(BRACKETS, person_of(age, kind, units))
    assert (found.key if found else "none") == key
