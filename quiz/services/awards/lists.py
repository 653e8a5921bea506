"""The award list of a round, step by step: made, checked by somebody else, announced, paid.

Each step is a human act with its line in the log, and safe to repeat. A list that is announced never changes by
itself: making it anew makes another version, which goes through the same steps and then replaces it.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Collection, Sequence
from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from quiz.errors import FieldError, Refusal
from quiz.models import Award, AwardList, Round
from quiz.models.award import IN_WORK, LIVING, PUBLIC
from quiz.services import audit
from quiz.services.awards import lots
from quiz.services.awards.choosing import Given, Of, Outcome, choose
from quiz.services.awards.prizes import Prize, caps_of, of_rules, prizes_of
from quiz.services.awards.sources import Sources, held_elsewhere

_LOCK = 83
"""First half of the advisory lock of a contest's awards: caps reach over rounds."""
MAX_REFERENCE = 100


# Making


def begin(session: Session, awarded: Round, now: datetime, *, actor_id: int) -> AwardList:
    """Ask for the list of a final round, or for a list in work to be made anew. The caller commits and asks a worker.

    Raises:
        Refusal: invalid_request with what stands in the way.
    """
    lock(session, awarded.contest_id)
    if awarded.finalized_at is None:
        raise _invalid("round", _l("Make the result of the round final first: until then ranks can change."))
    rules = of_rules(awarded.rules)
    if not prizes_of(rules):
        raise _invalid("round", _l("The rules of this round name no prizes."))
    made = in_work(session, awarded.id)
    if made is None:
        newest = session.scalar(select(func.max(AwardList.version)).where(AwardList.round_id == awarded.id)) or 0
        made = AwardList(
            contest_id=awarded.contest_id,
            round_id=awarded.id,
            version=newest + 1,
            secret=secrets.token_bytes(32),
            passed=[],
        )
        session.add(made)
    elif made.state == "making":
        return made
    made.state, made.rules, made.doubt = "making", rules, None
    made.made_by, made.made_at, made.checked_by, made.checked_at = actor_id, now, None, None
    session.flush()
    audit.append(session, now, actor_id, "awards.asked", _subject(made), {"version": made.version})
    return made


def fill(session: Session, list_id: int, now: datetime) -> bool:
    """Choose the winners of a list that is being made; False if there was nothing to do. The caller commits."""
    made = session.get(AwardList, list_id, with_for_update=True, populate_existing=True)
    if made is None or made.state != "making":
        return False
    lock(session, made.contest_id)
    outcome = chosen(session, made.round, made)
    _write(session, made, outcome, now)
    lots.prepare(session, made, outcome.ties, now)
    made.state = "provisional"
    session.flush()
    detail = {"version": made.version, "awards": len(outcome.given), "lots": len(outcome.ties)}
    audit.append(session, now, made.made_by, "awards.made", _subject(made), detail)
    return True


def chosen(session: Session, awarded: Round, made: AwardList) -> Outcome:
    """Who would get the prizes as everything stands now."""
    return choose(
        Sources(session, awarded, made.rules).lines(),
        caps_of(made.rules),
        held_elsewhere(session, awarded),
        out=disqualified(session, awarded.id),
        orders=lots.orders(made),
    )


def disqualified(session: Session, round_id: int) -> Collection[tuple[Of, int]]:
    """Who was disqualified from the prizes of a round, in any version of its list."""
    rows = session.execute(
        select(Award.person_id, Award.unit_id)
        .join(AwardList, AwardList.id == Award.list_id)
        .where(AwardList.round_id == round_id, Award.state == "disqualified", Award.lifted_at.is_(None))
    )
    found: set[tuple[Of, int]] = set()
    for person, unit in rows:
        found.add(("unit", unit or 0) if person is None else ("person", person))
    return found


def _write(session: Session, made: AwardList, outcome: Outcome, now: datetime) -> None:
    """Keep the places whose winner stays; end the others, and give what is new."""
    given = {(each.slot.prize, each.slot.place): each for each in outcome.given}
    kept = set()
    for award in living(made):
        place = (award.prize, award.place)
        new = given.get(place)
        if new is not None and award.state == "held" and new.candidate.id == (award.person_id or award.unit_id):
            award.why = why(new)
            kept.add(place)
        else:
            end(award, "superseded", str(_l("The list was made anew.")), now, made.made_by)
    session.flush()
    prizes = {prize.key: prize for prize in prizes_of(made.rules)}
    for place, each in given.items():
        if place not in kept:
            session.add(award_of(made, prizes[each.slot.prize], each, now))
    made.passed = [
        {
            "line": each.line.key,
            "of": each.line.of,
            "id": each.candidate.id,
            "reason": each.reason,
            "prize": each.slot.prize if each.slot else None,
        }
        for each in outcome.passed
    ][:500]
    session.flush()


def award_of(made: AwardList, prize: Prize, given: Given, now: datetime) -> Award:
    person = given.line.of == "person"
    return Award(
        list_id=made.id,
        prize=prize.key,
        place=given.slot.place,
        name=prize.name,
        kind=prize.kind,
        value=prize.value,
        person_id=given.candidate.id if person else None,
        unit_id=None if person else given.candidate.id,
        home_id=given.candidate.home,
        why=why(given),
        state="held",
        reason="",
        made_at=now,
    )


def why(given: Given) -> dict[str, object]:
    return {**given.candidate.facts, "line": given.line.key, "lot": given.by_lot}


def end(award: Award, state: str, reason: str, now: datetime, actor_id: int) -> None:
    award.state, award.reason, award.ended_at, award.ended_by = state, reason, now, actor_id


# Checked, announced, paid


def check(session: Session, list_id: int, now: datetime, *, actor_id: int) -> AwardList:
    """Approve a provisional list, by somebody else than who made it. The caller commits.

    Raises:
        Refusal: not_found; invalid_request with what stands in the way.
    """
    made = locked(session, list_id)
    if made.state in ("checked", *PUBLIC):
        return made
    if made.state != "provisional":
        raise _invalid("list", _l("This list does not wait to be checked."))
    if made.made_by == actor_id:
        raise _invalid("list", _l("Somebody else has to check it: you made it yourself."))
    _nothing_open(made)
    made.state, made.checked_by, made.checked_at = "checked", actor_id, now
    audit.append(session, now, actor_id, "awards.checked", _subject(made), _numbers(made))
    return made


def announce(session: Session, list_id: int, typed: str, now: datetime, *, actor_id: int) -> AwardList:
    """Make the winners public and tell them. The caller commits.

    Args:
        typed: the number of the round, typed by hand.

    Raises:
        Refusal: not_found; invalid_request with what stands in the way.
    """
    made = locked(session, list_id)
    if made.state in PUBLIC:
        return made
    if made.state != "checked":
        raise _invalid("list", _l("Somebody else has to check the list before it is announced."))
    if made.round.published_at is None:
        raise _invalid("list", _l("Publish the results of the round first."))
    _nothing_open(made)
    if typed.strip() != str(made.round.number):
        raise _invalid("typed", _l("Type the number of the round: %(number)s.", number=made.round.number))
    before = public(session, made.round_id)
    if before is not None:
        before.state = "replaced"
        session.flush()
        _carry_payments(before, made)
    made.state, made.announced_by, made.announced_at = "announced", actor_id, now
    session.flush()
    _close_if_paid(made, now)
    audit.append(session, now, actor_id, "awards.announced", _subject(made), _numbers(made))
    return made


def pay(
    session: Session, list_id: int, award_ids: Collection[int], on: dt.date | None, reference: str, now: datetime,
    *, actor_id: int,
) -> AwardList:  # fmt: skip
    """Write down that prizes of an announced list were paid out; those that were before keep what is written.

    The list is paid when all of it is. The caller commits.

    Raises:
        Refusal: not_found; invalid_request naming what is missing.
    """
    made = locked(session, list_id)
    if made.state not in PUBLIC:
        raise _invalid("list", _l("Prizes are paid after the list was announced."))
    tidy = reference.strip()
    if on is None or on > now.date():
        raise _invalid("paid_on", _l("Write the day on which it was paid."))
    if not tidy or len(tidy) > MAX_REFERENCE:
        raise _invalid("reference", _l("Write the number of the payment, so that it can be found again."))
    paid = [a for a in made.awards if a.id in award_ids and a.state == "held" and a.paid_on is None]
    for award in paid:
        award.paid_on, award.paid_reference, award.paid_by = on, tidy, actor_id
    if paid:
        detail = {"awards": [award.id for award in paid], "on": on.isoformat(), "reference": tidy}
        audit.append(session, now, actor_id, "awards.paid", _subject(made), detail)
    _close_if_paid(made, now)
    return made


def keep(session: Session, list_id: int, reason: str, now: datetime, *, actor_id: int) -> AwardList:
    """Leave a list as it is although something it rests on was changed. The caller commits.

    Raises:
        Refusal: not_found; invalid_request without a reason.
    """
    made = locked(session, list_id)
    if made.doubt is None:
        return made
    if not reason.strip():
        raise _invalid("reason", _l("Write the reason; it stands in the log."))
    detail, made.doubt = made.doubt, None
    audit.append(session, now, actor_id, "awards.kept", _subject(made), detail, reason.strip())
    return made


def _nothing_open(made: AwardList) -> None:
    if made.doubt is not None:
        raise _invalid("list", _l("Something it rests on was changed. Make it anew, or keep it with a reason, first."))
    if any(lot.state in ("waiting", "published") for lot in made.lots):
        raise _invalid("list", _l("A lot is still to be drawn."))
    if any(award.state == "offered" for award in made.awards):
        raise _invalid("list", _l("A place is offered to the next in line and waits for a second person."))


def _carry_payments(before: AwardList, after: AwardList) -> None:
    """What was paid stays paid where the winner of a place is the same."""
    paid = {(a.prize, a.person_id, a.unit_id): a for a in living(before) if a.paid_on is not None}
    for award in living(after):
        old = paid.get((award.prize, award.person_id, award.unit_id))
        if old is not None:
            award.paid_on, award.paid_reference, award.paid_by = old.paid_on, old.paid_reference, old.paid_by


def _close_if_paid(made: AwardList, now: datetime) -> None:
    held = living(made)
    done = bool(held) and all(award.paid_on is not None for award in held)
    if done and made.state == "announced":
        made.state, made.paid_at = "paid", now
    elif not done and made.state == "paid":
        made.state, made.paid_at = "announced", None


def reopen_if_unpaid(made: AwardList, now: datetime) -> None:
    """After a place of a paid list changed hands."""
    if made.state in PUBLIC:
        _close_if_paid(made, now)


# Finding them


def living(made: AwardList) -> list[Award]:
    return [award for award in made.awards if award.state in LIVING]


def in_work(session: Session, round_id: int) -> AwardList | None:
    return _in(session, round_id, IN_WORK)


def public(session: Session, round_id: int) -> AwardList | None:
    return _in(session, round_id, PUBLIC)


def _in(session: Session, round_id: int, states: Sequence[str]) -> AwardList | None:
    return session.scalar(select(AwardList).where(AwardList.round_id == round_id, AwardList.state.in_(states)))


def versions(session: Session, round_id: int) -> Sequence[AwardList]:
    """All lists of a round, the newest first."""
    return session.scalars(
        select(AwardList).where(AwardList.round_id == round_id).order_by(AwardList.version.desc())
    ).all()


def locked(session: Session, list_id: int) -> AwardList:
    """The list, with its contest's awards to ourselves until the transaction ends.

    Raises:
        Refusal: not_found.
    """
    made = session.get(AwardList, list_id)
    if made is None:
        raise Refusal("not_found")
    lock(session, made.contest_id)
    session.refresh(made)
    return made


def lock(session: Session, contest_id: int) -> None:
    session.execute(text("SELECT pg_advisory_xact_lock(:c, :id)"), {"c": _LOCK, "id": contest_id})


def _numbers(made: AwardList) -> dict[str, int]:
    held = living(made)
    return {"version": made.version, "awards": len(held), "value": sum(award.value for award in held)}


def _subject(made: AwardList) -> str:
    return f"award_list:{made.id}"


def _invalid(field: str, message: object) -> Refusal:
    return Refusal("invalid_request", errors=(FieldError(field, message),))
