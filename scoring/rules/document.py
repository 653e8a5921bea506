"""The rules of a round as data: what a document holds, and how it is read. No clock, no I/O.

Source of the fields: the published rules of comparable contests (weekly contests of 2014 to 2026), see docs/rules.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, field, fields
from typing import Any, Literal

from scoring.rules.checks import InvalidRules, listed
from scoring.rules.words import DEFAULT_RANKING, MOST_ROWS


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
class Bracket:
    """People who are ranked among themselves. What is left out asks for nothing."""

    key: str
    name: str
    units: tuple[str, ...] = ()
    """Codes of units; whoever belongs to one of them or to a unit below it is inside."""
    outside: bool = False
    """True: everybody who is not inside `units`."""
    min_age: int | None = None
    max_age: int | None = None
    kinds: tuple[str, ...] = ()
    """Of `words.MEMBER_KINDS`."""


@dataclass(frozen=True, slots=True)
class Prize:
    """So many prizes of one name and value. Prizes stand in the order in which they are given."""

    key: str
    name: str
    kind: Literal["individual", "collective", "spreading"]
    count: int = 1
    value: int = 0
    """In đồng, of each of them."""
    bracket: str | None = None
    """Key of the bracket whose people it is for; None: of all."""
    by: Literal["participants", "member_share", "perfect_papers"] | None = None
    """What units are compared by; collective prizes only."""
    level: Literal["province", "union", "commune"] | None = None
    """Which units; collective prizes only."""
    min_participants: int = 0
    """Units with fewer are not considered; collective prizes only."""


@dataclass(frozen=True, slots=True)
class PrizeCaps:
    """How many prizes one may get; None: no cap. The unit is the province or union of the winner."""

    person_round: int | None = None
    person_season: int | None = None
    unit_round: int | None = None
    unit_season: int | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    questions: int = 10
    draw: tuple[DrawPart, ...] = ()
    """Empty: `questions` drawn from the whole bank."""
    fixed: bool = False
    """True: the bank has exactly `questions` questions, and every paper has all of them in the bank's order."""
    cap: int | None = 7
    """Starts per participant; None: unlimited."""
    seconds: int = 600
    seconds_per_question: int | None = None
    """Not None: the questions come one by one, each with this time; `seconds` is then the time of all of them."""
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
    eligible_kinds: tuple[str, ...] = ()
    """Kinds of member who may take part; empty: all, also who never said theirs."""
    eligible_units: tuple[str, ...] = ()
    """Codes of units whose people, and those of the units below, may take part; empty: all."""
    barred_kinds: tuple[str, ...] = ()
    """Functions (committee, expert, secretary) and kinds of member who may not take part."""
    brackets: tuple[Bracket, ...] = ()
    """A person belongs to the first that fits, or to none."""
    prizes: tuple[Prize, ...] = ()
    prize_caps: PrizeCaps = field(default_factory=PrizeCaps)


_LISTS = ("draw", "ranking", "eligible_kinds", "eligible_units", "barred_kinds", "brackets", "prizes")
_OBJECTS = {"late": Late, "release": Release, "prize_caps": PrizeCaps}


def read(document: Mapping[str, Any]) -> Rules:
    """The document as rules, each list and object of the right form, the values in it not checked yet.

    Raises:
        InvalidRules: an unknown field, or something else where a list or an object belongs.
    """
    for name in document:
        if name not in Rules.__dataclass_fields__:
            raise InvalidRules(name, "unknown_field")
    given = dict(document)
    for name in _LISTS:
        if name in given:
            given[name] = tuple(listed(name, given[name], None if name in ("draw", "ranking") else MOST_ROWS))
    for name, kind in _OBJECTS.items():
        if name in given:
            given[name] = _nested(kind, given[name], name)
    if given.get("prediction") is not None:
        given["prediction"] = _nested(Prediction, given["prediction"], "prediction")
    given["draw"] = _rows(DrawPart, given, "draw")
    given["brackets"] = _rows(Bracket, given, "brackets", lists=("units", "kinds"))
    given["prizes"] = _rows(Prize, given, "prizes")
    if "seconds" not in given and (time := _whole_time(given)) is not None:
        given["seconds"] = time
    return Rules(**given)


def rules_document(rules: Rules) -> dict[str, Any]:
    """The JSON form, complete with defaults: what is stored and sent."""
    document: dict[str, Any] = _plain(asdict(rules))
    return document


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, tuple | list) else value


def _whole_time(given: Mapping[str, Any]) -> int | None:
    """The time of a paper from the time of a question; None where one of the two is none, or refused later."""
    each, count = given.get("seconds_per_question"), given.get("questions", Rules().questions)
    return each * count if type(each) is int and type(count) is int else None


def _rows(kind: type[Any], given: Mapping[str, Any], where: str, lists: Sequence[str] = ()) -> tuple[Any, ...]:
    return tuple(_nested(kind, row, where, place, lists) for place, row in enumerate(given.get(where, ())))


def _nested(kind: type[Any], value: Any, where: str, place: int | None = None, lists: Sequence[str] = ()) -> Any:
    if not isinstance(value, Mapping):
        raise InvalidRules(where, "not_an_object", place)
    for name in value:
        if name not in kind.__dataclass_fields__:
            raise InvalidRules(f"{where}.{name}", "unknown_field", place)
    for part in fields(kind):
        if part.default is MISSING and part.default_factory is MISSING and part.name not in value:
            raise InvalidRules(f"{where}.{part.name}", "missing", place)
    made = {name: tuple(listed(f"{where}.{name}", value[name], place=place)) for name in lists if name in value}
    return kind(**{**value, **made})
