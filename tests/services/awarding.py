"""Makers of a final round with standings, and of its award list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text

from quiz import clock
from quiz.extensions import db
from quiz.models import AwardList, Round, Unit, User
from quiz.services.awards import lists
from scoring.ordering import Facts, merit_maker
from scoring.rules import rules_from
from tests import seasons, staffing

HA_NOI, HUE = "01", "46"
MAKER, CHECKER = "0912000001", "0912000002"
PRIZES = [
    {"key": "first", "name": "Giải Nhất", "kind": "individual", "count": 1, "value": 4_000_000},
    {"key": "second", "name": "Giải Nhì", "kind": "individual", "count": 2, "value": 2_000_000},
]


@dataclass(frozen=True, slots=True)
class Staff:
    maker: int
    checker: int


def staff() -> Staff:
    maker = staffing.make("organizer", MAKER, name="Lê Hoàng Nam").id
    return Staff(maker, staffing.make("organizer", CHECKER, name="Trần Thị Mai").id)


def person(name: str, unit: str = HA_NOI, **changes: Any) -> int:
    unit_id = db.session.query(Unit.id).filter(Unit.code == unit, Unit.valid_to.is_(None)).scalar()
    made = User(person_id=0, full_name=name, unit_id=unit_id, role="participant", created_at=clock.now(), **changes)
    db.session.add(made)
    db.session.flush()
    made.person_id = made.id
    db.session.commit()
    return made.id


def final_round(
    scores: Mapping[int, int],
    *,
    number: int = 1,
    rules: Mapping[str, Any] | None = None,
    of: Any = None,
) -> Round:
    """A final, published round in which these persons have these scores, all handed in at the same moment."""
    document = {"questions": 20, "ranking": ["score", "received_at"], "prizes": PRIZES} | dict(rules or {})
    session = db.session()
    made = seasons.scheduled_round(session, of or seasons.contest(session), number, rules=document)
    made.finalized_at = made.published_at = made.closes_at + timedelta(hours=1)
    session.flush()
    merit = merit_maker(rules_from(made.rules))
    at = made.opens_at + timedelta(hours=1)
    for who, score in scores.items():
        facts = Facts(score, score, clock.to_ms(at), 60_000, 1, who)
        add_standing(made, who, facts, merit(facts), at)
    session.execute(
        text(
            "UPDATE standing s SET rank = r.rank FROM (SELECT person_id, rank() OVER (ORDER BY merit DESC) AS rank "
            "FROM standing WHERE round_id = :id) r WHERE s.round_id = :id AND s.person_id = r.person_id"
        ),
        {"id": made.id},
    )
    session.commit()
    return made


def add_standing(made: Round, who: int, facts: Facts, merit: bytes, at: datetime) -> None:
    db.session.execute(
        text(
            "INSERT INTO standing (round_id, person_id, participant_id, issuer, attempt, unit_id, entries, score, "
            "correct, duration_ms, received_at, merit) SELECT :round, u.id, u.id, 0, 1, u.unit_id, 1, :score, :score, "
            "60000, :at, :merit FROM users u WHERE u.id = :who"
        ),
        {"round": made.id, "who": who, "score": facts.score, "at": at, "merit": merit},
    )


def made_list(awarded: Round, who: Staff, now: datetime | None = None) -> AwardList:
    """Asked for by one, and chosen by the worker."""
    at = now or clock.now()
    made = lists.begin(db.session(), awarded, at, actor_id=who.maker)
    lists.fill(db.session(), made.id, at)
    db.session.commit()
    return made


def announced(awarded: Round, who: Staff) -> AwardList:
    made = made_list(awarded, who)
    lists.check(db.session(), made.id, clock.now(), actor_id=who.checker)
    lists.announce(db.session(), made.id, str(awarded.number), clock.now(), actor_id=who.maker)
    db.session.commit()
    return made


def winners(made: AwardList) -> dict[tuple[str, int], int | None]:
    db.session.commit()
    db.session.refresh(made)
    return {(each.prize, each.place): each.person_id or each.unit_id for each in lists.living(made)}


def names(made: AwardList, people: Sequence[int]) -> list[tuple[str, int]]:
    """(prize, which of the people), in the order of the places."""
    return [(prize, people.index(who or 0)) for (prize, _), who in sorted(winners(made).items())]
