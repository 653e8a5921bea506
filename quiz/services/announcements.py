"""Announcements: written in the transaction of the act they tell of, read by pages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from quiz.models import Announcement


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


def latest(session: Session, contest_id: int, units: Sequence[int], limit: int = 20) -> Sequence[Announcement]:
    """The newest announcements for somebody whose unit line (the unit and those above it) is `units`."""
    return session.scalars(
        select(Announcement)
        .where(
            Announcement.contest_id == contest_id,
            or_(Announcement.unit_id.is_(None), Announcement.unit_id.in_(units)),
        )
        .order_by(Announcement.id.desc())
        .limit(limit)
    ).all()
