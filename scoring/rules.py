"""The rules of a round as data, and the score of a sheet under a key. Standard library only, no clock, no I/O.

Source of the fields: the published rules of comparable contests (weekly contests of 2014 to 2026), see docs/rules.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

RANKING_KEYS = (
    *("score", "correct", "prediction_gap", "received_at", "received_second", "duration", "attempts"),
    "lot",
)
DEFAULT_RANKING = ("score", "prediction_gap", "received_at")
WHICH = ("best", "first", "last")
SCORE_RELEASES = ("at_once", "after_close")
KEY_RELEASES = ("after_close", "after_publish", "never")
PREDICTIONS = ("all_correct", "participants")
LATE_COUNTS = ("no", "participation")

LIMITS = {
    "questions": (1, 200),
    "cap": (1, 1_000),
    "seconds": (10, 24 * 3600),
    "grace_seconds": (0, 600),
    "points": (1, 1_000),
    "late.accept_minutes": (0, 24 * 60),
    "draw.count": (1, 200),
    "draw.difficulty": (1, 5),
    "prediction.min": (0, 10**9),
    "prediction.max": (0, 10**9),
    "min_age": (1, 150),
    "max_age": (1, 150),
}
"""Lowest and highest value of each whole number; the JSON Schema is made of the same."""


class InvalidRules(ValueError):
    """The document is no valid set of rules; `field` names where, `problem` says what is expected there."""

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(f"{where}: {problem}")
        self.field = where
        self.problem = problem


class Contradiction(InvalidRules):
    """Each field is as it must be, but two don't go together: what a JSON Schema can't say."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """The question beside the questions: how many people answer all right, or take part."""

    kind: Literal["all_correct", "participants"]
    text: str
    min: int = 0
    max: int = 10_000_000


@dataclass(frozen=True, slots=True)
class Late:
    """What happens to a sheet without a draft after deadline and grace."""

    accept_minutes: int = 0
    counts: Literal["no", "participation"] = "no"


@dataclass(frozen=True, slots=True)
class Release:
    score: Literal["at_once", "after_close"] = "after_close"
    key: Literal["after_close", "after_publish", "never"] = "after_close"


@dataclass(frozen=True, slots=True)
class DrawPart:
    """So many questions of a topic and a difficulty; None means any."""

    count: int
    topic: str | None = None
    difficulty: int | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    questions: int = 10
    draw: tuple[DrawPart, ...] = ()
    """Empty: `questions` drawn from the whole bank."""
    cap: int | None = 7
    """Starts per participant; None: unlimited."""
    seconds: int = 600
    grace_seconds: int = 30
    which: Literal["best", "first", "last"] = "best"
    """Which of a person's entries is the standing."""
    ranking: tuple[str, ...] = DEFAULT_RANKING
    points: int = 1
    """For a right question; a wrong or unanswered one gives none."""
    complete_only: bool = False
    """True: a sheet with an unanswered question scores 0."""
    prediction: Prediction | None = None
    late: Late = field(default_factory=Late)
    release: Release = field(default_factory=Release)
    min_age: int | None = None
    max_age: int | None = None


def rules_from(document: Mapping[str, Any]) -> Rules:
    """Read a rules document.

    Raises:
        InvalidRules: naming the first field that is unknown, of a wrong type, or out of range.
    """
    known = set(Rules.__dataclass_fields__)
    for name in document:
        if name not in known:
            raise InvalidRules(name, "unknown field")
    given = dict(document)
    prediction = given.pop("prediction", None)
    rules = Rules(
        **{k: v for k, v in given.items() if k not in ("draw", "ranking", "late", "release")},
        draw=tuple(_part(part) for part in _list("draw", given.get("draw", ()))),
        ranking=tuple(_list("ranking", given.get("ranking", DEFAULT_RANKING))),
        prediction=None if prediction is None else _nested(Prediction, prediction, "prediction"),
        late=_nested(Late, given.get("late", {}), "late"),
        release=_nested(Release, given.get("release", {}), "release"),
    )
    _check(rules)
    return rules


def rules_document(rules: Rules) -> dict[str, Any]:
    """The JSON form, complete with defaults: what is stored and sent."""
    document = asdict(rules)
    document["draw"] = [dict(part) for part in document["draw"]]
    document["ranking"] = list(rules.ranking)
    return document


def _nested(kind: type[Any], value: Any, where: str) -> Any:
    if not isinstance(value, Mapping):
        raise InvalidRules(where, "must be an object")
    for name in value:
        if name not in kind.__dataclass_fields__:
            raise InvalidRules(f"{where}.{name}", "unknown field")
    try:
        return kind(**value)
    except TypeError as error:
        raise InvalidRules(where, str(error)) from error


def _part(value: Any) -> DrawPart:
    part: DrawPart = _nested(DrawPart, value, "draw")
    return part


def _check(rules: Rules) -> None:
    for name in ("questions", "seconds", "grace_seconds", "points"):
        _whole(name, getattr(rules, name))
    for name in ("cap", "min_age", "max_age"):
        if getattr(rules, name) is not None:
            _whole(name, getattr(rules, name))
    _whole("late.accept_minutes", rules.late.accept_minutes)
    _one_of("which", rules.which, WHICH)
    _one_of("late.counts", rules.late.counts, LATE_COUNTS)
    _one_of("release.score", rules.release.score, SCORE_RELEASES)
    _one_of("release.key", rules.release.key, KEY_RELEASES)
    if not isinstance(rules.complete_only, bool):
        raise InvalidRules("complete_only", "must be true or false")
    for name in rules.ranking:
        _one_of("ranking", name, RANKING_KEYS)
    if len(set(rules.ranking)) != len(rules.ranking) or not rules.ranking:
        raise InvalidRules("ranking", "each key once, at least one")
    _check_draw(rules.draw)
    _check_prediction(rules.prediction)
    _check_together(rules)


def _check_draw(draw: Sequence[DrawPart]) -> None:
    for part in draw:
        _whole("draw.count", part.count)
        if part.topic is not None:
            _text("draw.topic", part.topic)
        if part.difficulty is not None:
            _whole("draw.difficulty", part.difficulty)


def _check_prediction(prediction: Prediction | None) -> None:
    if prediction is None:
        return
    _one_of("prediction.kind", prediction.kind, PREDICTIONS)
    _whole("prediction.min", prediction.min)
    _whole("prediction.max", prediction.max)
    _text("prediction.text", prediction.text)


def _check_together(rules: Rules) -> None:
    """Comes last: what is found here is found between fields that are right each for itself."""
    if rules.draw and sum(part.count for part in rules.draw) != rules.questions:
        raise Contradiction("draw", "the counts of its parts must add up to questions")
    if rules.min_age is not None and rules.max_age is not None and rules.max_age < rules.min_age:
        raise Contradiction("max_age", "must not be below min_age")
    if rules.prediction is not None and rules.prediction.max < rules.prediction.min:
        raise Contradiction("prediction.max", "must not be below prediction.min")


def _list(where: str, value: Any) -> Sequence[Any]:
    if not isinstance(value, list | tuple):
        raise InvalidRules(where, "must be a list")
    return value


def _text(where: str, value: Any) -> None:
    if not isinstance(value, str) or not value.strip():
        raise InvalidRules(where, "must be a text that is not empty")


def _whole(where: str, value: Any) -> None:
    low, high = LIMITS[where]
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise InvalidRules(where, f"must be a whole number from {low} to {high}")


def _one_of(where: str, value: Any, allowed: Sequence[str]) -> None:
    if value not in allowed:
        raise InvalidRules(where, f"must be one of {', '.join(allowed)}")


# Scoring


@dataclass(frozen=True, slots=True)
class QuestionKey:
    """What counts as right: any of these sets of options (bit masks), or everything, if the question is void."""

    accept: frozenset[int]
    void: bool = False


def key_from(document: Sequence[Mapping[str, Any]]) -> list[QuestionKey]:
    """Read a stored key: for each question of the bank `{accept: [mask, …], void: bool}`."""
    return [QuestionKey(frozenset(item["accept"]), bool(item.get("void", False))) for item in document]


def score(
    rules: Rules, key: Sequence[QuestionKey], questions: Sequence[int], answers: Sequence[int]
) -> tuple[int, int]:
    """(points, number of right questions) of a sheet.

    A question is right if exactly an accepted set of options was chosen; a void one is right for everybody.

    Args:
        questions: places in the frozen bank, as on the paper.
        answers: bit masks of the chosen options in the same order, 0 for unanswered.

    Raises:
        IndexError: a question that is not in the key (a sheet of another bank).
    """
    correct = 0
    for place, chosen in zip(questions, answers, strict=True):
        item = key[place]
        if chosen in item.accept or item.void:
            correct += 1
    if rules.complete_only and 0 in answers:
        return 0, 0
    return correct * rules.points, correct
