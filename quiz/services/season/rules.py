"""Changing the rules of a round, or those that a contest's rounds begin with; what may not change is refused."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from quiz.errors import FieldError, Refusal
from quiz.models import Bank, Contest, Round, Unit
from quiz.models.base import lock
from quiz.phases import Phase
from quiz.services import audit, rules_form
from quiz.services.season.cards import strata_of
from scoring.rules import Rules, rules_document, rules_from

SETTLED = timedelta(minutes=1)
"""So long before it opens a round counts as open: its rules are on their way into every process."""
OPEN_MAY_CHANGE = ("barred_kinds", "prizes", "prize_caps")
"""Fields that neither papers nor points nor ranks follow from: they may change as long as the round is open."""


def may_change(made: Round, now: datetime) -> frozenset[str]:
    """Fields of the rules that may still change; a form shows the others as they are."""
    phase = _phase(made, now)
    if phase in (Phase.DRAFT, Phase.SCHEDULED):
        return frozenset(Rules.__dataclass_fields__)
    return frozenset(OPEN_MAY_CHANGE) if phase is Phase.OPEN else frozenset()


def change_rules(
    session: Session, changed: Round, document: Mapping[str, Any], now: datetime, actor_id: int
) -> list[str]:
    """Write a round's rules; returns the fields that changed. The caller commits, publishes and primes.

    Raises:
        Refusal: invalid_request, naming the inputs of the form and why they can't be or can't change any more.
    """
    lock(session, changed)
    rules = checked(session, document)
    after = rules_document(rules)
    difference = rules_form.changed(changed.rules, after)
    names = list(difference["after"])
    allowed = may_change(changed, now)
    fixed = [name for name in names if name not in allowed]
    if fixed:
        reason = _why_fixed(changed, now)
        raise Refusal("invalid_request", errors=tuple(FieldError(name, reason) for name in fixed))
    if names:
        _check_bank(session, changed, rules)
        changed.rules = after
        audit.append(session, now, actor_id, "round.rules_changed", f"round:{changed.id}", difference)
    return names


def change_template(
    session: Session, contest: Contest, document: Mapping[str, Any], now: datetime, actor_id: int
) -> list[Round]:
    """Write the rules that new rounds begin with, and those of every round that has not opened; returns these rounds.

    Raises:
        Refusal: invalid_request; a round whose frozen bank is too small for the rules is named.
    """
    lock(session, contest)
    rules = checked(session, document)
    after = rules_document(rules)
    difference = rules_form.changed(contest.rules or {}, after)
    statement = select(Round).where(Round.contest_id == contest.id).order_by(Round.number).with_for_update()
    rounds = [
        made
        for made in session.scalars(statement).all()
        if _phase(made, now) in (Phase.DRAFT, Phase.SCHEDULED) and rules_form.changed(made.rules, after)["after"]
    ]
    for made in rounds:
        _check_bank(session, made, rules)
    for made in rounds:
        audit.append(
            session, now, actor_id, "round.rules_changed", f"round:{made.id}", rules_form.changed(made.rules, after)
        )
        made.rules = after
    if contest.rules != after:
        contest.rules = after
        detail = {**difference, "rounds": [made.number for made in rounds]}
        audit.append(session, now, actor_id, "contest.rules_changed", f"contest:{contest.id}", detail)
    return rounds


def checked(session: Session, document: Mapping[str, Any]) -> Rules:
    """The document as rules, its units known.

    Raises:
        Refusal: invalid_request, naming the inputs of the form.
    """
    wrong = rules_form.problems(document)
    if not wrong:
        rules = rules_from(document)
        wrong = _unknown_units(session, rules)
        if not wrong:
            return rules
    raise Refusal("invalid_request", errors=tuple(FieldError(name, message) for name, message in wrong.items()))


def _unknown_units(session: Session, rules: Rules) -> dict[str, Any]:
    asked = {"eligible_units": rules.eligible_units}
    asked |= {f"brackets.{place}.units": bracket.units for place, bracket in enumerate(rules.brackets)}
    codes = {code for each in asked.values() for code in each}
    if not codes:
        return {}
    known = set(session.scalars(select(Unit.code).where(Unit.code.in_(codes), Unit.valid_to.is_(None))))
    return {
        name: _l("No unit has the code %(codes)s.", codes=", ".join(code for code in each if code not in known))
        for name, each in asked.items()
        if not known.issuperset(each)
    }


def _check_bank(session: Session, made: Round, rules: Rules) -> None:
    """Papers come from the frozen bank: rules that it can't fill wait until it is frozen anew."""
    if made.bank_version is None:
        return
    bank = session.scalar(select(Bank).where(Bank.round_id == made.id, Bank.version == made.bank_version))
    if bank is None:
        return
    try:
        strata_of(rules, bank.content)
    except Refusal as refused:
        message = _l("Round %(number)s: %(reason)s", number=made.number, reason=refused.errors[0].message)
        field = "draw" if rules.draw else "questions"
        raise Refusal("invalid_request", errors=(FieldError(field, message),)) from refused


def _phase(made: Round, now: datetime) -> Phase:
    phase = made.phase(now)
    return made.phase(now + SETTLED) if phase is Phase.SCHEDULED else phase


def _why_fixed(made: Round, now: datetime) -> Any:
    phase = _phase(made, now)
    if phase is Phase.OPEN:
        return _l("The round is open, papers have been drawn by it. Only prizes and who is barred may still change.")
    if phase is Phase.CLOSED:
        return _l("The round is over: its rules don't change any more. A wrong key is corrected instead.")
    return _l("The result is final: nothing of this round changes any more.")
