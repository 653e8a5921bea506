"""Who of the staff is asking, by the tables, and how far an officer's eyes go."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from quiz.models import SecondFactor, Unit, User
from quiz.services import units

ROLES = ("officer", "organizer", "administrator")


@dataclass(frozen=True, slots=True)
class Staff:
    """One of the staff as the tables have them now."""

    id: int
    name: str
    role: str
    unit_id: int | None
    """An officer's unit: what is outside it does not exist for them. None: everything."""
    unit_code: str | None
    unit_name: str | None


def find(session: Session, user_id: int, auth_epoch: int) -> Staff | None:
    """The account, if it may still act: of the staff, not barred, its sessions not ended, its second factor set up."""
    row = session.execute(
        select(User.id, User.full_name, User.role, User.scope_unit_id, Unit.code, Unit.name)
        .join(SecondFactor, SecondFactor.user_id == User.id)
        .outerjoin(Unit, Unit.id == User.scope_unit_id)
        .where(
            User.id == user_id,
            User.role.in_(ROLES),
            User.auth_epoch == auth_epoch,
            User.barred_at.is_(None),
            SecondFactor.confirmed_at.is_not(None),
        )
    ).one_or_none()
    return None if row is None else Staff(*row)


def scope(session: Session, staff: Staff) -> list[int] | None:
    """Ids of the units that an officer sees; None: all of them."""
    return None if staff.unit_id is None else units.subtree(session, staff.unit_id)


def covers(session: Session, staff: Staff, unit_id: int | None) -> bool:
    """Whether a unit lies within what one of the staff may see."""
    seen = scope(session, staff)
    return seen is None or unit_id in seen
