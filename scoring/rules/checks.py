"""What a field of a rules document may hold, and how its refusal is said: by a code that pages have sentences for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from scoring.rules.words import LIMITS, MOST_ROWS


class InvalidRules(ValueError):
    """The document is no valid set of rules.

    `field` names where (`draw.count`), `place` which row of a list it is in (from 0; None outside of lists), `code` and
    `values` what is wrong for a page to say in its reader's language, `problem` the same in English.
    """

    def __init__(self, field: str, code: str, place: int | None = None, **values: Any) -> None:
        self.field = field
        self.code = code
        self.place = place
        self.values = values
        self.problem = PROBLEMS[code].format(**values)
        super().__init__(f"{field}: {self.problem}")


class Contradiction(InvalidRules):
    """Each field is as it must be, but two don't go together: what a JSON Schema can't say."""


PROBLEMS = {
    "unknown_field": "unknown field",
    "missing": "must be given",
    "not_an_object": "must be an object",
    "not_a_list": "must be a list",
    "too_many": "at most {most}",
    "not_a_flag": "must be true or false",
    "not_a_text": "must be a text that is not empty",
    "not_a_key": "must be small letters, digits, hyphens and underscores, at most 40",
    "not_a_unit": "must be the code of a unit",
    "not_whole": "must be a whole number from {low} to {high}",
    "not_one_of": "must be one of {allowed}",
    "twice": "each one once only",
    "none": "at least one",
    "draw_sum": "the counts of its parts must add up to questions",
    "draw_of_fixed": "a fixed set of questions is not drawn in parts",
    "not_below": "must not be below {other}",
    "seconds_product": "must be questions × seconds_per_question",
    "same_key": "another one has this key",
    "outside_of_nothing": "needs units to be outside of",
    "kind_both": "a kind that may take part can't be barred",
    "unknown_bracket": "no bracket has this key",
    "only_collective": "only for a collective prize",
    "needed_collective": "a collective prize needs it",
    "only_people": "only for prizes of people",
}


def whole(field: str, value: Any, place: int | None = None) -> None:
    low, high = LIMITS[field]
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise InvalidRules(field, "not_whole", place, low=low, high=high)


def whole_or_none(field: str, value: Any, place: int | None = None) -> None:
    if value is not None:
        whole(field, value, place)


def one_of(field: str, value: Any, allowed: Sequence[str], place: int | None = None) -> None:
    if value not in allowed:
        raise InvalidRules(field, "not_one_of", place, allowed=", ".join(allowed))


def text(field: str, value: Any, place: int | None = None) -> None:
    if not isinstance(value, str) or not value.strip():
        raise InvalidRules(field, "not_a_text", place)


def flag(field: str, value: Any, place: int | None = None) -> None:
    if not isinstance(value, bool):
        raise InvalidRules(field, "not_a_flag", place)


def pattern(field: str, value: Any, wanted: str, code: str, place: int | None = None) -> None:
    # \Z and not $: the schema's patterns know no line end either.
    if not isinstance(value, str) or not re.search(wanted.removesuffix("$") + r"\Z", value):
        raise InvalidRules(field, code, place)


def listed(field: str, value: Any, most: int | None = MOST_ROWS, place: int | None = None) -> Sequence[Any]:
    if not isinstance(value, list | tuple):
        raise InvalidRules(field, "not_a_list", place)
    if most is not None and len(value) > most:
        raise InvalidRules(field, "too_many", place, most=most)
    return value


def words(field: str, values: Sequence[Any], allowed: Sequence[str], place: int | None = None) -> None:
    """Each one of `allowed`, none twice."""
    for value in values:
        one_of(field, value, allowed, place)
    once(field, values, place)


def once(field: str, values: Sequence[Any], place: int | None = None) -> None:
    if len(set(values)) != len(values):
        raise InvalidRules(field, "twice", place)
