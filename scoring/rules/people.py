"""Who may take part, and in which bracket somebody is ranked: pure functions of the rules and of what is known."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, field

from scoring.rules.document import Bracket, Rules


@dataclass(frozen=True, slots=True)
class Person:
    """What of a person the rules can ask for."""

    age: int | None = None
    """This year less the year of birth; None: never said."""
    kind: str | None = None
    """Kind of member; None: never said."""
    units: Set[str] = field(default_factory=frozenset)
    """Codes of the home unit and of all units above it."""


def bracket_of(rules: Rules, person: Person) -> Bracket | None:
    """The first bracket that fits; None: the person is ranked among all alone."""
    return next((bracket for bracket in rules.brackets if _fits(bracket, person)), None)


def not_eligible(rules: Rules, person: Person) -> str | None:
    """Why somebody may not take part, as a word that pages have a sentence for; None: may.

    One of age_unknown, too_young, too_old, kind_unknown, kind_not_eligible, kind_barred, unit_not_eligible.
    """
    return _age_refused(rules, person.age) or _kind_refused(rules, person.kind) or _unit_refused(rules, person.units)


def _age_refused(rules: Rules, age: int | None) -> str | None:
    if rules.min_age is None and rules.max_age is None:
        return None
    if age is None:
        return "age_unknown"
    if rules.min_age is not None and age < rules.min_age:
        return "too_young"
    return "too_old" if rules.max_age is not None and age > rules.max_age else None


def _kind_refused(rules: Rules, kind: str | None) -> str | None:
    if rules.eligible_kinds and kind not in rules.eligible_kinds:
        return "kind_unknown" if kind is None else "kind_not_eligible"
    return "kind_barred" if kind is not None and kind in rules.barred_kinds else None


def _unit_refused(rules: Rules, units: Set[str]) -> str | None:
    return "unit_not_eligible" if rules.eligible_units and units.isdisjoint(rules.eligible_units) else None


def _fits(bracket: Bracket, person: Person) -> bool:
    if bracket.units and person.units.isdisjoint(bracket.units) != bracket.outside:
        return False
    if bracket.kinds and person.kind not in bracket.kinds:
        return False
    if bracket.min_age is None and bracket.max_age is None:
        return True
    if person.age is None:
        return False
    low = bracket.min_age is None or person.age >= bracket.min_age
    return low and (bracket.max_age is None or person.age <= bracket.max_age)
