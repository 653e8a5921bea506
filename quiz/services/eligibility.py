"""Whether the rules let somebody start: asked before the attempt is opened, and only in rounds that ask anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from quiz.clock import CONTEST_ZONE
from quiz.models import User
from scoring.rules import MEMBER_KINDS, Person, not_eligible, rules_from


def asks(document: Mapping[str, Any]) -> bool:
    """Whether a round's rules ask anything of people that a table has to say; most don't."""
    return (
        any(document.get(name) for name in ("min_age", "max_age", "eligible_kinds", "eligible_units"))
        # Functions in the contest are copied into the shards; they need no table.
        or any(kind in MEMBER_KINDS for kind in document.get("barred_kinds", ()))
    )


def refused(
    document: Mapping[str, Any], user_id: int, unit_id: int, now: datetime, session: Callable[[], Session]
) -> str | None:
    """Why somebody may not start, as a word of `quiz.errors.NOT_ELIGIBLE`; None: may.

    Years of age are counted by the calendar year: nobody is asked for a day of birth.
    """
    if not asks(document):
        return None
    rules = rules_from(document)
    held = session()
    said = held.execute(select(User.birth_year, User.member_kind).where(User.id == user_id)).one_or_none()
    born, kind = said if said is not None else (None, None)
    age = None if born is None else now.astimezone(CONTEST_ZONE).year - born
    units = line_of(held, unit_id) if rules.eligible_units else frozenset()
    return not_eligible(rules, Person(age, kind, units))


def line_of(session: Session, unit_id: int) -> frozenset[str]:
    """Codes of a unit and of all above it, as of today: a former unit stands for the one that it went to whole."""
    return frozenset(session.scalars(_LINE, {"unit": unit_id}))


_LINE = text(
    """
    WITH RECURSIVE line AS (
        SELECT id, code, valid_to, parent_id FROM unit WHERE id = :unit
        UNION
        SELECT u.id, u.code, u.valid_to, u.parent_id FROM line JOIN unit u ON u.id = coalesce(
            (SELECT min(c.to_unit_id) FROM unit_change c
             WHERE c.from_unit_id = line.id AND c.part = 'whole' HAVING count(*) = 1),
            line.parent_id)
    )
    SELECT code FROM line WHERE valid_to IS NULL
    """
)
