"""A place that changes hands after a list was checked: disqualified, offered to the next in line, accepted, undone.

Nobody else moves: who holds a place keeps it, and only the one that became free is offered, to the best who holds none
in that line. Before a list is checked it is made anew instead, and everybody moves up (docs/awards.md).
"""

from __future__ import annotations

from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from quiz.errors import FieldError, Refusal
from quiz.models import Award, AwardList, Lot
from quiz.services import audit
from quiz.services.awards import lists, lots
from quiz.services.awards.choosing import Candidate, Held, Line, Outcome, Slot, choose, over_a_cap
from quiz.services.awards.prizes import Prize, caps_of, prizes_of
from quiz.services.awards.sources import Sources, held_elsewhere


def disqualify(session: Session, award_id: int, reason: str, now: datetime, *, actor_id: int) -> AwardList:
    """Take a prize from its winner. The caller commits, and asks a worker if the list is being made anew.

    Raises:
        Refusal: not_found; invalid_request.
    """
    award, made = _locked(session, award_id)
    if award.state == "disqualified":
        return made
    if not award.living or made.state in ("making", "replaced"):
        raise _invalid("award", _l("This place is not held any more."))
    if not reason.strip():
        raise _invalid("reason", _l("Write the reason; it stands in the log."))
    lists.end(award, "disqualified", reason.strip(), now, actor_id)
    session.flush()
    audit.append(session, now, actor_id, "award.disqualified", f"award_list:{made.id}", _facts(award), award.reason)
    if made.state == "provisional":
        lists.begin(session, made.round, now, actor_id=actor_id)
    else:
        _offer_next(session, made, award, now, actor_id)
    lists.reopen_if_unpaid(made, now)
    return made


def accept(session: Session, award_id: int, now: datetime, *, actor_id: int) -> AwardList:
    """Give the offered place, by somebody else than who offered it. The caller commits.

    Raises:
        Refusal: not_found; invalid_request.
    """
    award, made = _locked(session, award_id)
    if award.state == "held":
        return made
    if award.state != "offered":
        raise _invalid("award", _l("This place is not offered any more."))
    if award.offered_by == actor_id:
        raise _invalid("award", _l("Somebody else has to confirm it: you offered it yourself."))
    award.state, award.accepted_by = "held", actor_id
    audit.append(session, now, actor_id, "award.accepted", f"award_list:{made.id}", _facts(award))
    lists.reopen_if_unpaid(made, now)
    return made


def reinstate(session: Session, award_id: int, reason: str, now: datetime, *, actor_id: int) -> AwardList:
    """Take a disqualification back, as a new step: the place is offered to whom it was taken from.

    The caller commits, and asks a worker if the list is being made anew.

    Raises:
        Refusal: not_found; invalid_request, also when the place is somebody else's by now.
    """
    award, made = _locked(session, award_id)
    if award.state != "disqualified" or award.lifted_at is not None or made.state in ("making", "replaced"):
        raise _invalid("award", _l("There is no disqualification to take back."))
    if not reason.strip():
        raise _invalid("reason", _l("Write the reason; it stands in the log."))
    now_there = _at(made, award)
    if made.state != "provisional" and now_there is not None and now_there.state == "held":
        raise _invalid("award", _l("The next in line holds this place by now. Take it from them first."))
    if made.state != "provisional" and _no_room(session, made, award, now_there):
        raise _invalid("award", _l("Another prize was given since, and a cap leaves no room for this one."))
    award.lifted_at, award.lifted_by = now, actor_id
    audit.append(session, now, actor_id, "award.reinstated", f"award_list:{made.id}", _facts(award), reason.strip())
    if made.state == "provisional":
        lists.begin(session, made.round, now, actor_id=actor_id)
        return made
    if now_there is not None:
        lists.end(now_there, "superseded", str(_l("The disqualification was taken back.")), now, actor_id)
    for lot in _open_lots(made, award):
        lot.state = "void"
    session.flush()
    _add(session, made, _again(made, award, reason.strip(), now, actor_id))
    lists.reopen_if_unpaid(made, now)
    return made


def after_the_draw(session: Session, lot: Lot, now: datetime, *, actor_id: int) -> AwardList:
    """Give the places of a lot that was just drawn. The caller commits, and asks a worker if the list is made anew.

    Raises:
        Refusal: not_found.
    """
    made = lists.locked(session, lot.list_id)
    if made.state in ("provisional", "making"):
        lists.begin(session, made.round, now, actor_id=actor_id)
        return made
    line, prize = Sources(session, made.round, made.rules).line(lot.line)
    for name, place in lot.places:
        slot = Slot(name, place)
        if not any((award.prize, award.place) == (name, place) for award in lists.living(made)):
            outcome = _choose(session, made, Line(line.key, line.of, (slot,)), prize)
            _take(session, made, outcome, now, actor_id)
    return made


def _offer_next(session: Session, made: AwardList, award: Award, now: datetime, actor_id: int) -> None:
    line, prize = Sources(session, made.round, made.rules).line(award.why["line"])
    outcome = _choose(session, made, Line(line.key, line.of, (Slot(award.prize, award.place),)), prize)
    _take(session, made, outcome, now, actor_id)
    for tie in outcome.ties:
        # Lots that wait already stay: `prepare` would void those of other places.
        made.lots.append(lots.waiting(made, tie, now))
    session.flush()


def _choose(session: Session, made: AwardList, line: Line, prize: Prize) -> Outcome:
    """The next in line for one free place: everybody else keeps theirs."""
    sources = Sources(session, made.round, made.rules)
    holders = {award.person_id or award.unit_id for award in lists.living(made) if award.why.get("line") == line.key}
    rest = (candidate for candidate in sources.of(prize) if candidate.id not in holders)
    return choose(
        [(line, rest)],
        caps_of(made.rules),
        _held(session, made),
        out=lists.disqualified(session, made.round_id),
        orders=lots.orders(made),
        spare=0,
    )


def _held(session: Session, made: AwardList) -> Held:
    held = held_elsewhere(session, made.round)
    for award in lists.living(made):
        if award.person_id is not None:
            held.add(Candidate(award.person_id, None, award.home_id))
    return held


def _take(session: Session, made: AwardList, outcome: Outcome, now: datetime, actor_id: int) -> None:
    prizes = {prize.key: prize for prize in prizes_of(made.rules)}
    for given in outcome.given:
        award = lists.award_of(made, prizes[given.slot.prize], given, now)
        award.state, award.offered_by = "offered", actor_id
        _add(session, made, award)
        audit.append(session, now, actor_id, "award.offered", f"award_list:{made.id}", _facts(award))


def _again(made: AwardList, award: Award, reason: str, now: datetime, actor_id: int) -> Award:
    copied = ("prize", "place", "name", "kind", "value", "person_id", "unit_id", "home_id", "why")
    fields = {name: getattr(award, name) for name in copied}
    return Award(list_id=made.id, state="offered", reason=reason, made_at=now, offered_by=actor_id, **fields)


def _add(session: Session, made: AwardList, award: Award) -> None:
    session.add(award)
    session.flush()
    session.refresh(made, ["awards"])


def _at(made: AwardList, award: Award) -> Award | None:
    return next((each for each in lists.living(made) if (each.prize, each.place) == (award.prize, award.place)), None)


def _open_lots(made: AwardList, award: Award) -> list[Lot]:
    place = [award.prize, award.place]
    return [lot for lot in made.lots if lot.state in ("waiting", "published") and place in lot.places]


def _no_room(session: Session, made: AwardList, award: Award, instead_of: Award | None) -> bool:
    if award.person_id is None:
        return False
    held = _held(session, made)
    if instead_of is not None and instead_of.person_id is not None:
        held.persons_now[instead_of.person_id] -= 1
        if instead_of.home_id is not None:
            held.homes_now[instead_of.home_id] -= 1
    return over_a_cap(caps_of(made.rules), held, Candidate(award.person_id, None, award.home_id)) is not None


def _facts(award: Award) -> dict[str, object]:
    winner = {"person": award.person_id} if award.person_id is not None else {"unit": award.unit_id}
    return {"award": award.id, "prize": award.prize, "place": award.place, **winner}


def _locked(session: Session, award_id: int) -> tuple[Award, AwardList]:
    award = session.get(Award, award_id)
    if award is None:
        raise Refusal("not_found")
    made = lists.locked(session, award.list_id)
    session.refresh(award)
    return award, made


def _invalid(field: str, message: object) -> Refusal:
    return Refusal("invalid_request", errors=(FieldError(field, message),))
