"""The form of a rules document as JSON Schema, for whoever writes one outside; docs/rules.schema.json is this.

It is made from the same limits and words as the check in scoring.rules. What it can't say, and `rules_from` still
refuses, are contradictions between two fields (`rules.Contradiction`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from scoring.rules import (
    BARRED_KINDS,
    COLLECTIVE_BY,
    KEY_PATTERN,
    KEY_RELEASES,
    LATE_COUNTS,
    LEVELS,
    LIMITS,
    MEMBER_KINDS,
    MOST_ROWS,
    PREDICTIONS,
    PRIZE_KINDS,
    RANKING_KEYS,
    SCORE_RELEASES,
    UNIT_PATTERN,
    WHICH,
    Rules,
    rules_document,
)

Schema = dict[str, Any]


def rules_schema() -> Schema:
    """Every field may be left out; its default is said where there is one."""
    defaults = rules_document(Rules())
    fields = {
        "questions": _whole("questions", "Questions on a paper."),
        "draw": {
            "type": "array",
            "description": "Parts of a paper, narrow ones first; empty: all from the whole bank.",
            "items": _object(_DRAW_PART, required=("count",)),
        },
        "fixed": {"type": "boolean", "description": "Every paper has all questions of the bank, in its order."},
        "cap": _or_null(_whole("cap", "Starts per participant; null: unlimited.")),
        "seconds": _whole("seconds", "Time for a paper."),
        "seconds_per_question": _or_null(
            _whole(
                "seconds_per_question", "The questions come one by one, each with this time; null: time for a paper."
            )
        ),
        "grace_seconds": _whole("grace_seconds", "How much later a slow line may bring it."),
        "which": _one_of(WHICH, "Which entry of a person counts."),
        "ranking": {
            "type": "array",
            "description": "What decides who is before whom, in this order.",
            "items": _one_of(RANKING_KEYS),
            "minItems": 1,
            "uniqueItems": True,
        },
        "points": _whole("points", "Points for a right question."),
        "complete_only": {"type": "boolean", "description": "A sheet with an unanswered question scores nothing."},
        "prediction": {"anyOf": [{"type": "null"}, _object(_PREDICTION, required=("kind", "text"))]},
        "late": _object(_LATE),
        "release": _object(_RELEASE),
        "min_age": _or_null(_whole("min_age", "By the calendar year of birth; null: no limit.")),
        "max_age": _or_null(_whole("max_age", "By the calendar year of birth; null: no limit.")),
        "eligible_kinds": _several(_one_of(MEMBER_KINDS), "Kinds of member who may take part; empty: all."),
        "eligible_units": _several(_UNIT, "Codes of units whose people may take part; empty: all."),
        "barred_kinds": _several(_one_of(BARRED_KINDS), "Functions and kinds of member who may not take part."),
        "brackets": _rows(_BRACKET, ("key", "name"), "People ranked among themselves; the first that fits, counts."),
        "prizes": _rows(_PRIZE, ("key", "name", "kind"), "In the order in which they are given."),
        "prize_caps": _object(_PRIZE_CAPS),
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Rules of a round",
        **_object({name: {**field, "default": defaults[name]} for name, field in fields.items()}),
    }


def _object(properties: Mapping[str, Schema], required: Sequence[str] = ()) -> Schema:
    made: Schema = {"type": "object", "properties": dict(properties), "additionalProperties": False}
    return {**made, "required": list(required)} if required else made


def _whole(name: str, description: str) -> Schema:
    low, high = LIMITS[name]
    return {"type": "integer", "minimum": low, "maximum": high, "description": description}


def _or_null(schema: Schema) -> Schema:
    return {**schema, "type": [schema["type"], "null"]}


def _one_of(words: Sequence[str | None], description: str | None = None) -> Schema:
    made: Schema = {"enum": list(words)}
    return made if description is None else {**made, "description": description}


def _text(description: str) -> Schema:
    return {"type": "string", "pattern": r"\S", "description": description}


def _several(items: Schema, description: str) -> Schema:
    made: Schema = {"type": "array", "description": description, "items": items}
    return {**made, "maxItems": MOST_ROWS, "uniqueItems": True}


def _rows(properties: Mapping[str, Schema], required: Sequence[str], description: str) -> Schema:
    items = _object(properties, required)
    return {"type": "array", "description": description, "items": items, "maxItems": MOST_ROWS}


def _key(description: str) -> Schema:
    return {"type": "string", "pattern": KEY_PATTERN, "description": description}


def _one_or_null(words: Sequence[str], description: str) -> Schema:
    return _one_of([*words, None], description)


_UNIT: Schema = {"type": "string", "pattern": UNIT_PATTERN}
_DRAW_PART = {
    "count": _whole("draw.count", "So many questions; all parts together are `questions`."),
    "topic": _or_null(_text("Of this topic; null: of any.")),
    "difficulty": _or_null(_whole("draw.difficulty", "Of this difficulty; null: of any.")),
}
_PREDICTION = {
    "kind": _one_of(PREDICTIONS, "What is to be predicted: people with all questions right, or people who take part."),
    "text": _text("The question as people read it."),
    "min": _whole("prediction.min", "The lowest number that is taken."),
    "max": _whole("prediction.max", "The highest number that is taken."),
}
_LATE = {
    "accept_minutes": _whole("late.accept_minutes", "How long after deadline and grace a sheet is still taken."),
    "counts": _one_of(LATE_COUNTS, "What such a sheet counts as."),
}
_RELEASE = {
    "score": _one_of(SCORE_RELEASES, "When a person learns the score."),
    "key": _one_of(KEY_RELEASES, "When the right options are shown."),
}
_BRACKET = {
    "key": _key("What prizes call it."),
    "name": _text("As people read it."),
    "units": _several(_UNIT, "Codes of units; their people and those of the units below are inside. Empty: any."),
    "outside": {"type": "boolean", "description": "Everybody who is not inside the units."},
    "min_age": _or_null(_whole("brackets.min_age", "By the calendar year of birth; null: no limit.")),
    "max_age": _or_null(_whole("brackets.max_age", "By the calendar year of birth; null: no limit.")),
    "kinds": _several(_one_of(MEMBER_KINDS), "Kinds of member; empty: any."),
}
_PRIZE = {
    "key": _key("What awards call it."),
    "name": _text("As people read it."),
    "kind": _one_of(PRIZE_KINDS, "For the best people, for units, or for spreading the contest."),
    "count": _whole("prizes.count", "So many of them."),
    "value": _whole("prizes.value", "In đồng, each."),
    "bracket": _or_null(_key("Key of the bracket whose people it is for; null: all.")),
    "by": _one_or_null(COLLECTIVE_BY, "What units are compared by; collective prizes only, and these need it."),
    "level": _one_or_null(LEVELS, "Which units; collective prizes only, and these need it."),
    "min_participants": _whole("prizes.min_participants", "Units with fewer are not considered."),
}
_PRIZE_CAPS = {
    "person_round": _or_null(_whole("prize_caps.person_round", "Prizes of a person in this round; null: no cap.")),
    "person_season": _or_null(_whole("prize_caps.person_season", "Prizes of a person in all rounds; null: no cap.")),
    "unit_round": _or_null(_whole("prize_caps.unit_round", "Of a province or union in this round; null: no cap.")),
    "unit_season": _or_null(_whole("prize_caps.unit_season", "Of a province or union in all rounds; null: no cap.")),
}
