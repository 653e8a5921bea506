"""People of one bracket alone: how boards and rankings ask for them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from quiz.clock import CONTEST_ZONE
from quiz.errors import Refusal
from scoring.rules import Rules, bracket_sql


def condition(rules: Rules, opens_at: datetime, bracket: str | None) -> tuple[str, dict[str, Any]]:
    """For a WHERE over `standing s JOIN users u`: whether somebody is in the bracket, and its values. None: everybody.

    Nothing is stored: a bracket follows from the unit of the round, the year of birth and the kind of member. Read in
    the order of merit it costs as many rows as it skips; only a bracket that nobody is in makes it read the round.

    Raises:
        Refusal: not_found, for a key that the rules don't have.
    """
    if bracket is None:
        return "true", {}
    if bracket not in {each.key for each in rules.brackets}:
        raise Refusal("not_found")
    year = opens_at.astimezone(CONTEST_ZONE).year
    expression, values = bracket_sql(rules, year, "s.unit_id", "u.birth_year", "u.member_kind")
    return f"({expression}) = :bracket", {**values, "bracket": bracket}
