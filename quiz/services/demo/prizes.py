"""The prizes of the demo's past weeks: announced and paid, the newest only made, so that somebody can check it."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from quiz.clock import CONTEST_ZONE
from quiz.models import AwardList, Contest, Identity
from quiz.services import phones
from quiz.services.awards import lists, lots, places
from quiz.services.demo.logins import LOGINS

RULES = {
    "prizes": [
        {"key": "nhat", "name": "Giải Nhất", "kind": "individual", "count": 1, "value": 5_000_000},
        {"key": "nhi", "name": "Giải Nhì", "kind": "individual", "count": 2, "value": 3_000_000},
        {"key": "ba", "name": "Giải Ba", "kind": "individual", "count": 3, "value": 2_000_000},
        {"key": "khuyen-khich", "name": "Giải Khuyến khích", "kind": "individual", "count": 5, "value": 1_000_000},
        {
            "key": "tap-the",
            "name": "Giải tập thể",
            "kind": "collective",
            "count": 3,
            "value": 1_000_000,
            "by": "participants",
            "level": "province",
        },
        {"key": "lan-toa", "name": "Giải lan tỏa", "kind": "spreading", "count": 3, "value": 1_000_000},
    ],
    "prize_caps": {"person_round": 1, "person_season": 2, "unit_round": 3, "unit_season": None},
}
_UNPAID = 2
"""So many of the last announced weeks wait to be paid."""


def award_past(session: Session, contest: Contest, now: datetime) -> int:
    """Make the lists of the published weeks, all but the newest checked and announced; how many. The caller commits."""
    _invite(session, contest)
    maker, checker = (_account(session, role) for role in ("administrator", "organizer"))
    past = [made for made in contest.rounds if made.published_at is not None]
    for place, made in enumerate(past):
        at = min(made.closes_at + timedelta(days=1), now)
        of = lists.begin(session, made, at, actor_id=maker)
        lists.fill(session, of.id, at)
        if place == len(past) - 1:
            break
        _draw(session, of, at, maker)
        lists.check(session, of.id, at, actor_id=checker)
        lists.announce(session, of.id, str(made.number), at, actor_id=maker)
        if place < len(past) - 1 - _UNPAID:
            everything = [award.id for award in of.awards]
            paid_at = min(at + timedelta(days=3), now)
            reference = f"UNC {made.number:02}/2026"
            lists.pay(session, of.id, everything, paid_at.date(), reference, paid_at, actor_id=maker)
    return len(past)


def _invite(session: Session, contest: Contest) -> None:
    """Every seventh of the people came by the link of one of the first hundred."""
    session.execute(
        text(
            "UPDATE users u SET invited_by = inviter.id FROM ("
            "  SELECT id, row_number() OVER (ORDER BY id) AS place FROM users"
            "  WHERE synthetic AND role = 'participant' AND created_at < :made ORDER BY id LIMIT 100"
            ") inviter WHERE u.synthetic AND u.role = 'participant' AND u.created_at < :made AND u.id % 7 = 0 "
            "AND inviter.place = 1 + (u.id * u.id + u.id / 7) % 97 AND inviter.id < u.id"
        ),
        {"made": contest.created_at},
    )


def _draw(session: Session, of: AwardList, at: datetime, actor_id: int) -> None:
    """The lots of a list, as if a lottery had been drawn the evening before it was checked."""
    session.refresh(of, ["lots"])
    waiting = [lot for lot in of.lots if lot.state == "waiting"]
    drawn = (at - timedelta(hours=6)).astimezone(CONTEST_ZONE)
    for lot in waiting:
        source = f"Giải đặc biệt xổ số miền Bắc ngày {drawn:%d/%m/%Y}"
        lots.publish(session, lot.id, source, at - timedelta(hours=20), actor_id=actor_id)
        seed = f"{int(lot.sha256[:8], 16) % 100_000:05}"
        lots.draw(session, lot.id, seed, at - timedelta(hours=1), actor_id=actor_id)
        places.after_the_draw(session, lot, at, actor_id=actor_id)
    if waiting:
        lists.fill(session, of.id, at)


def _account(session: Session, role: str) -> int:
    number = next(phones.normalize(login.phone) for login in LOGINS if login.role == role)
    return session.scalars(select(Identity.user_id).where(Identity.kind == "phone", Identity.value == number)).one()
