"""Announcements: written in the transaction of the act they tell of, read by pages."""

from __future__ import annotations

from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from quiz.errors import FieldError, Refusal
from quiz.models import Announcement, Round, Unit
from quiz.services import audit, units

KEPT = 20
"""So many travel with the season; older ones stay in the table."""
MAX_TITLE = 120


def announce(
    session: Session,
    contest_id: int,
    title: str,
    body: str,
    now: datetime,
    actor_id: int | None,
    *,
    unit_id: int | None = None,
    round_id: int | None = None,
) -> Announcement:
    """Tell everybody of the contest, or those of a unit or a round. The caller commits."""
    made = Announcement(
        contest_id=contest_id,
        unit_id=unit_id,
        round_id=round_id,
        title=title,
        body=body,
        at=now,
        actor_id=actor_id,
    )
    session.add(made)
    session.flush()
    return made


def make(
    session: Session,
    contest_id: int,
    title: str,
    body: str,
    now: datetime,
    actor_id: int,
    *,
    unit_code: str | None = None,
    round_number: int | None = None,
) -> Announcement:
    """An announcement written by an organizer, with its line in the log. The caller commits and publishes.

    Raises:
        Refusal: invalid_request naming the field, unknown_unit, unknown_round.
    """
    if not title.strip() or len(title) > MAX_TITLE:
        message = _l("Write a title of at most %(count)s characters.", count=MAX_TITLE)
        raise Refusal("invalid_request", errors=(FieldError("title", message),))
    unit_id = units.get(session, unit_code).id if unit_code else None
    round_id = None
    if round_number is not None and unit_id is None:
        found = select(Round.id).where(Round.contest_id == contest_id, Round.number == round_number)
        round_id = session.scalar(found)
        if round_id is None:
            raise Refusal("unknown_round")
    made = announce(session, contest_id, title.strip(), body.strip(), now, actor_id, unit_id=unit_id, round_id=round_id)
    detail = {"title": made.title, "unit": unit_code, "round": round_number if unit_id is None else None}
    audit.append(session, now, actor_id, "announcement.made", f"announcement:{made.id}", detail)
    return made


def newest(session: Session, contest_id: int) -> list[tuple[Announcement, str | None, int | None]]:
    """(announcement, code of its unit, number of its round), the newest first."""
    found = session.execute(
        select(Announcement, Unit.code, Round.number)
        .outerjoin(Unit, Unit.id == Announcement.unit_id)
        .outerjoin(Round, Round.id == Announcement.round_id)
        .where(Announcement.contest_id == contest_id)
        .order_by(Announcement.id.desc())
        .limit(KEPT)
    )
    return [(told, code, number) for told, code, number in found]
