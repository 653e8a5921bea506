"""What is wrong with a rules document, in the reader's language; the codes are those of scoring.rules.checks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l

from quiz.errors import FieldError, Refusal
from quiz.wording import number
from scoring.rules import InvalidRules

LABELS: Mapping[str, Any] = {
    "questions": _l("Questions on a paper"),
    "draw": _l("Parts of the draw"),
    "draw.count": _l("Number of questions"),
    "draw.topic": _l("Topic"),
    "draw.difficulty": _l("Difficulty"),
    "fixed": _l("The same questions for everybody"),
    "cap": _l("Attempts"),
    "seconds": _l("Seconds for a paper"),
    "seconds_per_question": _l("Seconds for a question"),
    "grace_seconds": _l("Seconds of grace for slow lines"),
    "which": _l("Which entry counts"),
    "ranking": _l("Order of the ranking"),
    "points": _l("Points for a right answer"),
    "complete_only": _l("Complete papers only"),
    "prediction": _l("Prediction"),
    "prediction.kind": _l("What is predicted"),
    "prediction.text": _l("The question as people read it"),
    "prediction.min": _l("Lowest number"),
    "prediction.max": _l("Highest number"),
    "late": _l("Late papers"),
    "late.accept_minutes": _l("Minutes in which a late paper is taken"),
    "late.counts": _l("What a late paper counts as"),
    "release": _l("Release"),
    "release.score": _l("People learn their score"),
    "release.key": _l("People see the right answers"),
    "min_age": _l("From the age of"),
    "max_age": _l("Up to the age of"),
    "eligible_kinds": _l("Only these kinds of member"),
    "eligible_units": _l("Only people of these units"),
    "barred_kinds": _l("Who may not take part"),
    "brackets": _l("Brackets"),
    "brackets.key": _l("Key of the bracket"),
    "brackets.name": _l("Name of the bracket"),
    "brackets.units": _l("Units"),
    "brackets.outside": _l("Outside of these units"),
    "brackets.min_age": _l("From the age of"),
    "brackets.max_age": _l("Up to the age of"),
    "brackets.kinds": _l("Kinds of member"),
    "prizes": _l("Prizes"),
    "prizes.key": _l("Key of the prize"),
    "prizes.name": _l("Name of the prize"),
    "prizes.kind": _l("Kind of prize"),
    "prizes.count": _l("Number of prizes"),
    "prizes.value": _l("Value in đồng"),
    "prizes.bracket": _l("For the bracket"),
    "prizes.by": _l("Units are compared by"),
    "prizes.level": _l("Which units"),
    "prizes.min_participants": _l("Only units with so many people"),
    "prize_caps": _l("Most prizes"),
    "prize_caps.person_round": _l("Of a person in a round"),
    "prize_caps.person_season": _l("Of a person in the whole contest"),
    "prize_caps.unit_round": _l("Of a province or union in a round"),
    "prize_caps.unit_season": _l("Of a province or union in the whole contest"),
}
"""What a field is called beside its input."""

_MESSAGES: Mapping[str, Any] = {
    "unknown_field": _l("The rules have no such field."),
    "missing": _l("This field is missing."),
    "not_an_object": _l("This field is not of the kind that is expected here."),
    "not_a_list": _l("This field is not of the kind that is expected here."),
    "too_many": _l("At most %(most)s."),
    "not_a_flag": _l("This field is not of the kind that is expected here."),
    "not_a_text": _l("Write something here."),
    "not_a_key": _l("Use small letters, digits and hyphens, at most 40."),
    "not_a_unit": _l("A code has capital letters and digits only: 01, 26740, TNQH."),
    "not_whole": _l("Enter a whole number from %(low)s to %(high)s."),
    "not_one_of": _l("Choose one from the list."),
    "twice": _l("Each one once only."),
    "none": _l("Choose at least one."),
    "draw_sum": _l("The parts must add up to the questions on a paper."),
    "draw_of_fixed": _l("Where everybody has the same questions, there are no parts to draw. Take the parts away."),
    "not_below": _l("It must not be below the one before it."),
    "seconds_product": _l("It must be the seconds for a question times the questions."),
    "same_key": _l("Another row has this key."),
    "outside_of_nothing": _l("Name the units that it is outside of."),
    "kind_both": _l("Who may take part can't be barred."),
    "unknown_bracket": _l("There is no such bracket."),
    "only_collective": _l("Only for a collective prize."),
    "needed_collective": _l("A collective prize needs it."),
    "only_people": _l("Only for prizes of people."),
}


def message(problem: InvalidRules) -> Any:
    """The sentence, with its numbers; rendered in the language of whoever reads it now."""
    values = {name: number(value) if isinstance(value, int) else value for name, value in problem.values.items()}
    return str(_MESSAGES[problem.code]) % values if values else str(_MESSAGES[problem.code])


def input_name(problem: InvalidRules) -> str:
    """The name of the form's input: `prizes.1.count` for the count of the second prize."""
    head, dot, tail = problem.field.partition(".")
    return problem.field if problem.place is None else f"{head}.{problem.place}{dot}{tail}"


def refusal(problem: InvalidRules) -> Refusal:
    """One field of a document that is not right, for callers without a form."""
    return Refusal("invalid_request", errors=(FieldError(f"rules.{input_name(problem)}", message(problem)),))


def label(name: str) -> str:
    """What an input of the form is called, with the number of its row: “Giải thưởng 2: Số giải”."""
    parts = name.split(".")
    if len(parts) > 1 and parts[1].isdigit():
        row = f"{LABELS[parts[0]]} {int(parts[1]) + 1}"
        return row if len(parts) == 2 else f"{row}: {LABELS[f'{parts[0]}.{parts[2]}']}"
    return str(LABELS.get(name, name))
