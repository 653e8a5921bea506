"""The check of a rules document: each field for itself, then the fields against each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from scoring.rules import words
from scoring.rules.checks import (
    Contradiction,
    InvalidRules,
    flag,
    once,
    one_of,
    pattern,
    text,
    whole,
    whole_or_none,
)
from scoring.rules.checks import words as all_of
from scoring.rules.document import Bracket, DrawPart, Prediction, Prize, Rules, read

_CAPS = ("person_round", "person_season", "unit_round", "unit_season")


def rules_from(document: Mapping[str, Any]) -> Rules:
    """Read a rules document; what it leaves out has its default.

    Raises:
        InvalidRules: naming the first field that is unknown, of a wrong type, or out of range.
    """
    rules = read(document)
    _check_numbers(rules)
    _check_words(rules)
    _check_draw(rules.draw)
    _check_prediction(rules.prediction)
    _check_units("eligible_units", rules.eligible_units)
    for place, bracket in enumerate(rules.brackets):
        _check_bracket(bracket, place)
    for place, prize in enumerate(rules.prizes):
        _check_prize(prize, place)
    # Comes last: what is found here is found between fields that are right each for itself.
    _check_together(rules)
    _check_brackets_together(rules.brackets)
    _check_prizes_together(rules)
    return rules


def _check_numbers(rules: Rules) -> None:
    for name in ("questions", "seconds", "grace_seconds", "points"):
        whole(name, getattr(rules, name))
    for name in ("cap", "seconds_per_question", "min_age", "max_age"):
        whole_or_none(name, getattr(rules, name))
    whole("late.accept_minutes", rules.late.accept_minutes)
    for name in _CAPS:
        whole_or_none(f"prize_caps.{name}", getattr(rules.prize_caps, name))


def _check_words(rules: Rules) -> None:
    one_of("which", rules.which, words.WHICH)
    one_of("late.counts", rules.late.counts, words.LATE_COUNTS)
    one_of("release.score", rules.release.score, words.SCORE_RELEASES)
    one_of("release.key", rules.release.key, words.KEY_RELEASES)
    flag("complete_only", rules.complete_only)
    flag("fixed", rules.fixed)
    if not rules.ranking:
        raise InvalidRules("ranking", "none")
    all_of("ranking", rules.ranking, words.RANKING_KEYS)
    all_of("eligible_kinds", rules.eligible_kinds, words.MEMBER_KINDS)
    all_of("barred_kinds", rules.barred_kinds, words.BARRED_KINDS)


def _check_draw(draw: Sequence[DrawPart]) -> None:
    for place, part in enumerate(draw):
        whole("draw.count", part.count, place)
        if part.topic is not None:
            text("draw.topic", part.topic, place)
        whole_or_none("draw.difficulty", part.difficulty, place)


def _check_prediction(prediction: Prediction | None) -> None:
    if prediction is None:
        return
    one_of("prediction.kind", prediction.kind, words.PREDICTIONS)
    whole("prediction.min", prediction.min)
    whole("prediction.max", prediction.max)
    text("prediction.text", prediction.text)


def _check_units(field: str, codes: Sequence[Any], place: int | None = None) -> None:
    for code in codes:
        pattern(field, code, words.UNIT_PATTERN, "not_a_unit", place)
    once(field, codes, place)


def _check_bracket(bracket: Bracket, place: int) -> None:
    pattern("brackets.key", bracket.key, words.KEY_PATTERN, "not_a_key", place)
    text("brackets.name", bracket.name, place)
    _check_units("brackets.units", bracket.units, place)
    flag("brackets.outside", bracket.outside, place)
    whole_or_none("brackets.min_age", bracket.min_age, place)
    whole_or_none("brackets.max_age", bracket.max_age, place)
    all_of("brackets.kinds", bracket.kinds, words.MEMBER_KINDS, place)


def _check_prize(prize: Prize, place: int) -> None:
    pattern("prizes.key", prize.key, words.KEY_PATTERN, "not_a_key", place)
    text("prizes.name", prize.name, place)
    one_of("prizes.kind", prize.kind, words.PRIZE_KINDS, place)
    for name in ("count", "value", "min_participants"):
        whole(f"prizes.{name}", getattr(prize, name), place)
    if prize.bracket is not None:
        pattern("prizes.bracket", prize.bracket, words.KEY_PATTERN, "not_a_key", place)
    if prize.by is not None:
        one_of("prizes.by", prize.by, words.COLLECTIVE_BY, place)
    if prize.level is not None:
        one_of("prizes.level", prize.level, words.LEVELS, place)


# Between fields


def _check_together(rules: Rules) -> None:
    if rules.draw and rules.fixed:
        raise Contradiction("draw", "draw_of_fixed")
    if rules.draw and sum(part.count for part in rules.draw) != rules.questions:
        raise Contradiction("draw", "draw_sum")
    if rules.seconds_per_question is not None and rules.seconds != rules.questions * rules.seconds_per_question:
        raise Contradiction("seconds", "seconds_product")
    _in_order("max_age", rules.min_age, rules.max_age, "min_age")
    if rules.prediction is not None:
        _in_order("prediction.max", rules.prediction.min, rules.prediction.max, "prediction.min")
    if set(rules.eligible_kinds) & set(rules.barred_kinds):
        raise Contradiction("barred_kinds", "kind_both")


def _check_brackets_together(brackets: Sequence[Bracket]) -> None:
    _keys_differ("brackets.key", [bracket.key for bracket in brackets])
    for place, bracket in enumerate(brackets):
        _in_order("brackets.max_age", bracket.min_age, bracket.max_age, "min_age", place)
        if bracket.outside and not bracket.units:
            raise Contradiction("brackets.outside", "outside_of_nothing", place)


def _check_prizes_together(rules: Rules) -> None:
    _keys_differ("prizes.key", [prize.key for prize in rules.prizes])
    brackets = {bracket.key for bracket in rules.brackets}
    for place, prize in enumerate(rules.prizes):
        if prize.bracket is not None and prize.bracket not in brackets:
            raise Contradiction("prizes.bracket", "unknown_bracket", place)
        if prize.kind == "collective":
            _check_collective(prize, place)
            continue
        for name in ("by", "level", "min_participants"):
            if getattr(prize, name):
                raise Contradiction(f"prizes.{name}", "only_collective", place)


def _check_collective(prize: Prize, place: int) -> None:
    for name in ("by", "level"):
        if getattr(prize, name) is None:
            raise Contradiction(f"prizes.{name}", "needed_collective", place)
    if prize.bracket is not None:
        raise Contradiction("prizes.bracket", "only_people", place)


def _in_order(field: str, low: int | None, high: int | None, other: str, place: int | None = None) -> None:
    if low is not None and high is not None and high < low:
        raise Contradiction(field, "not_below", place, other=other)


def _keys_differ(field: str, keys: Sequence[Any]) -> None:
    for place, key in enumerate(keys):
        if key in keys[:place]:
            raise Contradiction(field, "same_key", place)
