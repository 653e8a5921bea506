"""Who may take part, and in which bracket somebody is ranked: pure functions of the rules and of what is known."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from typing import Any

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


def bracket_sql(
    rules: Rules, year: int, unit_id: str, birth_year: str, member_kind: str
) -> tuple[str, Mapping[str, Any]]:
    """The same as `bracket_of` in SQL, for many people at once: an expression that gives the key or NULL, its values.

    Args:
        year: the one that ages are counted in: of the round's opening, so that nobody's bracket moves at New Year.
        unit_id, birth_year, member_kind: columns; they come from our code, never from outside.
    """
    cases: list[str] = []
    values: dict[str, Any] = {}
    for place, bracket in enumerate(rules.brackets):
        conditions = ["true"]
        if bracket.units:
            values[f"bracket_units_{place}"] = list(bracket.units)
            inside = f"{unit_id} IN ({_INSIDE.format(codes=f':bracket_units_{place}')})"
            conditions.append(f"NOT {inside}" if bracket.outside else inside)
        if bracket.kinds:
            values[f"bracket_kinds_{place}"] = list(bracket.kinds)
            conditions.append(f"{member_kind} = ANY(:bracket_kinds_{place})")
        if bracket.min_age is not None:
            conditions.append(f"{year} - {birth_year} >= {int(bracket.min_age)}")
        if bracket.max_age is not None:
            conditions.append(f"{year} - {birth_year} <= {int(bracket.max_age)}")
        values[f"bracket_key_{place}"] = bracket.key
        cases.append(f"WHEN {' AND '.join(conditions)} THEN CAST(:bracket_key_{place} AS text)")
    return (f"CASE {' '.join(cases)} END" if cases else "CAST(NULL AS text)"), values


# Today's units of these codes, all below them, and the former units that went into one of them whole.
_INSIDE = """
    WITH RECURSIVE inside AS (
        SELECT id FROM unit WHERE code = ANY({codes}) AND valid_to IS NULL
        UNION
        SELECT more.id FROM inside, LATERAL (
            SELECT id FROM unit WHERE parent_id = inside.id
            UNION ALL
            SELECT c.from_unit_id FROM unit_change c WHERE c.to_unit_id = inside.id AND c.part = 'whole'
                AND NOT EXISTS (SELECT FROM unit_change o
                    WHERE o.from_unit_id = c.from_unit_id AND o.part = 'whole' AND o.to_unit_id <> c.to_unit_id)
        ) more
    ) SELECT id FROM inside"""
