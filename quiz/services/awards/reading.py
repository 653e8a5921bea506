"""Awards as pages show them: names, units, the evidence in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext, ngettext
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from quiz import wording
from quiz.models import Award, AwardList, Round, Unit, User
from quiz.models.award import PUBLIC
from quiz.services import why
from quiz.services.awards import lists
from quiz.services.awards.prizes import Prize, prizes_of
from quiz.services.names import shortened


@dataclass(frozen=True, slots=True)
class Place:
    """An award with whose it is."""

    award: Award
    winner: str
    """A person's full name, or a unit's name."""
    public_name: str
    """As others may see it."""
    unit: str
    """Where a person belongs: the province or union; empty for a unit."""
    evidence: str
    decision: str | None = None
    """Why it is above the next place of its line."""


@dataclass(frozen=True, slots=True)
class Overview:
    """A round of the contest and how far its prizes are."""

    round: Round
    prizes: int
    """Places that the rules name."""
    value: int
    list: AwardList | None
    """The newest."""
    public: AwardList | None


@dataclass(frozen=True, slots=True)
class Names:
    people: Mapping[int, str]
    units: Mapping[int, str]

    def of(self, who: Sequence[Any] | None) -> str:
        """The name of ["person" or "unit", id]; None: a lot decides, or nobody."""
        if who is None:
            return "–"
        kind, number = who
        names = self.people if kind == "person" else self.units
        return names.get(number, f"#{number}")


def overview(session: Session, contest_id: int) -> list[Overview]:
    """The rounds whose rules name prizes, in the order of the calendar."""
    made: dict[int, list[AwardList]] = {}
    for each in session.scalars(
        select(AwardList).where(AwardList.contest_id == contest_id).order_by(AwardList.version.desc())
    ):
        made.setdefault(each.round_id, []).append(each)
    rounds = session.scalars(select(Round).where(Round.contest_id == contest_id).order_by(Round.number))
    found = []
    for of in rounds:
        own = made.get(of.id, [])
        prizes = prizes_of(of.rules)
        if prizes or own:
            current = next((each for each in own if each.state in PUBLIC), None)
            total = sum(prize.count * prize.value for prize in prizes)
            found.append(Overview(of, sum(p.count for p in prizes), total, own[0] if own else None, current))
    return found


def places(session: Session, made: AwardList, *, decisions: bool = False) -> list[Place]:
    """The living places of a list in the order of the rules."""
    held = sorted(lists.living(made), key=_order(made))
    return _named(session, made, held, decisions)


def history(session: Session, made: AwardList) -> list[Place]:
    """Who held or was offered a place and does no longer, the newest first."""
    ended = [award for award in made.awards if not award.living]
    return _named(session, made, sorted(ended, key=lambda award: award.ended_at or award.made_at, reverse=True), False)


def public_places(session: Session, made: AwardList) -> list[Place]:
    """What everybody may see of an announced list: held places alone."""
    return [place for place in places(session, made) if place.award.state == "held"]


def announced(session: Session, contest_id: int) -> list[tuple[Round, AwardList, list[Place]]]:
    """Announced lists by round, the newest round first."""
    found = session.scalars(
        select(AwardList)
        .join(Round, Round.id == AwardList.round_id)
        .options(joinedload(AwardList.round))
        .where(AwardList.contest_id == contest_id, AwardList.state.in_(PUBLIC))
        .order_by(Round.number.desc())
    ).all()
    return [(made.round, made, public_places(session, made)) for made in found]


@dataclass(frozen=True, slots=True)
class Own:
    """A prize of who is signed in."""

    round: int
    name: str
    value: int
    announced_at: datetime


def of_person(session: Session, user_id: int) -> list[Own]:
    """The announced prizes of a person, whichever account asks; the newest first."""
    person = select(User.person_id).where(User.id == user_id).scalar_subquery()
    rows = session.execute(
        select(Round.number, Award.name, Award.value, AwardList.announced_at)
        .join(AwardList, AwardList.id == Award.list_id)
        .join(Round, Round.id == AwardList.round_id)
        .where(Award.person_id == person, Award.state == "held", AwardList.state.in_(PUBLIC))
        .order_by(Award.id.desc())
    )
    return [Own(number, name, value, at) for number, name, value, at in rows if at is not None]


def names(session: Session, who: Iterable[Sequence[Any] | None]) -> Names:
    """Names of ["person" or "unit", id]."""
    wanted = [each for each in who if each is not None]
    people = _people(session, [number for kind, number in wanted if kind == "person"])
    return Names(people, _units(session, [number for kind, number in wanted if kind == "unit"]))


def passed_over(session: Session, made: AwardList) -> list[tuple[str, str, str]]:
    """(name, prize, why) of who stood in line and got nothing for it."""
    known = names(session, [[each["of"], each["id"]] for each in made.passed])
    prizes = {prize.key: prize.name for prize in prizes_of(made.rules)}
    return [
        (known.of([each["of"], each["id"]]), prizes.get(each["prize"] or "", ""), reason_text(each["reason"]))
        for each in made.passed
        if each["reason"] != "next"
    ]


def next_in_line(session: Session, made: AwardList) -> list[tuple[str, list[str]]]:
    """(the prizes of a line, who comes behind its last place)."""
    following = [each for each in made.passed if each["reason"] == "next"]
    known = names(session, [[each["of"], each["id"]] for each in following])
    titles: dict[str, list[str]] = {}
    for prize in prizes_of(made.rules):
        titles.setdefault(prize.line, []).append(prize.name)
    found: dict[str, list[str]] = {}
    for each in following:
        found.setdefault(each["line"], []).append(known.of([each["of"], each["id"]]))
    return [(", ".join(titles.get(line, [line])), people) for line, people in found.items()]


def reason_text(reason: str) -> str:
    said: dict[str, Any] = {
        "barred": gettext("the account is barred"),
        "disqualified": gettext("disqualified"),
        "person_round": gettext("has as many prizes of this round as one person may get"),
        "person_season": gettext("has as many prizes of the season as one person may get"),
        "unit_round": gettext("the province or union has as many prizes of this round as it may get"),
        "unit_season": gettext("the province or union has as many prizes of the season as it may get"),
        "next": gettext("next in line"),
    }
    return str(said[reason])


def evidence(award: Award) -> str:
    """What a place was given for, in words."""
    facts = award.why
    if award.kind == "spreading":
        text = ngettext("brought %(num)d person who took part", "brought %(num)d people who took part", facts["people"])
    elif award.kind == "collective":
        text = _collective(facts)
    else:
        text = _individual(facts)
    return f"{text} · {gettext('by lot')}" if facts.get("lot") else str(text)


def _individual(facts: Mapping[str, Any]) -> str:
    points = ngettext("%(num)d point", "%(num)d points", facts["score"])
    parts = [points, wording.duration(facts["duration_ms"])]
    if facts.get("rank"):
        parts.insert(0, gettext("rank %(rank)s", rank=wording.number(facts["rank"])))
    return " · ".join(map(str, parts))


def _collective(facts: Mapping[str, Any]) -> str:
    parts = [ngettext("%(num)d participant", "%(num)d participants", facts["participants"])]
    by = facts["line"].split(":")[2]
    if by == "member_share" and facts.get("members"):
        share = wording.percent(100 * facts["participants"] / facts["members"])
        parts.append(gettext("%(share)s of %(members)s members", share=share, members=wording.number(facts["members"])))
    if by == "perfect_papers":
        parts.append(ngettext("%(num)d perfect paper", "%(num)d perfect papers", facts["papers"]))
    return " · ".join(map(str, parts))


def _order(made: AwardList) -> Any:
    order = {prize.key: place for place, prize in enumerate(prizes_of(made.rules))}
    return lambda award: (order.get(award.prize, len(order)), award.place, award.id)


def _named(session: Session, made: AwardList, awards: Sequence[Award], decisions: bool) -> list[Place]:
    people = _people(session, [award.person_id for award in awards if award.person_id is not None])
    units = _units(session, [unit for award in awards for unit in (award.unit_id, award.home_id) if unit is not None])
    found = []
    for place, award in enumerate(awards):
        winner = people.get(award.person_id or 0, "") if award.unit_id is None else units.get(award.unit_id, "")
        following = awards[place + 1] if decisions and place + 1 < len(awards) else None
        found.append(
            Place(
                award,
                winner,
                winner if award.unit_id is not None else shortened(winner),
                units.get(award.home_id or 0, ""),
                evidence(award),
                _decision(session, made, award, following, people),
            )
        )
    return found


def _decision(
    session: Session, made: AwardList, award: Award, following: Award | None, people: Mapping[int, str]
) -> str | None:
    if following is None or award.kind != "individual" or award.why["line"] != following.why.get("line"):
        return None
    if award.person_id is None or following.person_id is None:
        return None
    found = why.between(session, made.round, award.person_id, following.person_id)
    if found is None:
        return None
    return why.sentence(found.decision, people.get(found.above, ""), people.get(found.below, ""))


def _people(session: Session, ids: Sequence[int]) -> dict[int, str]:
    rows = session.execute(select(User.id, User.full_name).where(User.id.in_(ids))) if ids else ()
    return {row.id: row.full_name for row in rows}


def _units(session: Session, ids: Sequence[int]) -> dict[int, str]:
    rows = session.execute(select(Unit.id, Unit.name).where(Unit.id.in_(ids))) if ids else ()
    return {row.id: row.name for row in rows}


def titles(rules: Mapping[str, Any]) -> dict[str, Prize]:
    return {prize.key: prize for prize in prizes_of(rules)}
