"""docs/rules.schema.json and `rules_from` say the same of every document."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from scoring.rules import (
    BARRED_KINDS,
    COLLECTIVE_BY,
    KEY_RELEASES,
    LATE_COUNTS,
    LEVELS,
    LIMITS,
    MEMBER_KINDS,
    PREDICTIONS,
    PRIZE_KINDS,
    RANKING_KEYS,
    SCORE_RELEASES,
    WHICH,
    Contradiction,
    InvalidRules,
    Rules,
    rules_document,
    rules_from,
)
from scoring.rules_schema import rules_schema
from tests.scoring.test_rules import PAGE_FILE, REFUSED

VALIDATOR = Draft202012Validator(rules_schema())


def test_the_published_schema_is_this_one() -> None:
    published = PAGE_FILE.with_name("rules.schema.json").read_text(encoding="utf-8")
    assert published == json.dumps(rules_schema(), indent=2) + "\n"


def test_it_is_a_schema_and_knows_every_field() -> None:
    Draft202012Validator.check_schema(rules_schema())
    assert list(rules_schema()["properties"]) == list(Rules.__dataclass_fields__)


# 10.0 is a whole number to a JSON Schema; the last test says what it is to us.
WRONG = st.none() | st.booleans() | st.just(1.5) | st.text(max_size=3) | st.just([]) | st.just({}) | st.just({"x": 1})
TEXT = st.text(max_size=4) | st.just("Bao nhiêu người?")


def whole(name: str) -> st.SearchStrategy[Any]:
    """Mostly within the limits, often on their edges, at times just beside them."""
    low, high = LIMITS[name]
    return st.integers(low, high) | st.sampled_from([low, high]) | st.sampled_from([low - 1, high + 1])


@st.composite
def some(draw: st.DrawFn, fields: dict[str, Any], required: tuple[str, ...] = ()) -> dict[str, Any]:
    """An object of one to four of the fields, and seldom one thing wrong with it: most are right as a whole."""
    names = {*required, *draw(st.lists(st.sampled_from([*fields]), min_size=1, max_size=4))}
    made = {name: draw(fields[name]) for name in sorted(names)}
    match draw(st.integers(0, 11)):
        case 0:
            made[draw(st.sampled_from([*fields]))] = draw(WRONG)
        case 1:
            made["other"] = None
        case 2:
            del made[draw(st.sampled_from(sorted(names)))]
    return made


PART = {"count": whole("draw.count"), "topic": st.none() | TEXT, "difficulty": st.none() | whole("draw.difficulty")}
PREDICTION = {
    "kind": st.sampled_from(PREDICTIONS),
    "text": TEXT,
    "min": whole("prediction.min"),
    "max": whole("prediction.max"),
}
KEYS = st.sampled_from(["a", "b", "giai-nhat", "A", "", "x" * 41])
UNITS = st.lists(st.sampled_from(["01", "79", "26740", "QH", "hà nội", ""]), max_size=2)
BRACKET = {
    "key": KEYS,
    "name": TEXT,
    "units": UNITS,
    "outside": st.booleans(),
    "min_age": st.none() | whole("brackets.min_age"),
    "max_age": st.none() | whole("brackets.max_age"),
    "kinds": st.lists(st.sampled_from(MEMBER_KINDS), max_size=2),
}
PRIZE = {
    "key": KEYS,
    "name": TEXT,
    "kind": st.sampled_from(PRIZE_KINDS),
    "count": whole("prizes.count"),
    "value": whole("prizes.value"),
    "bracket": st.none() | KEYS,
    "by": st.none() | st.sampled_from(COLLECTIVE_BY),
    "level": st.none() | st.sampled_from(LEVELS),
    "min_participants": whole("prizes.min_participants"),
}
PRIZE_CAPS = {
    name: st.none() | whole(f"prize_caps.{name}")
    for name in ("person_round", "person_season", "unit_round", "unit_season")
}
DOCUMENTS = some(
    {
        **{name: whole(name) for name in LIMITS if "." not in name},
        "cap": st.none() | whole("cap"),
        "fixed": st.booleans(),
        "seconds_per_question": st.none() | whole("seconds_per_question"),
        "eligible_kinds": st.lists(st.sampled_from(MEMBER_KINDS), max_size=3),
        "eligible_units": UNITS,
        "barred_kinds": st.lists(st.sampled_from(BARRED_KINDS), max_size=3),
        "brackets": st.lists(some(BRACKET, ("key", "name")), max_size=2),
        "prizes": st.lists(some(PRIZE, ("key", "name", "kind")), max_size=2),
        "prize_caps": some(PRIZE_CAPS),
        "min_age": st.none() | whole("min_age"),
        "max_age": st.none() | whole("max_age"),
        "draw": st.just([{"count": 6}, {"count": 4}]) | st.lists(some(PART, ("count",)), max_size=2),
        "which": st.sampled_from(WHICH),
        "ranking": st.lists(st.sampled_from(RANKING_KEYS), max_size=3),
        "complete_only": st.booleans(),
        "prediction": st.none() | some(PREDICTION, ("kind", "text")),
        "late": some({"accept_minutes": whole("late.accept_minutes"), "counts": st.sampled_from(LATE_COUNTS)}),
        "release": some({"score": st.sampled_from(SCORE_RELEASES), "key": st.sampled_from(KEY_RELEASES)}),
    },
)


def answer(document: dict[str, Any]) -> Rules | InvalidRules:
    try:
        return rules_from(document)
    except InvalidRules as refused:
        return refused


@settings(max_examples=400, deadline=None)
@given(DOCUMENTS)
def test_schema_and_check_agree(document: dict[str, Any]) -> None:
    said = answer(document)
    # A contradiction is found only between fields that are right each for itself.
    assert VALIDATOR.is_valid(document) == isinstance(said, Rules | Contradiction), said
    if isinstance(said, Rules):
        assert VALIDATOR.is_valid(rules_document(said))


@pytest.mark.parametrize("document", [document for document, _ in REFUSED if document != {"questions": 10.0}])
def test_what_is_refused_is_not_allowed(document: dict[str, Any]) -> None:
    assert VALIDATOR.is_valid(document) == isinstance(answer(document), Contradiction)


@pytest.mark.parametrize(
    "document",
    [
        {"draw": [{"count": 9}]},
        {"min_age": 30, "max_age": 14},
        {"prediction": {"kind": "participants", "text": "?", "min": 9, "max": 8}},
        {"fixed": True, "draw": [{"count": 10}]},
        {"seconds": 600, "seconds_per_question": 30},
        {"eligible_kinds": ["pupil"], "barred_kinds": ["pupil"]},
        {"brackets": [{"key": "a", "name": "A", "outside": True}]},
        {"prizes": [{"key": "a", "name": "A", "kind": "individual", "bracket": "b"}]},
        {"prizes": [{"key": "a", "name": "A", "kind": "collective"}]},
    ],
)
def test_what_the_schema_cannot_say(document: dict[str, Any]) -> None:
    assert VALIDATOR.is_valid(document)
    with pytest.raises(Contradiction):
        rules_from(document)


def test_a_whole_number_has_no_fraction() -> None:
    """JSON Schema takes 10.0 for a whole number; a document that says it is refused all the same."""
    assert VALIDATOR.is_valid({"questions": 10.0})
    with pytest.raises(InvalidRules, match="whole number"):
        rules_from({"questions": 10.0})
