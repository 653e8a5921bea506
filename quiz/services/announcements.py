"""Announcements: written in the transaction of the act they tell of, read by pages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from quiz.errors import FieldError, Refusal
from quiz.models import Announcement, Entry, Round, Unit, User
from quiz.services import audit, units

KEPT = 100
"""So many travel with the season, those to single provinces among them; older ones stay in the table."""
PAGE = 30
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


def retract(session: Session, contest_id: int, announcement_id: int, now: datetime, actor_id: int, reason: str) -> None:
    """Take an announcement back: from now on nobody reads it, but it stays listed for staff. The caller commits.

    Raises:
        Refusal: not_found, invalid_request without a reason.
    """
    told = session.get(Announcement, announcement_id, with_for_update=True)
    if told is None or told.contest_id != contest_id:
        raise Refusal("not_found")
    if not reason.strip():
        raise Refusal("invalid_request", errors=(FieldError("reason", _l("Write the reason; it stands in the log.")),))
    if told.retracted_at is None:
        told.retracted_at, told.retracted_by = now, actor_id
        subject = f"announcement:{told.id}"
        audit.append(session, now, actor_id, "announcement.retracted", subject, {"title": told.title}, reason.strip())


def newest(session: Session, contest_id: int) -> list[tuple[Announcement, str | None, int | None]]:
    """(announcement, code of its unit, number of its round), the newest first, without those taken back."""
    found = session.execute(
        select(Announcement, Unit.code, Round.number)
        .outerjoin(Unit, Unit.id == Announcement.unit_id)
        .outerjoin(Round, Round.id == Announcement.round_id)
        .where(Announcement.contest_id == contest_id, Announcement.retracted_at.is_(None))
        .order_by(Announcement.id.desc())
        .limit(KEPT)
    )
    return [(told, code, number) for told, code, number in found]


def took_part(session: Session, participant_id: int, rounds: Iterable[int]) -> set[int]:
    """Which of these rounds somebody has an entry in: one look by the entries' own key."""
    wanted = list(rounds)
    if not wanted:
        return set()
    found = select(Entry.round_id).where(Entry.participant_id == participant_id, Entry.round_id.in_(wanted))
    return set(session.scalars(found.distinct()))


# The list of staff


@dataclass(frozen=True, slots=True)
class Told:
    announcement: Announcement
    unit: str | None
    round: int | None
    """Number of the round."""
    by: str | None
    """Who wrote it; None: the system, in the name of an act."""


@dataclass(frozen=True, slots=True)
class Page:
    lines: Sequence[Told]
    older: int | None


def page(session: Session, contest_id: int, words: str = "", before: int | None = None, size: int = PAGE) -> Page:
    """What was announced, the newest first, taken back or not; words are looked for in title and text."""
    statement = (
        select(Announcement, Unit.name, Round.number, User.full_name)
        .outerjoin(Unit, Unit.id == Announcement.unit_id)
        .outerjoin(Round, Round.id == Announcement.round_id)
        .outerjoin(User, User.id == Announcement.actor_id)
        .where(Announcement.contest_id == contest_id)
        .order_by(Announcement.id.desc())
        .limit(size + 1)
    )
    if before is not None:
        statement = statement.where(Announcement.id < before)
    for word in words.split():
        found = (column.icontains(word, autoescape=True) for column in (Announcement.title, Announcement.body))
        statement = statement.where(or_(*found))
    lines = [Told(*row) for row in session.execute(statement)]
    return Page(lines[:size], lines[size - 1].announcement.id if len(lines) > size else None)
